"""What a run will take: memory a token, batch from free memory, tokens a second from a short trial."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grue.checkpoints.device import free_bytes
from grue.engine.batching import Item, longest_first
from grue.engine.checkpoint import Checkpoint
from grue.engine.protocol import Engine, Job, Request

CPU_ROWS = 192
GPU_ROWS = 256
FEWEST_PROMPTS = 8  # whatever their beams
STATIC_ROWS = 32  # a batch that is decoded to its end; padding grows with it
CPU_PREFILL_TOKENS = 512  # what a core's cache holds
GPU_PREFILL_TOKENS = 8192
FREE_FRACTION = 0.5  # of free memory for keys and values; buffers grow by copying, and activations come on top
UNBOUNDED = 10**15
DTYPE_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


def kv_bytes_per_token(config: Any, dtype: str, *, is_encoder_decoder: bool) -> int:
    """Bytes that the cache of one token takes in all layers of the decoder; an upper bound for odd architectures."""
    text = config if is_encoder_decoder else config.get_text_config(decoder=True)
    layers = _first(
        text, "decoder_layers" if is_encoder_decoder else "num_hidden_layers", "num_decoder_layers", "num_hidden_layers"
    )
    heads = _first(
        text,
        "decoder_attention_heads" if is_encoder_decoder else "num_attention_heads",
        "num_heads",
        "num_attention_heads",
    )
    width = _first(text, "hidden_size", "d_model")
    head_width = _first(text, "d_kv", "head_dim") or math.ceil(width / max(heads, 1))
    return 2 * layers * (_first(text, "num_key_value_heads") or heads) * head_width * DTYPE_BYTES[dtype]


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What is held at once at most.

    Attributes:
        rows: Prompts in slots.
        static_rows: Prompts of a batch that is decoded to its end.
        tokens: Tokens whose keys and values are held, new ones counted.
        prefill_tokens: Tokens of prompts that are read together.
    """

    rows: int
    static_rows: int
    tokens: int
    prefill_tokens: int


def room(checkpoint: Checkpoint, layers: Mapping[str, int], dtype: str, job: Job) -> Room:
    """Bounds by what the user asks for, else by what is free now.

    Args:
        checkpoint: The model's.
        layers: Layers by the device they lie on, whose memory takes their keys and values; one device may say any
            number.
        dtype: Number type of keys, values and activations.
        job: What is generated.
    """
    on_gpu = any(device.startswith("cuda") for device in layers)
    each = max(1, kv_bytes_per_token(checkpoint.config, dtype, is_encoder_decoder=checkpoint.is_encoder_decoder))
    beams = job.decoding.num_beams
    rows = job.batch_rows or max(FEWEST_PROMPTS, (GPU_ROWS if on_gpu else CPU_ROWS) // beams)
    prefill = GPU_PREFILL_TOKENS if on_gpu else CPU_PREFILL_TOKENS
    # A row's logits are there as the model writes them and as float32, and once more while they are worked on.
    working = rows * beams * checkpoint.vocabulary * 12 + prefill * _activation_bytes(checkpoint, dtype)
    free = min(
        max(0, int(free_bytes(device) * FREE_FRACTION) - working) * sum(layers.values()) // n
        for device, n in layers.items()
    )
    tokens = job.batch_tokens or (UNBOUNDED if job.batch_rows or job.deterministic else max(1, free // each))
    return Room(rows=rows, static_rows=job.batch_rows or STATIC_ROWS, tokens=tokens, prefill_tokens=prefill)


def _activation_bytes(checkpoint: Checkpoint, dtype: str) -> int:
    """Bytes a token takes while a layer reads it: the inner width of its MLP and a few times its own."""
    config = checkpoint.config
    width = _first(config, "hidden_size", "d_model")
    inner = _first(config, "intermediate_size", "n_inner", "d_ff", "ffn_dim", "encoder_ffn_dim") or 4 * width
    return (3 * inner + 8 * width) * DTYPE_BYTES[dtype]


def weights_bytes(checkpoint: Checkpoint, dtype: str) -> int:
    """Bytes of the weights in memory."""
    if checkpoint.parameters is None:
        return checkpoint.weights.n_bytes
    return checkpoint.parameters * DTYPE_BYTES[dtype]


def memory_bytes(checkpoint: Checkpoint, layers: Mapping[str, int], dtype: str, items: Sequence[Item], job: Job) -> int:
    """Bytes of weights, and of keys, values, logits and activations where most rows are held, on all devices together.

    Args:
        checkpoint: The model's.
        layers: Layers by the device they lie on.
        dtype: Number type.
        items: Prompts of the job.
        job: What is generated.
    """
    bounds = room(checkpoint, layers, dtype, job)
    each = kv_bytes_per_token(checkpoint.config, dtype, is_encoder_decoder=checkpoint.is_encoder_decoder)
    beams, new = job.decoding.num_beams, job.decoding.max_new_tokens
    held = rows = 0
    for item in longest_first(items)[: bounds.rows]:
        if rows and held + beams * (item.n_tokens + new) > bounds.tokens:
            break
        held += beams * (item.n_tokens + new)
        rows += beams
    working = rows * checkpoint.vocabulary * 12 + bounds.prefill_tokens * _activation_bytes(checkpoint, dtype)
    return weights_bytes(checkpoint, dtype) + held * each + working


def measured_tokens_per_second(engine: Engine, job: Job, *, n_rows: int = 8) -> float | None:
    """New tokens a second over a few rows of a job, spread over their order; ``None`` without rows.

    Loads the model if it is not. Rows that end early count with what they wrote.
    """
    if not job.rows:
        return None
    engine.load()
    stride = max(1, len(job.rows) // n_rows)
    requests = [Request(row, 0) for row in job.rows[::stride][:n_rows]]
    started = time.perf_counter()
    tokens = sum(
        generation.generated_tokens or 0
        for portion in engine.generate(requests, job)
        for generation in portion.generations
    )
    return tokens / max(time.perf_counter() - started, 1e-9)


def _first(config: Any, *names: str) -> int:
    for name in names:
        value = getattr(config, name, None)
        if isinstance(value, int) and value > 0:
            return value
    return 0
