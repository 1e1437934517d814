"""How a run is watched: a bar on a terminal, plain lines elsewhere, nothing with ``--quiet``."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from grue.cli.output import note, stderr

if TYPE_CHECKING:
    from grue.core.rows import Generation
    from grue.evaluation.eta import Eta
    from grue.evaluation.progress import Progress, Workload

LINE_SECONDS = 10.0


def watcher(*, quiet: bool) -> Progress:
    """The way to watch that fits standard error."""
    if quiet:
        return Notes()
    return Bar() if sys.stderr.isatty() else Lines()


def duration(seconds: float) -> str:
    """Seconds for people: ``42 s``, ``3 min 05 s``, ``2 h 07 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def size(n_bytes: float) -> str:
    """Bytes for people: ``912 MB``, ``3.4 GB``."""
    megabytes = n_bytes / 1e6
    return f"{megabytes:.0f} MB" if megabytes < 1000 else f"{megabytes / 1000:.1f} GB"


class Notes:
    """Says only what a user should know."""

    def start(self, workloads: Sequence[Workload]) -> None:
        """Nothing."""

    def phase(self, text: str) -> None:
        """Nothing."""

    def task(self, name: str) -> None:
        """Nothing."""

    def advance(self, task: str, generations: Sequence[Generation], seconds: float) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """One line."""
        note(text)

    def stop(self) -> None:
        """Nothing."""


class Lines:
    """A line every ten seconds, for logs."""

    def __init__(self) -> None:
        self._eta: Eta | None = None
        self._said = 0.0
        self._task = ""

    def start(self, workloads: Sequence[Workload]) -> None:
        """Remember what is to be done."""
        self._eta = _eta(workloads)

    def phase(self, text: str) -> None:
        """Say what begins."""
        note(f"{text} …")

    def task(self, name: str) -> None:
        """Say which task begins."""
        self._task = name
        self._said = time.monotonic()
        note(f"generating {name} …")

    def advance(self, task: str, generations: Sequence[Generation], seconds: float) -> None:
        """Say how far it is, every ten seconds."""
        if self._eta is None:
            return
        self._eta.advance(task, generations, seconds)
        if time.monotonic() - self._said >= LINE_SECONDS:
            self._said = time.monotonic()
            done, total = self._eta.generations_done, self._eta.generations_total
            note(f"{task}: {done:,} of {total:,} rows, {_speed(self._eta)}, {_left(self._eta)}, {_memory()}")

    def note(self, text: str) -> None:
        """One line."""
        note(text)

    def stop(self) -> None:
        """Nothing to end."""


class Bar:
    """One bar over all rows of the run."""

    def __init__(self) -> None:
        self._eta: Eta | None = None
        self._bar: Any = None
        self._id: Any = None

    def start(self, workloads: Sequence[Workload]) -> None:
        """Show the bar."""
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        self._eta = _eta(workloads)
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f}/{task.total:,.0f} rows · {task.fields[rest]}"),
            console=stderr(),
            transient=True,
        )
        self._id = self._bar.add_task(
            "starting", total=self._eta.generations_total, completed=self._eta.generations_done, rest="estimating"
        )
        self._bar.start()

    def phase(self, text: str) -> None:
        """Show what begins."""
        if self._bar is not None:
            self._bar.update(self._id, description=text)

    def task(self, name: str) -> None:
        """Show the task."""
        self.phase(name)

    def advance(self, task: str, generations: Sequence[Generation], seconds: float) -> None:
        """Move the bar."""
        if self._eta is None or self._bar is None:
            return
        self._eta.advance(task, generations, seconds)
        left = self._eta.generations_total - self._eta.generations_done
        rest = f"{left:,} left · {_speed(self._eta)} · {_left(self._eta)} · {_memory()}"
        self._bar.update(self._id, completed=self._eta.generations_done, rest=rest)

    def note(self, text: str) -> None:
        """One line above the bar."""
        if self._bar is None:
            note(text)
        else:
            self._bar.console.print(text)

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _eta(workloads: Sequence[Workload]) -> Eta:
    from grue.evaluation.eta import Eta

    return Eta(workloads)


def _speed(eta: Eta) -> str:
    speed = eta.tokens_per_second
    return f"{speed:,.0f} tokens/s" if speed is not None else "– tokens/s"


def _left(eta: Eta) -> str:
    seconds = eta.seconds_left()
    return f"{duration(seconds)} left" if seconds is not None else "estimating"


def _memory() -> str:
    import psutil

    return size(psutil.Process().memory_info().rss)
