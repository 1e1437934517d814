"""Which device and number type compute, and with how many threads."""

from __future__ import annotations

import os

from grue.core.errors import UsageError
from grue.core.text import nearest

DTYPES = {
    "float32": "float32", "fp32": "float32", "bfloat16": "bfloat16", "bf16": "bfloat16", "float16": "float16",
    "fp16": "float16",
}  # fmt: skip


def choose_device(wanted: str) -> str:
    """A device's name: ``auto`` takes the first GPU, then Apple's, then the CPU.

    Raises:
        UsageError: for an unknown device, or one that is not there.
    """
    import torch

    if wanted == "auto":
        if torch.cuda.is_available():
            return "cuda:0"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    kind, _, number = wanted.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (number and not (kind == "cuda" and number.isdigit())):
        known = ("auto", "cpu", "cuda", "cuda:0", "mps")
        raise UsageError(
            f"--device: unknown device {wanted!r}.{nearest(wanted, known)}", "One of: auto, cpu, cuda, cuda:N, mps."
        )
    if kind == "cuda" and not torch.cuda.is_available():
        raise UsageError(f"--device {wanted}: no CUDA device is there.", "Give --device cpu, or leave it out.")
    if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
        raise UsageError(
            f"--device {wanted}: there are {torch.cuda.device_count()} CUDA devices.", "Numbers begin at cuda:0."
        )
    if kind == "mps" and not torch.backends.mps.is_available():
        raise UsageError("--device mps: no such device is there.", "Give --device cpu, or leave it out.")
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
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def settle_threads() -> int:
    """Set torch's threads to the cores that are not busy; ``OMP_NUM_THREADS`` wins. Returns their number.

    A thread that waits for a core which another process holds keeps all others waiting at every barrier: with as
    many threads as cores, one busy process makes decoding ten times slower.
    """
    import torch

    if os.environ.get("OMP_NUM_THREADS", "").strip().isdigit():
        return int(torch.get_num_threads())
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    threads = max(1, min(torch.get_num_threads(), available_cores() - round(busy)))
    torch.set_num_threads(threads)
    return int(threads)


def free_bytes(device: str) -> int:
    """Memory that is free on a device now."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    import psutil

    return int(psutil.virtual_memory().available)
