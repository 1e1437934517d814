"""From prompts to token ids: the tokenizer's own specials, the chat template, and the cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grue.checkpoints.hashing import tokenizer_files
from grue.checkpoints.reading import quiet_transformers
from grue.core.errors import CheckpointError, UsageError
from grue.core.task import Truncation
from grue.core.text import Json, sha256_text
from grue.engine.checkpoint import Checkpoint
from grue.engine.options import EngineOptions

_PROBE = "a b"
# Prompts that the tokenizer is given at once: enough for all of its threads, few enough that the places of all their
# tokens in the text are not held at once.
PORTION = 4096
ASSISTANT_FIX = "Mend the chat template or the tokenizer's post-processor, or give --chat-template off."


@dataclass(frozen=True, slots=True)
class EncodedPrompt:
    """A prompt as the model reads it.

    Attributes:
        ids: Token ids, specials included.
        text: After chat template and cut, without specials that the tokenizer adds.
        is_cut: Whether tokens were dropped.
    """

    ids: tuple[int, ...]
    text: str
    is_cut: bool


@dataclass(frozen=True, slots=True)
class PromptReader:
    """A checkpoint's tokenizer with what was found out about it.

    Attributes:
        prefix: Ids that the tokenizer puts before a text.
        suffix: Ids that it puts after it.
        uses_template: Whether prompts go through the chat template.
        overhead_tokens: Tokens that are no part of a prompt's own text.
        notes: What a user should know.
    """

    tokenizer: Any
    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    uses_template: bool
    template_sha256: str | None
    overhead_tokens: int
    notes: tuple[str, ...]

    def describe(self) -> dict[str, Json]:
        """What the manifest says: the chat template's hash, or ``None`` where none was used."""
        return {"chat_template_sha256": self.template_sha256 if self.uses_template else None}

    def encode(self, prompts: Sequence[str], truncation: Truncation, limit_tokens: int) -> list[EncodedPrompt]:
        """Token ids of prompts, in order, each at most ``limit_tokens`` long, specials included.

        Raises:
            CheckpointError: where a prompt would begin with two begin-of-sequence tokens.
        """
        encoded = self._encode_templated if self.uses_template else self._encode_plain
        results: list[EncodedPrompt] = []
        for start in range(0, len(prompts), PORTION):
            results += encoded(prompts[start : start + PORTION], truncation.side, limit_tokens)
        bos = self.tokenizer.bos_token_id
        for result in results:
            if bos is not None and result.ids[:2] == (bos, bos):
                raise CheckpointError(
                    f"A prompt would begin with two begin-of-sequence tokens ({self.tokenizer.bos_token}):"
                    f" {result.text[:60]!r}.",
                    ASSISTANT_FIX,
                )
        return results

    def refuse_double_bos(self, prompts: Sequence[str]) -> None:
        """Look for prompts that begin with the very token that is put before them.

        Raises:
            CheckpointError: where there is one.
        """
        mark, bos = self.tokenizer.bos_token, self.tokenizer.bos_token_id
        if mark and bos in self.prefix and not self.uses_template:
            self.encode([prompt for prompt in prompts if prompt.startswith(mark)], Truncation("right", 16), 16)

    def decode(self, ids: Sequence[int]) -> str:
        """Text of new tokens, special tokens left out, nothing stripped or cleaned."""
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def _encode_plain(self, prompts: Sequence[str], side: str, limit: int) -> list[EncodedPrompt]:
        budget = limit - len(self.prefix) - len(self.suffix)
        results = []
        for prompt, (ids, offsets) in zip(prompts, self._tokenise(prompts), strict=True):
            is_cut = len(ids) > budget
            body, text = self._cut(prompt, ids, offsets, side, budget) if is_cut else (ids, prompt)
            whole = (*self.prefix, *body, *self.suffix) or (self._start_id(),)
            results.append(EncodedPrompt(whole, text, is_cut))
        return results

    def _encode_templated(self, prompts: Sequence[str], side: str, limit: int) -> list[EncodedPrompt]:
        texts = [self._templated(prompt) for prompt in prompts]
        results = []
        for prompt, text, (ids, _) in zip(prompts, texts, self._tokenise(texts), strict=True):
            if len(ids) <= limit:
                results.append(EncodedPrompt(tuple(ids), text, False))
                continue
            [(own, offsets)] = self._tokenise([prompt])
            keep = max(1, min(len(own) - 1, limit - self.overhead_tokens))
            while True:
                _, content = self._cut(prompt, own, offsets, side, keep)
                whole = self._templated(content)
                [(cut, _)] = self._tokenise([whole])
                if len(cut) <= limit or keep == 1:
                    break
                # Tokens at the seams may differ from those of the text alone.
                keep = max(1, keep - (len(cut) - limit))
            if len(cut) > limit:
                raise CheckpointError(
                    f"With the chat template a prompt takes {len(cut)} tokens, {limit} fit.",
                    "Give --chat-template off.",
                )
            results.append(EncodedPrompt(tuple(cut), whole, True))
        return results

    def _cut(
        self, prompt: str, ids: Sequence[int], offsets: Sequence[tuple[int, int]] | None, side: str, keep: int
    ) -> tuple[Sequence[int], str]:
        """The kept ids and their piece of the very string; decoded where the tokenizer knows no offsets."""
        if side == "left":
            body = ids[len(ids) - keep :]
            # From the end of the last dropped token, so that a blank before the first kept one stays.
            text = prompt[offsets[len(ids) - keep - 1][1] :] if offsets else self.decode(body)
        else:
            body = ids[:keep]
            text = prompt[: offsets[keep - 1][1]] if offsets else self.decode(body)
        return body, text

    def _tokenise(self, texts: Sequence[str]) -> list[tuple[list[int], list[tuple[int, int]] | None]]:
        if not texts:
            return []
        fast = bool(getattr(self.tokenizer, "is_fast", False))
        with quiet_transformers():
            out = self.tokenizer(list(texts), add_special_tokens=False, return_offsets_mapping=fast, verbose=False)
        offsets = out["offset_mapping"] if fast else [None] * len(texts)
        return list(zip(out["input_ids"], offsets, strict=True))

    def _templated(self, content: str) -> str:
        return str(
            self.tokenizer.apply_chat_template(
                [{"role": "user", "content": content}], tokenize=False, add_generation_prompt=True
            )
        )

    def _start_id(self) -> int:
        """What an empty prompt begins with: a model cannot read nothing."""
        for name in ("bos_token_id", "eos_token_id", "pad_token_id"):
            value = getattr(self.tokenizer, name, None)
            if value is not None:
                return int(value)
        return 0


def read_tokenizer(checkpoint: Checkpoint, options: EngineOptions) -> PromptReader:
    """Load and check the tokenizer of a checkpoint.

    Raises:
        CheckpointError: where there is none, it does not fit the model, or it begins texts with two BOS tokens.
        UsageError: for ``--chat-template on`` where it has none.
    """
    return prompt_reader(_load(checkpoint, options), checkpoint, options)


def prompt_reader(tokenizer: Any, checkpoint: Checkpoint, options: EngineOptions) -> PromptReader:
    """Check a tokenizer that is loaded already. Raises as ``read_tokenizer``."""
    place = str(checkpoint.folder)
    prefix, suffix = _specials(tokenizer, place)
    largest = max(tokenizer.get_vocab().values(), default=-1)
    if largest >= checkpoint.vocabulary:
        raise CheckpointError(
            f"The model's vocabulary ({checkpoint.vocabulary}) is smaller than the tokenizer's ({largest + 1}).",
            "Give the tokenizer that belongs to the model.",
            place=place,
        )
    bos = tokenizer.bos_token_id
    if bos is not None and prefix[:2] == (bos, bos):
        raise CheckpointError(
            "The tokenizer puts two begin-of-sequence tokens before a text.", ASSISTANT_FIX, place=place
        )
    template = getattr(tokenizer, "chat_template", None)
    if options.chat_template == "on" and not template:
        raise UsageError("--chat-template on: the tokenizer has no chat template.", "Leave the flag out, or give off.")
    uses_template = options.chat_template != "off" and bool(template)
    shown = template if isinstance(template, str) else repr(template)
    notes = _notes(tokenizer, checkpoint, prefix)
    reader = PromptReader(
        tokenizer,
        prefix,
        suffix,
        uses_template,
        sha256_text(shown) if template else None,
        len(prefix) + len(suffix),
        (),
    )
    if not uses_template:
        return _replaced(reader, reader.overhead_tokens, notes)
    try:
        text = reader._templated("")
    except Exception as error:
        raise CheckpointError(
            f"The chat template cannot be used: {error}.", "Give --chat-template off.", place=place
        ) from error
    [(ids, _)] = reader._tokenise([text])
    if bos is not None and tuple(ids[:2]) == (bos, bos):
        raise CheckpointError("The chat template writes two begin-of-sequence tokens.", ASSISTANT_FIX, place=place)
    if bos is not None and bos in prefix:
        if bos in ids:
            notes = (*notes, "The chat template writes the begin-of-sequence token; the tokenizer's own is left out.")
        else:
            notes = (
                *notes,
                "The chat template writes no begin-of-sequence token, and with it the tokenizer's is left out.",
            )
    return _replaced(reader, len(ids), notes)


def _replaced(reader: PromptReader, overhead: int, notes: tuple[str, ...]) -> PromptReader:
    from dataclasses import replace

    return replace(reader, overhead_tokens=overhead, notes=notes)


def _load(checkpoint: Checkpoint, options: EngineOptions) -> Any:
    from transformers import AutoTokenizer

    place = str(checkpoint.folder)
    fix = "Save the tokenizer into the folder: tokenizer.save_pretrained(FOLDER)."
    if not tokenizer_files(checkpoint.folder):
        raise CheckpointError("No tokenizer.", fix, place=place)
    try:
        with quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(
                checkpoint.folder, trust_remote_code=options.trust_remote_code, local_files_only=True
            )
    except Exception as error:
        cause = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        raise CheckpointError(f"The tokenizer cannot be loaded: {cause}", fix, place=place) from error
    if not tokenizer("a", add_special_tokens=False)["input_ids"]:
        raise CheckpointError("The tokenizer knows no token: its vocabulary is not there.", fix, place=place)
    return tokenizer


def _specials(tokenizer: Any, place: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What the tokenizer puts before and after a text."""
    body = list(tokenizer(_PROBE, add_special_tokens=False)["input_ids"])
    whole = list(tokenizer(_PROBE)["input_ids"])
    for start in range(len(whole) - len(body) + 1):
        if whole[start : start + len(body)] == body:
            return tuple(whole[:start]), tuple(whole[start + len(body) :])
    raise CheckpointError(
        "The tokenizer's special tokens are neither before nor after a text.",
        "Give a tokenizer that works so.",
        place=place,
    )


def _notes(tokenizer: Any, checkpoint: Checkpoint, prefix: tuple[int, ...]) -> tuple[str, ...]:
    notes = []
    bos, eos = tokenizer.bos_token_id, tokenizer.eos_token_id
    if tokenizer.pad_token_id is None:
        notes.append(
            "The tokenizer has no pad token; its end token pads instead."
            if eos is not None
            else "The tokenizer has no pad token; token 0 pads instead."
        )
    if eos is None:
        notes.append("The tokenizer has no end token; texts may run to max_new_tokens.")
    trained = getattr(checkpoint.config, "bos_token_id", None)
    known_bos = bos is not None and bos == trained and bos != eos
    if known_bos and not checkpoint.is_encoder_decoder and bos not in prefix:
        notes.append(
            f"The model has a begin-of-sequence token ({tokenizer.bos_token}) of its own, and the tokenizer does not"
            " put it before a text; a model trained with it writes worse without."
        )
    return tuple(notes)
