"""How long a run will still take, from the lengths and times of the generations made so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grue.core.rows import Generation
from grue.evaluation.progress import Workload

# A prompt token is read in parallel with others and costs a fraction of a new one.
PROMPT_TOKEN_WEIGHT = 0.1
# Before so many portions and seconds a rate says more of warming up than of the run.
SURE_PORTIONS = 3
SURE_SECONDS = 3.0
# Share of a fresh estimate in the one shown: what is shown counts down and drifts, and does not jump.
FRESH = 0.25


@dataclass(slots=True)
class _Measured:
    generations: int = 0
    prompt_tokens: int = 0
    new_tokens: int = 0


class Eta:
    """Seconds left of a run; pure arithmetic, the caller has the clock."""

    def __init__(self, workloads: Sequence[Workload]) -> None:
        self._workloads = {workload.task: workload for workload in workloads}
        self._measured = {workload.task: _Measured() for workload in workloads}
        self._seconds = 0.0
        self._portions = 0
        self._shown: float | None = None

    @property
    def generations_done(self) -> int:
        """Generations stored, those of earlier starts included."""
        return sum(w.stored for w in self._workloads.values()) + sum(m.generations for m in self._measured.values())

    @property
    def generations_total(self) -> int:
        """Generations of the whole run."""
        return sum(workload.total for workload in self._workloads.values())

    @property
    def tokens_per_second(self) -> float | None:
        """New tokens a second so far in this start; ``None`` before the first."""
        tokens = sum(measured.new_tokens for measured in self._measured.values())
        return tokens / self._seconds if tokens and self._seconds > 0 else None

    def advance(self, task: str, generations: Sequence[Generation], seconds: float) -> None:
        """Take in generations that were made in ``seconds``."""
        measured = self._measured[task]
        measured.generations += len(generations)
        measured.prompt_tokens += sum(g.prompt_tokens or 0 for g in generations)
        measured.new_tokens += sum(g.generated_tokens or 0 for g in generations)
        self._seconds += seconds
        self._portions += 1
        fresh = self._estimate()
        if self._shown is None or fresh is None:
            self._shown = fresh
        else:
            self._shown = (1 - FRESH) * max(0.0, self._shown - seconds) + FRESH * fresh

    def seconds_left(self) -> float | None:
        """Seconds left; ``None`` while it is too early to tell."""
        return self._shown

    def _estimate(self) -> float | None:
        if self._portions < SURE_PORTIONS or self._seconds < SURE_SECONDS:
            return None
        done = sum(self._work(m.prompt_tokens, m.new_tokens) for m in self._measured.values())
        if done <= 0:
            return None
        return self._seconds / done * sum(self._work_left(task) for task in self._workloads)

    def _work_left(self, task: str) -> float:
        workload, measured = self._workloads[task], self._measured[task]
        left = workload.total - workload.stored - measured.generations
        if left <= 0:
            return 0.0
        # Rows go by length: those that are left have what the measured ones did not take of the expected sum.
        expected = workload.prompt_tokens * (left + measured.generations)
        prompts = max(expected - measured.prompt_tokens, 0.25 * workload.prompt_tokens * left)
        if measured.generations:
            new = left * measured.new_tokens / measured.generations
        else:
            new = left * workload.new_tokens * self._share_used()
        return self._work(prompts, new)

    def _share_used(self) -> float:
        """Share of the allowed new tokens that generations took so far; all of them before the first."""
        allowed = sum(self._workloads[task].new_tokens * m.generations for task, m in self._measured.items())
        used = sum(m.new_tokens for m in self._measured.values())
        return used / allowed if allowed and used else 1.0

    @staticmethod
    def _work(prompt_tokens: float, new_tokens: float) -> float:
        return PROMPT_TOKEN_WEIGHT * prompt_tokens + new_tokens
