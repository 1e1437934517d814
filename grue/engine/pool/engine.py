"""One checkpoint on several workers, as one engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import grue
from grue.checkpoints.device import choose_device, choose_dtype
from grue.core.errors import UsageError
from grue.core.rows import Row
from grue.core.run import ModelInfo
from grue.core.text import Json
from grue.engine.hf import HFEngine
from grue.engine.options import EngineOptions
from grue.engine.pool.coordinator import Coordinator
from grue.engine.pool.crew import Crew
from grue.engine.pool.messages import Opening, Transport
from grue.engine.pool.processes import Processes
from grue.engine.protocol import Job, Portion, Request
from grue.engine.turns import fixed_groups


def open_pool(model: str, options: EngineOptions) -> PoolEngine:
    """Open a checkpoint for several devices of this machine; each process loads it by itself.

    Args:
        model: A checkpoint folder, hub id or demo checkpoint.
        options: With at least two ``devices``.

    Raises:
        CheckpointError: where it cannot be used as it is.
        UsageError: for a device that is not there, or devices that would compute in different number types.
    """
    devices = [choose_device(device, options.devices) for device in options.devices]
    dtypes = {choose_dtype(options.dtype, device) for device in devices}
    if len(dtypes) > 1:
        raise UsageError(
            f"--devices {','.join(devices)} would compute in {' and '.join(sorted(dtypes))}: what a row gets would"
            " depend on who takes it.",
            "Give --dtype.",
        )
    opened = open_single(model, replace(options, device=devices[0], dtype=dtypes.pop()), "--devices")
    transport = Processes(partial(opening_of, opened, options, offline=True), devices)
    environment: dict[str, Json] = {"devices": list(devices)}
    if "cpu" in devices:
        environment |= {"threads": transport.threads, "threads_chosen": "cores shared among workers"}
    return PoolEngine(opened, transport, environment)


def open_single(model: str, options: EngineOptions, flag: str) -> HFEngine:
    """The checkpoint as one process would open it, weights not loaded.

    Raises:
        UsageError: for an engine that cannot be shared so.
        GrueError: as ``open_engine``.
    """
    from grue.engine.open import open_engine

    opened = None
    if options.engine in ("auto", "hf"):
        opened = open_engine(model, replace(options, devices=(), cluster=None))
    if not isinstance(opened, HFEngine):
        raise UsageError(
            f"{flag} shares the work of --engine hf alone, not of {options.engine}.",
            f"Leave {flag} out, or give --engine hf.",
        )
    return opened


def opening_of(
    opened: HFEngine, options: EngineOptions, *, offline: bool, weights_sha256: str | None = None
) -> Opening:
    """What workers open, so that each finds the same: a whole path, or the commit that was found here.

    Args:
        opened: What this process opened.
        options: The user's.
        offline: Whether all files are here already.
        weights_sha256: What the weights must be, where a worker may find other files.
    """
    info = opened.info
    model = info.source
    if info.kind == "hub":
        model = f"{info.source.partition('@')[0]}@{info.revision}"
    elif info.kind == "local":
        model = str(opened.checkpoint.folder.resolve())
    own = replace(
        options,
        devices=(),
        cluster=None,
        dtype=str(info.dtype),
        adapter=options.adapter.resolve() if options.adapter else None,
        offline=offline or options.offline,
    )
    return Opening(model=model, options=own, weights_sha256=weights_sha256, version=grue.__version__)


class PoolEngine:
    """Generates with workers; the checkpoint is read and checked here, and loaded there.

    Args:
        opened: The checkpoint as one process would have it; its weights are never loaded.
        transport: Where workers run.
        environment: What the manifest says beside the checkpoint's own.
        wait_seconds: How long ``load`` waits for news of the first worker; ``None`` for as long as it takes.

    Attributes:
        opened: As given.
        notes: What a user should know about the checkpoint.
    """

    def __init__(
        self,
        opened: HFEngine,
        transport: Transport,
        environment: Mapping[str, Json],
        *,
        wait_seconds: float | None = None,
    ) -> None:
        self.opened = opened
        self.notes: Sequence[str] = opened.notes
        self._environment = environment
        self._wait_seconds = wait_seconds
        self._crew = Crew(transport)
        self._coordinator = Coordinator(self._crew)

    @property
    def info(self) -> ModelInfo:
        """Who generates; where its rows are computed is no part of it."""
        return self.opened.info

    @property
    def folder(self) -> Path | None:
        """Folder of the checkpoint."""
        return self.opened.folder

    def covered(self, rows: Sequence[Row]) -> list[Row]:
        """All rows, unchanged."""
        return self.opened.covered(rows)

    def settings(self, job: Job) -> Mapping[str, Json]:
        """Those of one process."""
        return self.opened.settings(job)

    def prompt_lengths(self, rows: Sequence[Row], job: Job) -> list[int]:
        """Tokens of each row's prompt as the model would read it."""
        return self.opened.prompt_lengths(rows, job)

    def environment(self) -> Mapping[str, Json]:
        """Where it computes, all devices named."""
        return {**self.opened.environment(), **self._environment}

    def load(self) -> None:
        """Start all workers and wait for the first; the others get work when they come.

        Raises:
            GrueError: where none comes up.
        """
        self._crew.start()
        self._crew.wait_for_one(self._wait_seconds)

    def generate(self, requests: Sequence[Request], job: Job) -> Iterator[Portion]:
        """Yield what workers answer, as it comes."""
        batches: list[list[str]] = []
        if job.deterministic:
            # Where composition is fixed a batch is decoded as a whole, and by one worker.
            groups = fixed_groups(self.opened.encode(job.rows, job))
            batches = [[job.rows[item.index].id for item in group] for group in groups]
        return self._coordinator.generate(requests, job, batches)

    def peak_memory_bytes(self) -> int | None:
        """The most memory that any worker held; ``None`` before one told."""
        return max((m.peak_memory_bytes for m in self._crew.members if m.peak_memory_bytes is not None), default=None)

    def close(self) -> None:
        """End all workers."""
        self._crew.close()
