"""What the coordinator and its workers say to each other; both ends are grue itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from grue.core.errors import GrueError
from grue.engine.options import EngineOptions
from grue.engine.protocol import Job, Portion, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a worker loads.

    Attributes:
        model: Name that is found from where the worker runs: a whole path, a hub id with its commit, a demo checkpoint.
        options: For one device.
        weights_sha256: What the weights must be; ``None`` where the coordinator read the very same files.
        version: The coordinator's version of grue.
    """

    model: str
    options: EngineOptions
    weights_sha256: str | None
    version: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """Requests that a worker takes at once; numbers only grow."""

    number: int
    requests: Sequence[Request]
    job: Job


@dataclass(frozen=True, slots=True)
class Cancel:
    """Drop every chunk up to this number."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The weights are loaded.

    Attributes:
        device: Where it computes.
        node: Name of its machine.
        pid: Its process there.
        threads: Threads that compute; ``None`` on an accelerator.
        seconds: From the start of its process to the end of loading.
    """

    device: str
    node: str
    pid: int
    threads: int | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Came:
    """What a chunk gave since the message before, and the most memory held so far."""

    chunk: int
    portion: Portion
    peak_memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class Done:
    """A chunk is at its end; the next one has begun."""

    chunk: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The worker cannot serve, and would not the next time either: the cause lies with its device or checkpoint."""

    error: GrueError


@dataclass(frozen=True, slots=True)
class Raised:
    """The engine raised something on a chunk that is neither a row's nor a device's fault; it ends the task."""

    chunk: int
    error: GrueError | str


@dataclass(frozen=True, slots=True)
class Lost:
    """The worker is gone, and what it held with it."""

    reason: str


Order = Chunk | Cancel
Answer = Ready | Came | Done | Refused | Raised | Lost
Tell = Callable[[Answer], None]


class Handle(Protocol):
    """One life of a worker, as the coordinator holds it."""

    def send(self, order: Order) -> None:
        """Pass an order on without waiting; one to a worker that is gone is dropped."""
        ...

    def stop(self) -> None:
        """End the worker at once; a second call does nothing."""
        ...


class Transport(Protocol):
    """Starts workers somewhere.

    Attributes:
        names: A name for each worker.
    """

    names: Sequence[str]

    def start(self, index: int, tell: Tell) -> Handle:
        """Start a worker, without waiting for it.

        Args:
            index: Which of ``names``.
            tell: Takes what the worker says, in any thread; ``Lost`` is the last.
        """
        ...

    def close(self) -> None:
        """Give back what all workers share, after each was stopped."""
        ...
