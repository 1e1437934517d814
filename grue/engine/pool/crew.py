"""The workers of a run: who is ready, who holds what, who is started again and who is gone for good."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from grue.core.errors import CheckpointError, GrueError
from grue.core.text import Json
from grue.engine.pool.messages import Answer, Cancel, Chunk, Handle, Lost, Order, Ready, Refused, Transport

# How often a worker is started again without having answered anything in between.
RESTARTS = 2
# A worker that needs so much longer than another one needed to load may not come at all: nothing is kept for it.
LATE_SECONDS = 60.0


@dataclass(slots=True)
class Member:
    """A worker's place, which several processes may fill one after the other.

    Attributes:
        name: What events and ``Work`` call it.
        life: Number of the process that fills it; what earlier ones said is dropped.
        started: When that process was asked for.
        handle: The process; ``None`` where it is gone for good.
        is_ready: Whether the weights are loaded.
        chunks: What it was given and has not ended, the running one first.
        strikes: Ends in a row without an answer.
        rows_together: Most rows it decoded at once.
        peak_memory_bytes: The most memory any of its processes told of.
    """

    index: int
    name: str
    life: int = -1
    started: float = 0.0
    handle: Handle | None = None
    is_ready: bool = False
    chunks: list[Chunk] = field(default_factory=list)
    strikes: int = 0
    rows_together: int = 0
    peak_memory_bytes: int | None = None


class Crew:
    """Starts, hears and ends workers.

    Args:
        transport: Where they run.

    Attributes:
        members: All places.
        reasons: Why places are empty for good, by name.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._inbox: queue.SimpleQueue[tuple[int, int, Answer]] = queue.SimpleQueue()
        self._lives = 0
        self._load_seconds = 0.0
        self._events: list[Mapping[str, Json]] = []
        self.members = [Member(index, name) for index, name in enumerate(transport.names)]
        self.reasons: dict[str, GrueError | str] = {}

    @property
    def alive(self) -> list[Member]:
        """Members that serve or will."""
        return [member for member in self.members if member.handle is not None]

    @property
    def ready(self) -> list[Member]:
        """Members that serve."""
        return [member for member in self.members if member.is_ready]

    @property
    def n_sharing(self) -> int:
        """Members that the work is divided among: those that serve, and those that should do so soon."""
        since = time.monotonic() - LATE_SECONDS - self._load_seconds
        return sum(member.is_ready or member.started > since for member in self.alive)

    def start(self) -> None:
        """Start every worker that is not there, with all its chances."""
        for member in self.members:
            if member.handle is None and not isinstance(self.reasons.get(member.name), GrueError):
                member.strikes = 0
                self._start(member)

    def hear(self, timeout_seconds: float | None = None) -> tuple[Member, Answer] | None:
        """The next thing that a living worker says; ``None`` where nothing comes in time."""
        while True:
            try:
                index, life, answer = self._inbox.get(timeout=timeout_seconds)
            except queue.Empty:
                return None
            member = self.members[index]
            if member.life == life and member.handle is not None:
                return member, answer

    def welcome(self, member: Member, ready: Ready) -> None:
        """A worker has loaded."""
        member.is_ready = True
        self._load_seconds = max(self._load_seconds, ready.seconds)
        self._events.append(
            {
                "kind": "worker_ready",
                "worker": member.name,
                "device": ready.device,
                "node": ready.node,
                "pid": ready.pid,
                "threads": ready.threads,
                "seconds": ready.seconds,
            }
        )

    def lose(self, member: Member, why: Lost | Refused, rows: int, *, is_to_blame: bool = True) -> None:
        """A worker is gone: it is started again, unless it had its chances or would fail again.

        Args:
            member: Whose; its chunks were given back.
            why: What it said last.
            rows: Requests that it had not answered.
            is_to_blame: Whether this counts against it.
        """
        reason = why.reason if isinstance(why, Lost) else _one_line(why.error)
        self._events.append({"kind": "worker_lost", "worker": member.name, "reason": reason, "rows": rows})
        if member.handle is not None:
            member.handle.stop()
        member.handle, member.is_ready, member.chunks = None, False, []
        member.strikes += is_to_blame
        self.reasons[member.name] = reason if isinstance(why, Lost) else why.error
        if isinstance(why, Lost) and member.strikes <= RESTARTS:
            self._start(member)

    def cancel(self, number: int) -> None:
        """Have all chunks up to a number dropped."""
        for member in self.alive:
            if member.chunks and member.handle is not None:
                member.handle.send(Cancel(number))
            member.chunks = []

    def events(self) -> list[Mapping[str, Json]]:
        """What happened since the last call."""
        events, self._events = self._events, []
        return events

    def wait_for_one(self, timeout_seconds: float | None) -> None:
        """Return when a worker serves.

        Raises:
            GrueError: where none comes up.
        """
        while not self.ready:
            if not self.alive:
                raise self.failure()
            heard = self.hear(timeout_seconds)
            if heard is None:
                raise CheckpointError(
                    f"No worker came up within {timeout_seconds:.0f} seconds.", "Look whether the cluster has room."
                )
            self.listen(*heard)

    def listen(self, member: Member, answer: Answer) -> None:
        """Take what a worker says while nothing is generated."""
        if isinstance(answer, Ready):
            self.welcome(member, answer)
        elif isinstance(answer, (Lost, Refused)):
            self.lose(member, answer, 0)

    def failure(self) -> GrueError:
        """What to raise where no worker is left: a user's fault as it was said, else all reasons."""
        for error in self.reasons.values():
            if isinstance(error, GrueError):
                return error
        return CheckpointError(
            f"No worker came up. {self.told()}",
            "Try one --device; 'grue doctor -m MODEL' says what this machine can hold.",
        )

    def told(self) -> str:
        """Why each place that is empty is so."""
        return "; ".join(self._told())

    def close(self) -> None:
        """End all workers at once."""
        for member in self.members:
            if member.handle is not None:
                member.handle.stop()
            member.handle, member.is_ready, member.chunks = None, False, []
        self._transport.close()

    def _told(self) -> Iterator[str]:
        for name, reason in self.reasons.items():
            yield f"{name}: {_one_line(reason) if isinstance(reason, GrueError) else reason}"

    def _start(self, member: Member) -> None:
        self._lives += 1
        life = member.life = self._lives
        member.started = time.monotonic()

        def tell(answer: Answer) -> None:
            self._inbox.put((member.index, life, answer))

        try:
            member.handle = self._transport.start(member.index, tell)
        except Exception as error:  # noqa: BLE001 - no process or no cluster: a worker less, not the end of the run
            member.handle = _NotStarted()
            tell(Lost(f"it cannot be started: {type(error).__name__}: {error}"))


class _NotStarted:
    """Stands for a worker until its loss is heard of."""

    def send(self, order: Order) -> None:
        """Drop it."""

    def stop(self) -> None:
        """Nothing is there."""


def _one_line(error: GrueError) -> str:
    return " ".join(f"{error.place + ': ' if error.place else ''}{error.cause}".split())
