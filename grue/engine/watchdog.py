"""Says what hangs: a thread that looks whether work still moves, and tells phase, time and stack where it does not.

Code that works names what it does, in one line, and never waits for the watcher:

    with watchdog.step("decode", rows=64):
        ...
    watchdog.beat("prefill")
    watchdog.wait("for worker cuda:1")

Where nobody watches they do nothing. A thread that the work starts is watched with it where it runs in a copy of the
context: ``Thread(target=contextvars.copy_context().run, args=(work,))``. The watcher never ends anything. It is a
Python thread: work that holds the interpreter's lock for good keeps it from speaking, too.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass
from types import FrameType, TracebackType

from grue.core.text import Json

STACK_FRAMES = 24
POLL_SECONDS = 5.0
_STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """Work that does not move.

    Attributes:
        what: What was begun last, such as ``decode (rows 64)``; a thread that waits for others is named only where
            no other one works.
        seconds: How long nothing was heard of any thread.
        stack: Where the working thread stands, outermost call first, ``file:line function`` each; empty where the
            thread is gone.
    """

    what: str
    seconds: float
    stack: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """The fields of an event ``stalled``."""
        return {"what": self.what, "seconds": self.seconds, "stack": list(self.stack)}


@dataclass(frozen=True, slots=True)
class _Beat:
    """The last sign of a thread: one object, replaced as a whole, so that no lock is needed."""

    at: float
    what: str
    facts: Mapping[str, object]
    is_waiting: bool


class Watchdog:
    """Watches the work inside a ``with`` block; steps and beats of that block's thread reach it.

    It tells when no sign came for the limit, and again at twice, four times … the limit; the next sign starts anew.

    Attributes:
        limit_seconds: How long work may be silent.
    """

    def __init__(
        self,
        limit_seconds: float,
        tell: Callable[[Stall], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        poll_seconds: float | None = None,
    ) -> None:
        """Watch with a limit.

        Args:
            limit_seconds: How long work may be silent.
            tell: Called in the watcher's thread; what it raises is dropped.
            clock: Seconds that only grow.
            poll_seconds: How often the thread looks; ``None`` for a quarter of the limit, five seconds at most.

        Raises:
            ValueError: where the limit is not above 0.
        """
        if limit_seconds <= 0:
            raise ValueError(f"the limit should be above 0 seconds; found {limit_seconds}")
        self.limit_seconds = limit_seconds
        self._tell = tell
        self._clock = clock
        self._poll = poll_seconds or min(limit_seconds / 4, POLL_SECONDS)
        self._beats = {threading.get_ident(): _Beat(clock(), "starting", {}, True)}
        self._seen = 0.0
        self._next = limit_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="grue-watchdog", daemon=True)
        self._token: Token[Watchdog | None] | None = None

    def beat(self, what: str | None = None, **facts: object) -> None:
        """A sign of work.

        Args:
            what: What is begun; ``None`` for more of the same.
            facts: Numbers that belong to it.
        """
        self._sign(what, facts, is_waiting=False)

    def wait(self, what: str | None = None, **facts: object) -> None:
        """A sign of a thread that waits for others from now on; ``what`` may say for whom."""
        self._sign(f"waiting {what}" if what else "waiting", facts, is_waiting=True)

    @contextmanager
    def step(self, what: str, **facts: object) -> Iterator[None]:
        """Name what is done inside; afterwards what was done before goes on."""
        before = self._beats.get(threading.get_ident())
        self.beat(what, **facts)
        try:
            yield
        finally:
            if before is not None:
                self._sign(before.what, before.facts, is_waiting=before.is_waiting)

    def check(self) -> None:
        """Look once, and tell where the limit is passed."""
        beats = self._beats.copy()
        latest = max(beat.at for beat in beats.values())
        if latest != self._seen:
            self._seen, self._next = latest, self.limit_seconds
        silent = self._clock() - latest
        if silent < self._next:
            return
        while self._next <= silent:
            self._next *= 2
        living = sys._current_frames()
        thread, last = max(beats.items(), key=lambda item: (item[0] in living, not item[1].is_waiting, item[1].at))
        facts = ", ".join(f"{name} {value}" for name, value in last.facts.items())
        what = f"{last.what} ({facts})" if facts else last.what
        try:
            self._tell(Stall(what=what, seconds=silent, stack=_stack(living.get(thread))))
        except Exception:  # noqa: BLE001 - whoever watches must not disturb what may yet go on
            return

    def __enter__(self) -> Watchdog:
        self._token = _current.set(self)
        self._sign("starting", {}, is_waiting=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        if self._token is not None:
            _current.reset(self._token)
        self._thread.join(_STOP_SECONDS)

    def _sign(self, what: str | None, facts: Mapping[str, object], *, is_waiting: bool) -> None:
        thread = threading.get_ident()
        if what is None:
            last = self._beats.get(thread)
            what, facts = (last.what, last.facts) if last is not None else ("working", {})
        self._beats[thread] = _Beat(self._clock(), what, facts, is_waiting)

    def _watch(self) -> None:
        while not self._stopped.wait(self._poll):
            self.check()


_current: ContextVar[Watchdog | None] = ContextVar("grue_watchdog", default=None)


def beat(what: str | None = None, **facts: object) -> None:
    """A sign of work to whoever watches this thread's work; nothing where nobody does."""
    watcher = _current.get()
    if watcher is not None:
        watcher.beat(what, **facts)


def wait(what: str | None = None, **facts: object) -> None:
    """A sign of a thread that waits for others, to whoever watches its work; nothing where nobody does."""
    watcher = _current.get()
    if watcher is not None:
        watcher.wait(what, **facts)


@contextmanager
def step(what: str, **facts: object) -> Iterator[None]:
    """Name what is done inside to whoever watches this thread's work; nothing where nobody does."""
    watcher = _current.get()
    if watcher is None:
        yield
        return
    with watcher.step(what, **facts):
        yield


def _stack(frame: FrameType | None) -> tuple[str, ...]:
    if frame is None:
        return ()
    frames = traceback.extract_stack(frame, limit=STACK_FRAMES)
    return tuple(f"{one.filename}:{one.lineno} {one.name}" for one in frames)
