"""Energy that devices took: a GPU's counter or power by NVML, a CPU's RAPL counters; nothing where neither tells.

A counter measures its whole device: other programs that share it are in the number.
"""

from __future__ import annotations

import importlib
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

POWERCAP = Path("/sys/class/powercap")
# Long before a counter of some 60 Wh could run over twice; often enough to integrate power.
COUNTER_SECONDS = 30.0
POWER_SECONDS = 0.2


class Source(Protocol):
    """One thing that tells what it took.

    Attributes:
        name: What is measured, for people.
        period: Seconds after which it has to be read again.
    """

    name: str
    period: float

    def lap(self) -> float:
        """Joules since the lap before, or since it was made; ``OSError`` where it cannot be read any more."""
        ...


class Rapl:
    """One domain of the powercap interface: a counter of microjoules that begins anew at its range.

    Args:
        folder: The domain's folder.
        name: What is measured, for people.
    """

    period = COUNTER_SECONDS

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._counter = folder / "energy_uj"
        self._range = _number(folder / "max_energy_range_uj")
        self._before = _number(self._counter)

    def lap(self) -> float:
        """Joules since the lap before; a counter that went back has run over once."""
        now = _number(self._counter)
        used = now - self._before
        if used < 0:
            used += self._range
        self._before = now
        return used / 1e6


class NvmlCounter:
    """A GPU's own count of millijoules since its driver was loaded.

    Args:
        nvml: The module ``pynvml``.
        handle: Its handle of the device.
    """

    period = COUNTER_SECONDS

    def __init__(self, nvml: Any, handle: Any) -> None:
        self._nvml, self._handle = nvml, handle
        self.name = _gpu_name(nvml, handle)
        self._before = self._read()

    def lap(self) -> float:
        """Joules since the lap before."""
        before, self._before = self._before, self._read()
        return (self._before - before) / 1000

    def _read(self) -> int:
        return int(_ask(self._nvml, self._nvml.nvmlDeviceGetTotalEnergyConsumption, self._handle))


class NvmlPower:
    """A GPU without such a count: its power, read again and again, times the time between.

    Args:
        nvml: The module ``pynvml``.
        handle: Its handle of the device.
        clock: Seconds.
    """

    period = POWER_SECONDS

    def __init__(self, nvml: Any, handle: Any, clock: Callable[[], float] = time.perf_counter) -> None:
        self._nvml, self._handle, self._clock = nvml, handle, clock
        self.name = _gpu_name(nvml, handle)
        self._time, self._watts = clock(), self._read()

    def lap(self) -> float:
        """Joules since the lap before, the power between two readings taken as their mean."""
        now, watts = self._clock(), self._read()
        joules = (now - self._time) * (watts + self._watts) / 2
        self._time, self._watts = now, watts
        return joules

    def _read(self) -> float:
        return float(_ask(self._nvml, self._nvml.nvmlDeviceGetPowerUsage, self._handle)) / 1000


class EnergyMeter:
    """Sums what all sources took; a thread reads them, so that no counter runs over unseen.

    Args:
        sources: At least one; all begin now.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = tuple(sources)
        self.of = tuple(source.name for source in self._sources)
        self._joules = 0.0
        self._is_broken = False
        self._lock = threading.Lock()
        self._closed = threading.Event()
        period = min(source.period for source in self._sources)
        self._thread = threading.Thread(target=self._watch, args=(period,), name="grue-energy", daemon=True)
        self._thread.start()

    def lap(self) -> float | None:
        """Joules since the lap before; ``None`` for good once a source could not be read."""
        with self._lock:
            self._read()
            joules, self._joules = self._joules, 0.0
            return None if self._is_broken else joules

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        self._thread.join()

    def _watch(self, period: float) -> None:
        while not self._closed.wait(period):
            with self._lock:
                self._read()

    def _read(self) -> None:
        if self._is_broken:
            return
        try:
            self._joules += sum(source.lap() for source in self._sources)
        except (OSError, ValueError):
            self._is_broken = True


def open_meter(devices: Sequence[str], *, powercap: Path = POWERCAP) -> EnergyMeter | None:
    """A meter of the devices that a model runs on and of this machine's CPUs, as far as they tell.

    Args:
        devices: As ``--device`` writes them; each once. A GPU that cannot be measured leaves no meter: what the CPUs
            took beside it is not what the run took.
        powercap: Folder of the kernel's interface to RAPL.

    Returns:
        ``None`` where nothing can be measured.
    """
    sources: list[Source] = []
    for device in dict.fromkeys(devices):
        if device == "cpu":
            continue
        gpu = _gpu(device)
        if gpu is None:
            return None
        sources.append(gpu)
    sources += rapl_sources(powercap)
    return EnergyMeter(sources) if sources else None


def rapl_sources(powercap: Path) -> list[Rapl]:
    """Packages of the CPUs and their memory, each counted once; empty where they cannot be read.

    ``core`` and ``uncore`` lie inside a package, and ``psys`` holds packages besides: both would count twice.
    """
    found: list[Rapl] = []
    for folder in sorted(powercap.glob("intel-rapl:*")):
        try:
            name = (folder / "name").read_text(encoding="utf-8").strip()
            parent = folder.name.rpartition(":")[0]
            if name.startswith("package-"):
                found.append(Rapl(folder, f"cpu {name}"))
            elif name == "dram":
                package = (powercap / parent / "name").read_text(encoding="utf-8").strip()
                found.append(Rapl(folder, f"dram of {package}"))
        except (OSError, ValueError):
            continue  # most systems let only root read the counters
    # Memory without its package says nothing of the computing.
    return found if any(source.name.startswith("cpu ") for source in found) else []


def _number(path: Path) -> int:
    return int(path.read_text(encoding="ascii"))


def _gpu(device: str) -> Source | None:
    nvml = _nvml()
    kind, _, number = device.partition(":")
    if nvml is None or kind != "cuda":
        return None
    try:
        handle = _handle(nvml, int(number or 0))
        if handle is None:
            return None
        try:
            return NvmlCounter(nvml, handle)
        except OSError:
            return NvmlPower(nvml, handle)
    except (OSError, ValueError):
        return None


def _handle(nvml: Any, number: int) -> Any:
    """NVML counts all GPUs, a process those that ``CUDA_VISIBLE_DEVICES`` names; a part of one (MIG) has no count."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").strip()
    name = visible.split(",")[number].strip() if visible and number < len(visible.split(",")) else str(number)
    if name.isdigit():
        return _ask(nvml, nvml.nvmlDeviceGetHandleByIndex, int(name))
    return _ask(nvml, nvml.nvmlDeviceGetHandleByUUID, name) if name.startswith("GPU-") else None


def _gpu_name(nvml: Any, handle: Any) -> str:
    name = _ask(nvml, nvml.nvmlDeviceGetName, handle)
    return name.decode() if isinstance(name, bytes) else str(name)


def _nvml() -> ModuleType | None:
    """NVIDIA's library, ready; ``None`` where the package or a driver is missing."""
    try:
        nvml = importlib.import_module("pynvml")
        _ask(nvml, nvml.nvmlInit)
    except (ImportError, OSError):
        return None
    return nvml


def _ask(nvml: Any, call: Callable[..., Any], *arguments: Any) -> Any:
    """What a call gives; its own errors as ``OSError``."""
    try:
        return call(*arguments)
    except nvml.NVMLError as error:
        raise OSError(str(error)) from error
