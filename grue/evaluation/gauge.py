"""What is measured around a run's generation: time to the first row, energy, and what its devices can do at most."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from grue.core.rows import Generation
from grue.core.run import Cost, TaskManifest, TaskResult
from grue.core.text import Json
from grue.engine.energy import EnergyMeter, open_meter
from grue.engine.protocol import Engine
from grue.evaluation.costs import with_peak
from grue.runs.directory import RunDirectory

if TYPE_CHECKING:
    from grue.engine.flops import Flops

# Energy is noted so often: a kill leaves out as much.
NOTE_SECONDS = 10.0


class Gauge:
    """Measures one start of a run; what it notes are events, from which ``timed_of`` sums.

    Args:
        run: Takes the events.
        engine: Generates; nothing but time is measured where no model runs here.
        begun: When the call began, by ``time.perf_counter``.
        home: Folder that keeps what devices can do.
    """

    def __init__(self, run: RunDirectory, engine: Engine, *, begun: float, home: Path) -> None:
        self._run, self._engine, self._begun, self._home = run, engine, begun, home
        self._meter: EnergyMeter | None = None
        self._startup: float | None = None

    @cached_property
    def _environment(self) -> Mapping[str, Json]:
        # After loading: only then threads are known.
        return self._engine.environment()

    @property
    def _devices(self) -> list[str]:
        """Devices of this machine that the model runs on; empty where none does."""
        environment = self._environment
        if environment.get("cluster") or self._engine.info.endpoint is not None:
            return []
        several = environment.get("devices")
        named = several if isinstance(several, list) else [environment.get("device")]
        return [str(name) for name in named if name]

    @property
    def memory_of(self) -> str:
        """Whose memory ``peak_memory_bytes`` is: the device's, or where models share it with programs the process's."""
        on_device = any(device.startswith("cuda") for device in self._devices)
        return "device" if on_device and self._engine.peak_memory_bytes() is not None else "process"

    def open(self) -> None:
        """Begin to measure energy, right before the first generation."""
        if self._devices:
            self._meter = open_meter(self._devices)

    def task(self, name: str) -> TaskGauge:
        """Measures the generation of a task."""
        return TaskGauge(self, name)

    def flops(self, generations: Sequence[Generation], task: TaskManifest) -> int | None:
        """Operations that stored texts asked of the model; ``None`` where that cannot be counted."""
        if self._counts is None:
            return None
        from grue.engine.flops import flops_of_texts

        return flops_of_texts(self._counts, generations, task.generation)

    @cached_property
    def _counts(self) -> Flops | None:
        folder = self._engine.folder
        if folder is None or self._engine.info.endpoint is not None:
            return None
        from grue.checkpoints.reading import read_config, read_json
        from grue.core.errors import CheckpointError
        from grue.engine.flops import flops_of

        try:
            config = read_config(folder, read_json(folder, "config.json"))
        except CheckpointError:
            return None  # code inside the checkpoint lays it out
        return flops_of(config, is_encoder_decoder=bool(config.is_encoder_decoder))

    def close(self) -> None:
        """End measuring energy."""
        if self._meter is not None:
            self._meter.close()

    def with_peaks(self, results: Mapping[str, TaskResult]) -> dict[str, TaskResult]:
        """Results with the share of the devices' peak, which is measured now where it is not known yet."""
        wanted = [name for name, result in results.items() if _lacks_share(result.cost)]
        peak = self._peak(again=False) if wanted else None
        if peak and any((with_peak(results[name].cost, peak).flops_utilization or 0) > 1 for name in wanted):
            # The run itself did more: other programs took the device while it was measured.
            peak = self._peak(again=True) or peak
        if not peak:
            return dict(results)
        return {
            name: replace(result, cost=with_peak(result.cost, peak)) if name in wanted else result
            for name, result in results.items()
        }

    def _peak(self, *, again: bool) -> float | None:
        from grue.engine.peak import peak_of

        dtype, threads = self._environment.get("dtype"), self._environment.get("threads")
        cpus = self._devices.count("cpu")
        total = 0.0
        for device in dict.fromkeys(self._devices):
            own = threads * cpus if isinstance(threads, int) and device == "cpu" else None
            found = peak_of(device, str(dtype), self._home, threads=own, again=again)
            if found is None:
                return None
            total += found.flops
        return total or None

    def lap(self, task: str, generations: int) -> None:
        """Note the energy since the lap before."""
        joules = self._meter.lap() if self._meter is not None else None
        if self._meter is not None and joules is not None:
            self._run.event("energy", task=task, joules=joules, generations=generations, of=list(self._meter.of))

    def discard(self) -> None:
        """Leave out the energy that was taken since the lap before."""
        if self._meter is not None:
            self._meter.lap()

    def first_row(self, task: str, began: float) -> None:
        """Note how long the first row took; ``began`` is when its task's generation did."""
        if self._startup is None:
            self._startup = began - self._begun
        self._run.event("first_row", task=task, seconds=self._startup + time.perf_counter() - began)


class TaskGauge:
    """Measures one task: told of generations once they are stored, first of those of earlier starts."""

    def __init__(self, gauge: Gauge, task: str) -> None:
        self._gauge, self._task = gauge, task
        self._began: float | None = None
        self._noted = 0.0
        self._came = 0
        self._waits = True

    def came(self, generations: Sequence[Generation]) -> None:
        """Take note of stored generations; the first call begins the measuring."""
        now = time.perf_counter()
        if self._began is None:
            self._began = self._noted = now
            self._gauge.discard()
            return
        if generations and self._waits:
            self._waits = False
            self._gauge.first_row(self._task, self._began)
        self._came += len(generations)
        if now - self._noted >= NOTE_SECONDS:
            self._note(now)

    def end(self) -> None:
        """Note what is left; where nothing was generated there is nothing."""
        if self._came:
            self._note(time.perf_counter())

    def _note(self, now: float) -> None:
        self._gauge.lap(self._task, self._came)
        self._came, self._noted = 0, now


def _lacks_share(cost: Cost) -> bool:
    return bool(cost.flops) and cost.flops_utilization is None
