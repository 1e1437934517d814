"""What the evaluator tells whoever watches, without knowing how it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from grue.core.rows import Generation


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What a task still has to generate.

    Attributes:
        task: Name of the task.
        total: Generations of the whole task.
        stored: Generations that an earlier start stored.
        prompt_tokens: Expected tokens of a prompt, a guess from its length in characters and the cut.
        new_tokens: Upper bound of new tokens a generation.
    """

    task: str
    total: int
    stored: int
    prompt_tokens: float
    new_tokens: int


class Progress(Protocol):
    """A watcher of a run; called from the main thread only."""

    def start(self, workloads: Sequence[Workload]) -> None:
        """The run's plan stands."""
        ...

    def phase(self, text: str) -> None:
        """Something that takes a while begins (``loading demo:causal``)."""
        ...

    def task(self, name: str) -> None:
        """Generation of a task begins."""
        ...

    def advance(self, task: str, generations: Sequence[Generation], seconds: float) -> None:
        """Generations were stored; ``seconds`` went by since the last ones or the task's beginning."""
        ...

    def note(self, text: str) -> None:
        """Something a user should know."""
        ...

    def stop(self) -> None:
        """The run is over or interrupted; called once, whatever happened."""
        ...


class Silent:
    """Watches and says nothing."""

    def start(self, workloads: Sequence[Workload]) -> None:
        """Nothing."""

    def phase(self, text: str) -> None:
        """Nothing."""

    def task(self, name: str) -> None:
        """Nothing."""

    def advance(self, task: str, generations: Sequence[Generation], seconds: float) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def stop(self) -> None:
        """Nothing."""
