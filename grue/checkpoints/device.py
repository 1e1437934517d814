"""Which device and number type compute."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from grue.checkpoints.spread import SPREAD
from grue.core.errors import UsageError
from grue.core.text import nearest

DTYPES = {
    "float32": "float32", "fp32": "float32", "bfloat16": "bfloat16", "bf16": "bfloat16", "float16": "float16",
    "fp16": "float16",
}  # fmt: skip


def choose_device(wanted: str, devices: Sequence[str] = ()) -> str:
    """A device's name: ``auto`` takes the first GPU, then Apple's, then the CPU; ``spread`` begins on the first GPU.

    Args:
        wanted: What is asked for.
        devices: All that ``--devices`` names, for messages; empty where ``--device`` was given.

    Raises:
        UsageError: for an unknown device, or one that is not there.
    """
    import torch

    if wanted == "auto":
        if torch.cuda.is_available():
            return "cuda:0"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    if wanted == SPREAD:
        if not torch.cuda.is_available():
            raise UsageError(
                f"--device {SPREAD}: no CUDA device is there to spread the layers over.",
                "Give --device cpu, or leave it out.",
            )
        return "cuda:0"
    asked, cpu, first = f"--device {wanted}", "--device cpu", "cuda:0"
    if devices:
        numbers = ",".join(device.removeprefix("cuda:") for device in devices)
        asked, cpu, first = f"--devices {numbers}", f"--devices {','.join('cpu' for _ in devices)}", "0"
    kind, _, number = wanted.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (number and not (kind == "cuda" and number.isdigit())):
        known = ("auto", "cpu", "cuda", "cuda:0", "mps", SPREAD)
        raise UsageError(
            f"{asked.split()[0]}: unknown device {wanted!r}.{nearest(wanted, known)}",
            f"One of: auto, cpu, cuda, cuda:N, mps, {SPREAD}.",
        )
    if kind == "cuda" and not torch.cuda.is_available():
        raise UsageError(f"{asked}: no CUDA device is there.", f"Give {cpu}, or leave it out.")
    if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
        raise UsageError(f"{asked}: there are {torch.cuda.device_count()} CUDA devices.", f"Numbers begin at {first}.")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise UsageError(f"{asked}: no mps device is there.", f"Give {cpu}, or leave it out.")
    return f"cuda:{number or 0}" if kind == "cuda" else kind


def choose_dtype(wanted: str, device: str) -> str:
    """A number type's name: ``auto`` is bfloat16 on a GPU that computes it, float32 elsewhere.

    Raises:
        UsageError: for an unknown name.
    """
    import torch

    if wanted == "auto":
        return "bfloat16" if device.startswith("cuda") and torch.cuda.is_bf16_supported() else "float32"
    if wanted not in DTYPES:
        raise UsageError(
            f"--dtype: unknown type {wanted!r}.{nearest(wanted, DTYPES)}", "One of: auto, float32, bfloat16, float16."
        )
    return DTYPES[wanted]


def available_cores() -> int:
    """Cores that this process may use: its affinity, and its control group's share of time."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cpu_quota()
    return cores if quota is None else max(1, min(cores, int(quota)))


def cpu_quota(proc: Path = Path("/proc/self/cgroup"), mount: Path = Path("/sys/fs/cgroup")) -> float | None:
    """Cores' worth of time that control groups allow, the least of all levels; ``None`` without a bound.

    Args:
        proc: Names the groups of this process, a line each.
        mount: Where the groups' files lie, of version 2 (``cpu.max``) or 1 (``cpu/cpu.cfs_quota_us``).
    """
    try:
        lines = proc.read_text().splitlines()
    except OSError:
        return None
    found = []
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        place = Path(group.strip() or "/")
        # In a container the group's own name may lie above what is mounted: its root is looked at too.
        for level in (place, *place.parents):
            folder = mount / (controllers and "cpu") / str(level).lstrip("/")
            quota = _quota(folder)
            if quota is not None:
                found.append(quota)
    return min(found, default=None)


def _quota(folder: Path) -> float | None:
    try:
        if (folder / "cpu.max").is_file():
            quota, period = (folder / "cpu.max").read_text().split()[:2]
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text()
            period = (folder / "cpu.cfs_period_us").read_text()
        share = int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None
    return share if share > 0 else None


def bfloat16_units(cpuinfo: Path = Path("/proc/cpuinfo")) -> tuple[str, ...]:
    """Units of this CPU that multiply bfloat16, by the system's names; without one it is slower than float32."""
    try:
        text = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    for line in text.splitlines():
        name, _, flags = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return tuple(unit for unit in ("amx_bf16", "avx512_bf16", "bf16") if unit in flags.split())
    return ()


def free_bytes(device: str) -> int:
    """Memory that is free on a device now."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    import psutil

    return int(psutil.virtual_memory().available)
