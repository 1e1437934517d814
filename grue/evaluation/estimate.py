"""What a run would take, found out before it starts: counts from its plan, speed and memory from a small probe."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from grue.core.rows import Row
from grue.core.text import Json
from grue.engine.protocol import Engine, Job, Request
from grue.engine.resident import peak_resident_bytes
from grue.evaluation.eta import PROMPT_TOKEN_WEIGHT
from grue.evaluation.plan import Plan, PlannedTask

PROBE_ROWS = 8
PROBE_TOKENS = 16


@runtime_checkable
class CountsPrompts(Protocol):
    """An engine that can say how many tokens its prompts have, cut applied."""

    def prompt_lengths(self, rows: Sequence[Row], job: Job) -> Sequence[int]:
        """Tokens of each row's prompt as the model would see it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEstimate:
    """One task of a plan.

    Attributes:
        rows: Rows that are scored.
        generations: Rows times samples.
        prompt_tokens: Tokens of all prompts after the cut; counted or, without a tokeniser, guessed by length.
        new_tokens: Upper bound of new tokens of all generations.
        seconds: Expected time to generate; ``None`` where no model runs.
    """

    task: str
    rows: int
    generations: int
    prompt_tokens: int
    new_tokens: int
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A whole plan; ``memory_bytes`` and ``load_seconds`` are ``None`` where no model runs."""

    tasks: tuple[TaskEstimate, ...]
    memory_bytes: int | None
    load_seconds: float | None

    @property
    def seconds(self) -> float | None:
        """Expected time of the whole run; an upper bound where texts end before their limit."""
        known = [task.seconds for task in self.tasks if task.seconds is not None]
        return sum(known) + (self.load_seconds or 0.0) if known else None

    def to_json(self) -> dict[str, Json]:
        """The document of ``--plan --json``."""
        return {
            "tasks": {
                task.task: {
                    "rows": task.rows,
                    "generations": task.generations,
                    "prompt_tokens": task.prompt_tokens,
                    "new_tokens_at_most": task.new_tokens,
                    "seconds": task.seconds,
                }
                for task in self.tasks
            },
            "rows": sum(task.rows for task in self.tasks),
            "prompt_tokens": sum(task.prompt_tokens for task in self.tasks),
            "new_tokens_at_most": sum(task.new_tokens for task in self.tasks),
            "memory_bytes": self.memory_bytes,
            "load_seconds": self.load_seconds,
            "seconds": self.seconds,
        }


def estimate(plan: Plan, engine: Engine) -> Estimate:
    """Count a plan's work and probe the model with a few short generations of each task.

    Raises:
        GrueError: where the model cannot be loaded.
    """
    # A probe of an endpoint would be paid for.
    has_model = engine.info.kind not in ("null", "oracle", "endpoint")
    load_seconds = None
    if has_model:
        begin = time.perf_counter()
        engine.load()
        load_seconds = time.perf_counter() - begin
    tasks = tuple(_task(planned, engine, has_model=has_model) for planned in plan.tasks)
    memory = max((_memory(planned, engine) for planned in plan.tasks), default=0) if has_model else None
    return Estimate(tasks=tasks, memory_bytes=memory, load_seconds=load_seconds)


def _task(planned: PlannedTask, engine: Engine, *, has_model: bool) -> TaskEstimate:
    samples = planned.manifest.samples
    if isinstance(engine, CountsPrompts):
        prompt_tokens = sum(engine.prompt_lengths(planned.rows, planned.job)) * samples
    else:
        workload = planned.workload(0)
        prompt_tokens = round(workload.prompt_tokens * workload.total)
    generations = len(planned.rows) * samples
    new_tokens = generations * planned.job.decoding.max_new_tokens
    work = PROMPT_TOKEN_WEIGHT * prompt_tokens + new_tokens
    return TaskEstimate(
        task=planned.name,
        rows=len(planned.rows),
        generations=generations,
        prompt_tokens=prompt_tokens,
        new_tokens=new_tokens,
        seconds=work * _seconds_a_unit(planned, engine) if has_model else None,
    )


def _memory(planned: PlannedTask, engine: Engine) -> int:
    """Bytes that the probe or, where the engine can tell, the largest batch takes; the larger of the two."""
    from grue.engine.estimate import memory_bytes
    from grue.engine.hf import HFEngine

    probed = engine.peak_memory_bytes() or peak_resident_bytes() or 0
    if not isinstance(engine, HFEngine):
        return probed
    items = engine.encode(planned.rows, planned.job)
    return max(probed, memory_bytes(engine.checkpoint, engine.layers, str(engine.info.dtype), items, planned.job))


def _seconds_a_unit(planned: PlannedTask, engine: Engine) -> float:
    """Seconds a unit of work, from a few rows and tokens."""
    decoding = planned.job.decoding
    tokens = min(PROBE_TOKENS, decoding.max_new_tokens)
    short = replace(decoding, max_new_tokens=tokens, min_new_tokens=min(decoding.min_new_tokens, tokens))
    rows = planned.rows[:PROBE_ROWS]
    begin = time.perf_counter()
    made = [
        generation
        for portion in engine.generate([Request(row, 0) for row in rows], replace(planned.job, decoding=short))
        for generation in portion.generations
    ]
    seconds = time.perf_counter() - begin
    done = sum(PROMPT_TOKEN_WEIGHT * (g.prompt_tokens or 0) + (g.generated_tokens or 0) for g in made)
    return seconds / done if done else 0.0
