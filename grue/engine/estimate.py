"""What a run will take: memory a token, batch from free memory, tokens a second from a short trial."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from grue.checkpoints.device import free_bytes
from grue.engine.batching import Budget, Item, batches
from grue.engine.checkpoint import Checkpoint
from grue.engine.protocol import Engine, Job, Request

CPU_ROWS = 32
CPU_TOKENS = 32_768
GPU_ROWS = 256
FREE_FRACTION = 0.5  # of free memory for the cache; the rest is for activations and logits
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


def default_budget(checkpoint: Checkpoint, device: str, dtype: str, job: Job) -> Budget:
    """Bounds of a batch: the user's, else fixed ones on a CPU and from free memory on a GPU."""
    if device.startswith("cuda"):
        each = max(1, kv_bytes_per_token(checkpoint.config, dtype, is_encoder_decoder=checkpoint.is_encoder_decoder))
        tokens = max(1, int(free_bytes(device) * FREE_FRACTION) // each)
        rows = GPU_ROWS
    else:
        tokens, rows = CPU_TOKENS, CPU_ROWS
    return Budget(rows=job.batch_rows or rows, tokens=job.batch_tokens or (10**15 if job.batch_rows else tokens))


def weights_bytes(checkpoint: Checkpoint, dtype: str) -> int:
    """Bytes of the weights in memory."""
    if checkpoint.parameters is None:
        return checkpoint.weights.n_bytes
    return checkpoint.parameters * DTYPE_BYTES[dtype]


def memory_bytes(checkpoint: Checkpoint, device: str, dtype: str, items: Sequence[Item], job: Job) -> int:
    """Bytes of weights and of the largest batch's cache and logits; activations come on top."""
    groups = batches(
        items,
        default_budget(checkpoint, device, dtype, job),
        new_tokens=job.decoding.max_new_tokens,
        beams=job.decoding.num_beams,
    )
    each = kv_bytes_per_token(checkpoint.config, dtype, is_encoder_decoder=checkpoint.is_encoder_decoder)
    largest = max(
        (len(group) * job.decoding.num_beams * (group[0].n_tokens + job.decoding.max_new_tokens) for group in groups),
        default=0,
    )
    rows = max((len(group) for group in groups), default=0) * job.decoding.num_beams
    return weights_bytes(checkpoint, dtype) + largest * each + rows * checkpoint.vocabulary * 8


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
