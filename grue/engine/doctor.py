"""What this machine and a checkpoint can do, found out before hours are spent."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from grue.checkpoints.device import available_cores, bfloat16_units, free_bytes
from grue.core.text import Json
from grue.engine.batching import Item
from grue.engine.decode import first_logits
from grue.engine.energy import open_meter
from grue.engine.estimate import measured_tokens_per_second, memory_bytes, weights_bytes
from grue.engine.hf import HFEngine
from grue.engine.peak import measure, peak_of
from grue.engine.protocol import Job
from grue.engine.slots.trust import TOLERANCES

PAIR_ROWS = 8
GIGABYTE = 1e9
_PROBES = tuple("one two three four five six seven eight"[: 4 + 5 * length] for length in range(PAIR_ROWS))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; ``fix`` is empty where nothing is wrong."""

    check: str
    status: Literal["ok", "warn", "fail"]
    message: str
    fix: str = ""

    def to_json(self) -> dict[str, Json]:
        """The object of ``grue doctor --json``."""
        return asdict(self)


def machine() -> list[Finding]:
    """Python, torch, devices, memory and threads."""
    import torch

    found = [Finding("python", "ok", f"Python {platform.python_version()} on {platform.platform()}")]
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
        found.append(
            Finding("device", "ok", f"torch {torch.__version__}; {len(names)} CUDA devices: {', '.join(names)}")
        )
    elif torch.backends.mps.is_available():
        found.append(Finding("device", "ok", f"torch {torch.__version__}; device mps"))
    else:
        found.append(Finding("device", "ok", f"torch {torch.__version__}; no GPU, the CPU computes"))
    free = free_bytes("cpu")
    found.append(
        Finding("memory", "ok", f"{free / GIGABYTE:.1f} GB free")
        if free > 2 * GIGABYTE
        else Finding(
            "memory", "warn", f"only {free / GIGABYTE:.1f} GB free", "End other programs, or give a smaller -b."
        )
    )
    cores = available_cores()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    message = f"{cores} cores, load {load:.1f}; OMP_NUM_THREADS is {os.environ.get('OMP_NUM_THREADS') or 'not set'}"
    busy = load > cores
    fix = "Expect it to be slow until other programs end." if busy else ""
    found.append(Finding("threads", "warn" if busy else "ok", message, fix))
    if not torch.cuda.is_available() and not torch.backends.mps.is_available():
        found.append(_bfloat16())
    found.append(_energy([f"cuda:{number}" for number in range(torch.cuda.device_count())] or ["cpu"]))
    return found


def _energy(devices: Sequence[str]) -> Finding:
    """Which devices tell what they take."""
    meter = open_meter(devices)
    if meter is not None:
        meter.close()
        return Finding("energy", "ok", f"measured while rows are generated: {', '.join(meter.of)}")
    if devices == ["cpu"]:
        return Finding("energy", "ok", "not measured: the kernel shows no RAPL counters to this user")
    return Finding(
        "energy", "warn", "not measured: NVML does not answer for all GPUs", "Install it: pip install 'grue[gpu]'."
    )


def peak(engine: HFEngine, home: Path | None) -> Finding:
    """What the device does at most, measured now; runs set their operations against the best that was ever measured."""
    environment = engine.environment()
    threads = environment.get("threads")
    own = threads if engine.device == "cpu" and isinstance(threads, int) else None
    found = peak_of(engine.device, str(engine.info.dtype), home, threads=own, again=True)
    if found is None:
        return Finding(
            "peak", "ok", f"{engine.device} does no products in {engine.info.dtype}: runs tell no share of it"
        )
    message = (
        f"{found.flops / 1e9:,.0f} GFLOP/s in {engine.info.dtype}, {found.bytes_per_second / 1e9:,.1f} GB/s copied"
    )
    return Finding("peak", "ok", message)


def _bfloat16() -> Finding:
    """Whether the CPU has units for bfloat16, and what a product gains."""
    units = bfloat16_units()
    if not units:
        return Finding("bfloat16", "ok", "the CPU has no unit for it: float32, the default on a CPU, is faster")
    try:
        gain = measure("cpu", "bfloat16").flops / measure("cpu", "float32").flops
    except RuntimeError as error:
        return Finding("bfloat16", "ok", f"the CPU has {', '.join(units)}, and torch does not use it: {error}")
    use = "--dtype bfloat16 uses it, with other texts here and there than float32" if gain > 1 else "float32 is faster"
    message = f"the CPU has {', '.join(units)}: large products run {gain:.1f} times as fast as in float32; {use}"
    return Finding("bfloat16", "ok", message)


def checkpoint(engine: HFEngine) -> list[Finding]:
    """What is known of a checkpoint before its weights are loaded."""
    info, known = engine.info, engine.checkpoint
    size = f"{info.parameters:,} parameters" if info.parameters is not None else "parameters not counted"
    kind = "encoder-decoder" if known.is_encoder_decoder else "decoder-only"
    found = [Finding("checkpoint", "ok", f"{info.architecture}, {kind}, {size}, {info.dtype} on {engine.device}")]
    tokenizer = engine.reader.tokenizer
    marks = ", ".join(f"{name} {getattr(tokenizer, f'{name}_token')!r}" for name in ("pad", "bos", "eos"))
    ends = ", ".join(str(end) for end in engine.tokens.ends) or "none"
    found.append(Finding("special tokens", "ok", f"{marks}; ends of text: {ends}; padding: {engine.tokens.pad}"))
    found += [
        Finding("tokenizer", "warn", note, "Check that the tokenizer is the model's own.") for note in engine.notes
    ]
    if not engine.tokens.ends:
        found.append(
            Finding(
                "end token",
                "warn",
                "no end token: every text runs to max_new_tokens",
                "Set eos_token_id in config.json.",
            )
        )
    context = known.input_positions
    found.append(Finding("context", "ok", f"{context} tokens" if context else "no bound on the prompt"))
    used = "used" if engine.reader.uses_template else "not used"
    found.append(Finding("chat template", "ok", used if engine.reader.template_sha256 else "none"))
    need, free = weights_bytes(known, str(info.dtype)), sum(map(free_bytes, engine.layers))
    message = f"weights take {need / GIGABYTE:.2f} GB, {free / GIGABYTE:.2f} GB are free on {', '.join(engine.layers)}"
    found.append(
        Finding("weights", "ok", message)
        if need < free
        else Finding("weights", "fail", message, "Give --dtype bfloat16 or another --device.")
    )
    return found


def batch_invariance(engine: HFEngine) -> Finding:
    """Compare logits of eight prompts alone and in one batch; loads the weights."""
    engine.load()
    known = engine.checkpoint
    limit = known.input_positions or 512
    prompts = [engine.reader.tokenizer(text)["input_ids"][:limit] or [engine.tokens.pad] for text in _PROBES]

    def logits(group: Sequence[Sequence[int]]) -> Any:
        return first_logits(engine.model, group, tokens=engine.tokens, is_encoder_decoder=known.is_encoder_decoder)

    together = logits(prompts)
    worst, same = 0.0, 0
    for place, prompt in enumerate(prompts):
        alone = logits([prompt])[0]
        row = together[place]
        if not bool(alone.isfinite().all()):
            return Finding("batches", "fail", "the model writes logits that are no numbers", "Give --dtype float32.")
        spread = float(alone.max() - alone.min()) or 1.0
        worst = max(worst, float((alone - row).abs().max()) / spread)
        same += int(alone.argmax() == row.argmax())
    message = f"logits alone and in a batch of {PAIR_ROWS} differ by at most {worst:.1e} of their spread; "
    message += f"{same} of {PAIR_ROWS} first tokens are equal"
    if worst <= TOLERANCES[str(engine.info.dtype)]:
        return Finding("batches", "ok", message)
    return Finding("batches", "fail", message, "Give -b 1, so that no prompt shares a batch, or --dtype float32.")


def job(engine: HFEngine, task: str, wanted: Job) -> list[Finding]:
    """Prompts that will be cut, memory and expected time of a task's rows.

    Raises:
        CheckpointError: where no prompt fits.
    """
    items: list[Item] = engine.encode(wanted.rows, wanted)
    cut = sum(item.prompt.is_cut for item in items)
    limit, asked = engine.prompt_limit(wanted), wanted.truncation.max_tokens
    shrunk = f" (the task allows {asked}, the model's context fewer)" if limit < asked else ""
    message = f"{cut} of {len(items)} prompts will be cut to {limit} tokens on the {wanted.truncation.side}{shrunk}"
    fix = "A model with a longer context sees whole prompts." if shrunk else ""
    found = [Finding(f"{task}: prompts", "warn" if shrunk and cut else "ok", message, fix if cut else "")]
    need = memory_bytes(engine.checkpoint, engine.layers, str(engine.info.dtype), items, wanted)
    free = sum(map(free_bytes, engine.layers))
    message = f"about {need / GIGABYTE:.2f} GB of {free / GIGABYTE:.1f} GB free"
    found.append(
        Finding(f"{task}: memory", "ok", message)
        if need < free
        else Finding(f"{task}: memory", "warn", message, "Give a smaller -b; batches that do not fit are halved.")
    )
    speed = measured_tokens_per_second(engine, wanted)
    if speed:
        seconds = len(items) * wanted.decoding.max_new_tokens / speed
        message = (
            f"about {seconds:.0f} s for {len(items)} rows at most ({speed:.0f} new tokens a second in a short trial)"
        )
        found.append(Finding(f"{task}: time", "ok", message))
    return found


def worst(findings: Sequence[Finding]) -> Mapping[str, int]:
    """How many findings have each status."""
    return {status: sum(finding.status == status for finding in findings) for status in ("ok", "warn", "fail")}
