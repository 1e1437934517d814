"""What the machine cannot do faster: peak arithmetic and memory reads, measured now, against what the workload needs.

    python bench/generation_bound.py MODEL LENGTHS.json DEVICE DTYPE THREADS

LENGTHS holds `[[prompt tokens, new tokens], ...]`. Multiplications and additions are counted apart. A prompt's tokens
pass every matrix but the head; of n new tokens each passes the head, and all but the last pass the rest (in an
encoder-decoder model all pass the decoder, and the source its encoder and the cross-attention's keys and values).
Attention costs 4 x width for each pair of positions and layer. Weights are read once for the prompts, and what decoding
uses of them once for every step of the longest row: with room for all rows at once there can be no fewer steps.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

CROSS_SOURCE = re.compile(r"(EncDecAttention\.[kv]|encoder_attn\.[kv]_proj)$")
MEASURE_SECONDS = 1.0
Lengths = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Where a model's matrix weights are used.

    Attributes:
        source: Weights that each source token of an encoder-decoder model passes.
        target: Weights that each token of a decoder passes, the head left out.
        head: Weights of the output matrix.
        width: Heads times their width.
        source_layers: Layers of the encoder.
        target_layers: Layers of the decoder.
    """

    source: int
    target: int
    head: int
    width: int
    source_layers: int
    target_layers: int


def flops_needed(sizes: Sizes, lengths: Lengths) -> float:
    """Floating-point operations of a workload."""
    total = 0
    for prompt, new in lengths:
        if sizes.source_layers:
            weights = sizes.source * prompt + sizes.target * new
            pairs = sizes.source_layers * prompt**2 + sizes.target_layers * (_triangle(new) + new * prompt)
        else:
            positions = prompt + new - 1
            weights = sizes.target * positions
            pairs = sizes.target_layers * _triangle(positions)
        total += 2 * (weights + sizes.head * new) + 4 * sizes.width * pairs
    return float(total)


def bytes_needed(sizes: Sizes, lengths: Lengths, bytes_each: int) -> float:
    """Bytes of weights that must be read at least: for the prompts once, then once a step of the longest row."""
    longest = max(new for _, new in lengths)
    steps = longest if sizes.source_layers else longest - 1
    first = sizes.source if sizes.source_layers else sizes.target + sizes.head
    return float(bytes_each * (first + steps * (sizes.target + sizes.head)))


def sizes_of(folder: str) -> Sizes:
    """Count a checkpoint's weights on the meta device: nothing is loaded."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM
    from transformers.pytorch_utils import Conv1D

    config = AutoConfig.from_pretrained(folder)
    with torch.device("meta"):
        auto = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
        model = auto.from_config(config)
    head = model.get_output_embeddings()
    counted = {"source": 0, "target": 0}
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear | Conv1D) and module is not head:
            is_source = config.is_encoder_decoder and (".encoder." in f".{name}." or CROSS_SOURCE.search(name))
            counted["source" if is_source else "target"] += module.weight.numel()
    return Sizes(**counted, head=head.weight.numel(), **_shape(config))


def _shape(config: Any) -> dict[str, int]:
    heads = config.num_attention_heads
    width = heads * (getattr(config, "d_kv", None) or config.hidden_size // heads)
    source = int(getattr(config, "encoder_layers", None) or config.num_layers) if config.is_encoder_decoder else 0
    names = ("num_decoder_layers", "decoder_layers", "num_hidden_layers")
    target = next(int(value) for name in names if (value := getattr(config, name, None)))
    return {"width": width, "source_layers": source, "target_layers": target}


def peak_flops(device: str, dtype: str) -> float:
    """Operations a second in a large matrix product, the best of several."""
    import torch

    side = 8192 if device == "cuda" else 2048
    left, right = (torch.rand(side, side, device=device, dtype=getattr(torch, dtype)) for _ in range(2))
    return 2 * side**3 / _fastest(lambda: left @ right, device)


def bandwidth(device: str) -> float:
    """Bytes a second in a large read, the best of several and of two ways to read."""
    import torch

    rows = (1 << 16) if device == "cuda" else (1 << 14)
    matrix = torch.rand(rows, 1 << 13, device=device)  # far larger than any cache
    vector = torch.rand(1 << 13, device=device)
    ways: tuple[Callable[[], Any], ...] = (matrix.sum, lambda: matrix @ vector)
    return matrix.numel() * 4 / min(_fastest(way, device) for way in ways)


def _fastest(work: Callable[[], Any], device: str) -> float:
    import torch

    def timed() -> float:
        begin = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - begin

    timed()
    end = time.perf_counter() + MEASURE_SECONDS
    best = timed()
    while time.perf_counter() < end:
        best = min(best, timed())
    return best


def _triangle(n: int) -> int:
    return n * (n + 1) // 2


def main() -> None:
    """Print the fields of a bound as JSON."""
    folder, lengths_file, device, dtype, threads = sys.argv[1:]
    import torch

    if device == "cpu":
        torch.set_num_threads(int(threads))
    lengths = [(int(prompt), int(new)) for prompt, new in json.loads(Path(lengths_file).read_text(encoding="utf-8"))]
    sizes = sizes_of(folder)
    bytes_each = getattr(torch, dtype).itemsize
    found = {
        "peak_flops": peak_flops(device, dtype),
        "bandwidth": bandwidth(device),
        "flops": flops_needed(sizes, lengths),
        "bytes_read": bytes_needed(sizes, lengths, bytes_each),
    }
    print(json.dumps({**found, "sizes": asdict(sizes)}))


if __name__ == "__main__":
    main()
