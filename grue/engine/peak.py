"""What a device can do at most: a short measurement of products and copies, kept for the next run."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

STORE_NAME = "peaks.json"
# Sizes that keep all units busy, and the seconds that each measurement may take.
CPU_SIZE, CPU_SECONDS = 768, 0.05
GPU_SIZE, GPU_SECONDS = 8192, 0.25
# Far more than caches hold.
CPU_BYTES, GPU_BYTES = 64 * 2**20, 2**30
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Peak:
    """The best that was measured on a device.

    Attributes:
        flops: Operations a second of a product of large square matrices.
        bytes_per_second: Read and written while a large buffer is copied.
        measured_on: The day, in UTC.
    """

    flops: float
    bytes_per_second: float
    measured_on: str


def device_key(device: str, dtype: str, threads: int | None = None) -> str:
    """What a measurement holds for: the device by name, the number type, and on a CPU the threads."""
    if device.startswith("cuda"):
        import torch

        return f"{torch.cuda.get_device_name(device)}, {dtype}"
    if device != "cpu":
        return f"{device}, {dtype}"
    return f"{_cpu_name()}, {dtype}, {_threads(threads)} threads"


def peak_of(
    device: str, dtype: str, home: Path | None, *, threads: int | None = None, again: bool = False
) -> Peak | None:
    """The peak of a device, measured where it is not known; at most half a second on a CPU.

    Args:
        device: As ``--device`` writes it.
        dtype: Number type by torch's name.
        home: Folder that keeps measurements; ``None`` keeps none.
        threads: Threads of the CPU; ``None`` for torch's own number.
        again: Measure although it is known. The best of both is kept: other programs only ever make a device slower.

    Returns:
        ``None`` where the device does not do such products, or is gone.
    """
    try:
        key = device_key(device, dtype, threads)
        store = home / STORE_NAME if home else None
        kept = read_peaks(store) if store else {}
        if key in kept and not again:
            return kept[key]
        found = measure(device, dtype, threads)
        fewer = [device_key(device, dtype, n) for n in range(1, _threads(threads))] if device == "cpu" else []
    except (RuntimeError, AssertionError, AttributeError, MemoryError):
        return None
    # What fewer threads did, more can do: only other programs were in the way.
    before = [kept[name] for name in (key, *fewer) if name in kept]
    found = Peak(
        max(one.flops for one in (found, *before)),
        max(one.bytes_per_second for one in (found, *before)),
        found.measured_on,
    )
    if store:
        _write(store, {**read_peaks(store), key: found})
    return found


def measure(device: str, dtype: str, threads: int | None = None) -> Peak:
    """Measure now.

    Raises:
        RuntimeError: by torch, where the device cannot do it.
    """
    import torch

    on_gpu = not device.startswith("cpu")
    size, n_bytes, seconds = (GPU_SIZE, GPU_BYTES, GPU_SECONDS) if on_gpu else (CPU_SIZE, CPU_BYTES, CPU_SECONDS)
    before = torch.get_num_threads()
    # Where others take a core, one thread alone may do more than several that wait for each other.
    tries = (before,) if on_gpu else tuple(dict.fromkeys((_threads(threads), 1)))
    product_seconds = copy_seconds = float("inf")
    try:
        with torch.inference_mode():
            left = torch.rand(size, size, device=device).to(getattr(torch, dtype))
            product = torch.empty_like(left)
            one = torch.ones(n_bytes // 4, device=device)
            other = torch.ones_like(one)
            for n_threads in tries:
                torch.set_num_threads(n_threads)
                found = _best(lambda: torch.mm(left, left, out=product), _waits(device), seconds)
                product_seconds = min(product_seconds, found)
                copy_seconds = min(copy_seconds, _best(lambda: other.copy_(one), _waits(device), seconds))
    finally:
        torch.set_num_threads(before)
    return Peak(2 * size**3 / product_seconds, 2 * n_bytes / copy_seconds, datetime.now(UTC).date().isoformat())


def read_peaks(store: Path) -> dict[str, Peak]:
    """What was measured before; a damaged file holds nothing."""
    try:
        found = json.loads(store.read_text(encoding="utf-8"))["peaks"]
        return {
            str(key): Peak(float(one["flops"]), float(one["bytes_per_second"]), str(one["measured_on"]))
            for key, one in found.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _best(step: Callable[[], Any], wait: Callable[[], None], seconds: float) -> float:
    """The shortest time of a step; the first warms up and counts only where there is time for no other."""
    best, rounds, end = float("inf"), 0, time.perf_counter() + seconds
    while rounds < ROUNDS or time.perf_counter() < end:
        begin = time.perf_counter()
        step()
        wait()
        best = min(best, time.perf_counter() - begin)
        rounds += 1
        if time.perf_counter() > end + seconds:
            break
    return best


def _waits(device: str) -> Callable[[], None]:
    """Returns when the device is done."""
    import torch

    if device.startswith("cuda"):
        return lambda: torch.cuda.synchronize(device)
    return torch.mps.synchronize if device == "mps" else lambda: None


def _threads(threads: int | None) -> int:
    import torch

    return threads if threads is not None else int(torch.get_num_threads())


def _cpu_name() -> str:
    """The processor's own name; where the system does not tell, its architecture."""
    import platform

    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _write(store: Path, peaks: Mapping[str, Peak]) -> None:
    """Replace the file as a whole; a store that cannot be written costs time alone."""
    temporary = store.with_name(f".{store.name}.{os.getpid()}")
    document = {"schema_version": 1, "peaks": {key: asdict(peak) for key, peak in peaks.items()}}
    with contextlib.suppress(OSError):
        store.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(document, indent=1), encoding="utf-8")
        temporary.replace(store)
