"""A judge's checkpoint: checked and named by its weights' hash when a metric is made, loaded when texts are read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grue.checkpoints.folder import Folder, resolve
from grue.checkpoints.hash_store import stored_weights_sha256
from grue.checkpoints.hashing import config_sha256, tokenizer_files, tokenizer_sha256
from grue.checkpoints.reading import first_line, positions, quiet_transformers, read_config, read_json
from grue.checkpoints.weights import WeightFiles, find_weights
from grue.core.errors import CheckpointError, GrueError, MetricUnavailableError
from grue.core.judging import Judging

# Head -> the library's class that loads it.
HEADS = {
    "classifier": "AutoModelForSequenceClassification",
    "causal": "AutoModelForCausalLM",
    "seq2seq": "AutoModelForSeq2SeqLM",
    "encoder": "AutoModel",
}
# Encoders that count positions from behind the padding token.
_SHIFTED = frozenset(
    {"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "longformer", "ibert", "roberta-prelayernorm",
     "data2vec-text", "xmod", "mpnet", "esm"}
)  # fmt: skip
_NO_VOCABULARY = frozenset(
    {"added_tokens.json", "chat_template.jinja", "special_tokens_map.json", "tokenizer_config.json"}
)
UNBOUNDED_TOKENS = 512  # what is read where neither tokenizer nor model says how much fits
KEPT_MODELS = 3

_models: OrderedDict[tuple[str, ...], Any] = OrderedDict()
_tokenizers: OrderedDict[tuple[str, ...], Any] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Judge:
    """A checkpoint that judges texts.

    Attributes:
        folder: Where it lies.
        head: Key of ``HEADS``.
        config: The library's config object.
        weights: Its weight files.
        weights_sha256: Their content hash.
        key: Hash of weights, tokenizer and config together: what outputs are stored under.
        judging: Where it runs.
    """

    folder: Folder
    head: str
    config: Any = field(repr=False, compare=False)
    weights: WeightFiles = field(repr=False, compare=False)
    weights_sha256: str
    key: str
    judging: Judging

    @property
    def name(self) -> str:
        """What signatures call it: the first 16 hex digits of its weights' hash, a toy also by its name."""
        short = self.weights_sha256[:16]
        return f"toy:{self.folder.model}:{short}" if self.folder.kind == "toy" else short

    def refuse(self, cause: str, fix: str = "") -> MetricUnavailableError:
        """The error that makes a metric absent because of this checkpoint."""
        return MetricUnavailableError(f"{self.folder.model}: {cause}{f' {fix}' if fix else ''}")

    def positions(self) -> int | None:
        """Tokens that the model reads; ``None`` if unbounded."""
        config = self.config
        inputs, _ = positions(config, bool(getattr(config, "is_encoder_decoder", False)))
        if inputs is not None and config.model_type in _SHIFTED:
            inputs -= (config.pad_token_id or 0) + 1
        return inputs

    def tokenizer(self, truncation_side: str = "right") -> Any:
        """The tokenizer, loaded once a process.

        Raises:
            MetricUnavailableError: where it is missing or cannot be read.
        """
        key = (self.key, str(self.folder.path), truncation_side)
        if key not in _tokenizers:
            _keep(_tokenizers, key, self._read_tokenizer(truncation_side), 2 * KEPT_MODELS)
        return _tokenizers[key]

    def limit_tokens(self) -> int:
        """Tokens of a text that are read, specials included: the tokenizer's bound, or the model's if less."""
        advised = int(getattr(self.tokenizer(), "model_max_length", 0) or 0)
        known = [n for n in (advised if advised < 1_000_000 else 0, self.positions() or 0) if n > 0]
        return min(known, default=UNBOUNDED_TOKENS)

    def model(self, part: str = "", take: Callable[[Any], Any] = lambda whole: whole) -> Any:
        """The model on its device in float32, loaded on first use; the last few of a process are kept.

        Args:
            part: What ``take`` keeps of it, in words.
            take: The part of the model that is needed.

        Raises:
            MetricUnavailableError: where it cannot be loaded.
        """
        key = (self.key, str(self.folder.path), self.head, part, self.judging.device)
        if key in _models:
            _models.move_to_end(key)
            return _models[key]
        try:
            model = take(self._load())
        except GrueError as error:
            raise MetricUnavailableError(one_line(error)) from error
        _keep(_models, key, model, KEPT_MODELS)
        return model

    def _load(self) -> Any:
        import transformers

        from grue.checkpoints.device import choose_device
        from grue.checkpoints.loading import load_weights, place_model

        device = choose_device(self.judging.device)
        model = load_weights(
            getattr(transformers, HEADS[self.head]),
            self.folder.path,
            self.config,
            self.weights,
            architecture=str((getattr(self.config, "architectures", None) or [self.config.model_type])[0]),
            device=device,
            dtype="float32",
            # An encoder's embeddings are read, never its pooled output.
            optional=("pooler.",) if self.head == "encoder" else (),
        )
        return place_model(model, device, self.folder.path)

    def _read_tokenizer(self, truncation_side: str) -> Any:
        from transformers import AutoTokenizer

        try:
            with quiet_transformers():
                return AutoTokenizer.from_pretrained(
                    self.folder.path,
                    local_files_only=True,
                    trust_remote_code=False,
                    truncation_side=truncation_side,
                )
        except Exception as error:
            raise self.refuse(
                f"the tokenizer cannot be loaded: {first_line(error)}.", "Give a folder with tokenizer files."
            ) from error


def open_judge(model: str | Path | None, head: str, judging: Judging, *, setting: str = "") -> Judge:
    """Find, read and check a judge without loading its weights.

    Args:
        model: Toy, folder or hub id, as of ``resolve``.
        head: Key of ``HEADS``.
        judging: Where it runs.
        setting: ``FAMILY.model``, for the message where no model is named.

    Raises:
        MetricUnavailableError: for every fault that can be seen without loading; it names the fix.
    """
    if model is None or not str(model).strip():
        raise MetricUnavailableError(f"no judge is named: --set {setting or 'FAMILY.model'}=FOLDER_OR_HUB_ID")
    try:
        folder = resolve(str(model), judging)
        raw = read_json(folder.path, "config.json")
        config = read_config(folder.path, raw)
        _check_head(folder, head, config, raw)
        weights = find_weights(folder.path, allow_pickle=True)
        _check_vocabulary(folder)
        digest = stored_weights_sha256(weights, judging.cache)
        key = f"{digest}.{tokenizer_sha256(folder.path)[:32]}.{config_sha256(config.to_diff_dict())[:32]}"
    except CheckpointError as error:
        raise MetricUnavailableError(one_line(error)) from error
    except ImportError as error:
        raise MetricUnavailableError(f"judges need torch and transformers: {first_line(error)}") from error
    return Judge(folder, head, config, weights, digest, key, judging)


def one_line(error: GrueError) -> str:
    """Place, cause and fix of an error as a reason."""
    head = f"{error.place}: {error.cause}" if error.place else error.cause
    return f"{head} {error.fix}".strip()


def release() -> None:
    """Give back all models and tokenizers that this process keeps."""
    _models.clear()
    _tokenizers.clear()


def _check_head(folder: Folder, head: str, config: Any, raw: dict[str, Any]) -> None:
    """Refuse a checkpoint that was saved with another head: the library would put a random one on it."""
    named = [str(name) for name in raw.get("architectures") or ()]
    if not named or head == "encoder":
        return
    known = {
        "classifier": ("ForSequenceClassification",),
        "causal": ("ForCausalLM", "LMHeadModel"),
        "seq2seq": ("ForConditionalGeneration", "ForSeq2SeqLM"),
    }[head]
    fits = any(name.endswith(known) for name in named)
    if fits and head == "causal":
        fits = not getattr(config, "is_encoder_decoder", False)
    if not fits:
        wanted = {"classifier": "a sequence classifier", "causal": "a causal language model"}
        raise CheckpointError(
            f"{folder.model}: {named[0]} is not {wanted.get(head, 'an encoder-decoder model')}.",
            f"Give a …{known[0]} checkpoint.",
        )


def _check_vocabulary(folder: Folder) -> None:
    """Refuse a folder without vocabulary: the library would make up a tokenizer that knows no word."""
    there = {path.name for path in tokenizer_files(folder.path)} - _NO_VOCABULARY
    if not there or there == {"vocab.json"} or there == {"merges.txt"}:
        raise CheckpointError(
            f"{folder.model}: the folder holds no tokenizer.",
            "Save the tokenizer beside the weights (tokenizer.save_pretrained).",
        )


def _keep(store: OrderedDict[tuple[str, ...], Any], key: tuple[str, ...], value: Any, limit: int) -> None:
    store[key] = value
    while len(store) > limit:
        store.popitem(last=False)
