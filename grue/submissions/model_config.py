"""What a stranger's config.json may say: a known architecture, sizes that fit the weights, and nothing to run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from grue.submissions.architectures import ARCHITECTURES
from grue.submissions.bounded_json import walked
from grue.submissions.findings import Fault

# Keys by which the library loads code, kernels, other files or other models.
CODE = frozenset(
    {
        "auto_map", "trust_remote_code", "custom_generate", "custom_pipelines", "quantization_config",
        "compression_config", "use_kernels", "kernel_config", "kernels", "gguf_file", "transformers_weights",
        "configuration_files", "fusion_config", "use_pretrained_backbone", "peft_config", "adapter_config",
        "assistant_model", "per_layer_config",
    }
)  # fmt: skip
_PLAIN_ATTENTION = ("eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention", "grouped_mm")
# Of names that a config may give for the same size, the first that is there counts.
_VOCABULARY = ("vocab_size",)
_WIDTH = ("hidden_size", "n_embd", "d_model")
_LAYERS = ("num_hidden_layers", "n_layer", "num_layers", "encoder_layers", "decoder_layers", "num_decoder_layers")
_INNER = ("intermediate_size", "n_inner", "d_ff", "ffn_dim", "encoder_ffn_dim", "decoder_ffn_dim", "ffn_hidden_size")
_POSITIONS = ("max_position_embeddings", "n_positions", "n_ctx")
_COUNTS = ("num_attention_heads", "n_head", "num_heads", "num_key_value_heads", "encoder_attention_heads",
           "decoder_attention_heads", "num_experts", "num_local_experts", "n_routed_experts", "head_dim")  # fmt: skip
_LARGEST: Mapping[tuple[str, ...], int] = {
    _VOCABULARY: 10_000_000,
    _WIDTH: 1_000_000,
    _LAYERS: 2_000,
    _INNER: 10_000_000,
    _POSITIONS: 100_000_000,
    _COUNTS: 100_000,
}
_LARGEST_NUMBER = 1 << 48
# These keep a vector, or a whole square of flags, for each position.
_VECTOR_EACH = frozenset(
    {
        "gpt2", "gpt-sw3", "gpt_bigcode", "gpt_neo", "openai-gpt", "opt", "bart", "mbart", "mvp", "plbart", "pegasus",
        "blenderbot", "blenderbot-small", "biogpt", "bert", "roberta", "camembert", "xlm-roberta", "electra",
        "big_bird", "bigbird_pegasus", "led", "prophetnet",
    }
)  # fmt: skip
_SQUARE = frozenset({"gpt_neo", "codegen", "gptj"})
# How much larger than its weights a model may be laid out: some tie or share them.
_MOST_SHARED = 4
_SLACK_VALUES = 1 << 24
SAVE_WHOLE = "Save the model with save_pretrained, in one of the library's own classes and unquantized."
_BELONG = "Give config and weights of the same model."


def check_keys(document: Mapping[str, Any]) -> None:
    """Refuse a document that names code or other files, at any depth.

    Raises:
        Fault: names the first such key.
    """
    for key, value in walked(document):
        if key in CODE and value not in (None, False):
            raise Fault(f"{key!r} asks for code or files that are not read here.", SAVE_WHOLE)
        if key.endswith(("_implementation", "_implementation_internal")) and value is not None:
            named = value.values() if isinstance(value, dict) else (value,)
            if not all(one is None or one in _PLAIN_ATTENTION for one in named if not isinstance(one, dict | list)):
                raise Fault(f"{key!r} names {str(value)[:80]!r}, which may be code from elsewhere.", SAVE_WHOLE)
        if isinstance(value, int) and abs(value) > _LARGEST_NUMBER:
            raise Fault(f"{key!r} is a number that no model has.", _BELONG)


def check_config(config: Mapping[str, Any], n_values: int) -> None:
    """Check type, class and sizes of a model.

    Args:
        config: The object of ``config.json``.
        n_values: Numbers in all tensors of the checkpoint.

    Raises:
        Fault: where the library has no such text generator, or it would be far larger than its weights.
    """
    check_keys(config)
    kind = config.get("model_type")
    if not isinstance(kind, str) or kind not in ARCHITECTURES:
        raise Fault(f"The model type {str(kind)[:80]!r} is none that this board loads.", SAVE_WHOLE)
    named = config.get("architectures")
    if named is not None and not (
        isinstance(named, list) and named and isinstance(named[0], str) and named[0] in ARCHITECTURES[kind].split()
    ):
        shown = str(named[0] if isinstance(named, list) and named else named)[:80]
        raise Fault(f"The class {shown!r} is none that writes text with {kind!r}.", SAVE_WHOLE)
    for level in _levels(config):
        laid_out = _laid_out(level, kind)
        if laid_out > _MOST_SHARED * n_values + _SLACK_VALUES:
            raise Fault(f"The config describes at least {laid_out:,} numbers; the weights hold {n_values:,}.", _BELONG)


def check_generation_config(document: Mapping[str, Any]) -> None:
    """Check what is said of decoding, of which a board takes the task's own.

    Raises:
        Fault: where it names code, or sizes no decoding has.
    """
    check_keys(document)
    for key in ("num_beams", "num_return_sequences", "num_beam_groups", "max_length", "max_new_tokens"):
        value = document.get(key)
        if value is not None and (type(value) is not int or not 0 <= value <= 10_000_000):
            raise Fault(f"{key!r} should be a small whole number.", "Mend it, or leave it out.")


def _levels(config: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The config, and those of its parts."""
    yield config
    for _, value in walked(config):
        if isinstance(value, dict):
            yield value


def _laid_out(level: Mapping[str, Any], kind: str) -> int:
    """Numbers that a model of these sizes has at the least."""
    width, layers, positions = _size(level, _WIDTH), _size(level, _LAYERS), _size(level, _POSITIONS)
    _size(level, _COUNTS)
    numbers = width * _size(level, _VOCABULARY) + layers * width * (width + _size(level, _INNER))
    if kind in _VECTOR_EACH:
        numbers += positions * width
    if kind in _SQUARE:
        numbers += positions * positions
    return numbers


def _size(level: Mapping[str, Any], names: tuple[str, ...]) -> int:
    """The largest of the sizes that are there; 0 where there is none."""
    found = 0
    for name in names:
        value = level.get(name)
        if value is None or isinstance(value, list | dict):  # a list holds one for each layer
            continue
        if type(value) is not int or not 0 <= value <= _LARGEST[names]:
            raise Fault(f"{name!r} is {str(value)[:40]}, which no model has.", _BELONG)
        found = max(found, value)
    return found
