"""Generates what is missing of a task, stores it as it comes, and hands it to whoever scores."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

from grue.core.errors import GrueError, RunDirectoryError
from grue.core.rows import Generation
from grue.engine.protocol import Engine, Failure, Portion, Request
from grue.evaluation.plan import PlannedTask
from grue.evaluation.progress import Progress
from grue.evaluation.selection import TaskRows
from grue.evaluation.stalls import watched
from grue.runs.directory import RunDirectory

# Rows that are named where some failed; the events name all.
SHOWN_ROWS = 10
WAITING = "for the engine"

Sink = Callable[[Sequence[Generation]], None]


@dataclass(frozen=True, slots=True)
class Generated:
    """All generations of a task in (id, sample) order; ``error`` where not all could be made."""

    generations: list[Generation]
    error: str | None


def missing(planned: PlannedTask, stored: Sequence[tuple[str, int]]) -> list[Request]:
    """The requests of a task that are not stored yet, in row order."""
    done = set(stored)
    return [
        Request(row, sample)
        for row in planned.rows
        for sample in range(planned.manifest.samples)
        if (row.id, sample) not in done
    ]


def generate_task(
    planned: PlannedTask, engine: Engine, run: RunDirectory, hand_over: Sink, progress: Progress
) -> Generated:
    """Generate what is not stored yet.

    Whatever the engine or the task's post-processing raises ends this task, not the run.

    Args:
        planned: The task.
        engine: Its weights are loaded.
        run: Where generations are stored.
        hand_over: Takes stored generations, those of earlier starts first.
        progress: Watches.

    Raises:
        RunDirectoryError: where a generation cannot be stored.
    """
    stored = run.stored(planned.name)
    generations = dict(stored)
    hand_over(list(stored.values()))
    requests = missing(planned, list(stored))
    error = None
    failures: list[Failure] = []
    if requests:
        progress.task(planned.name)
        run.event("generation_started", task=planned.name, stored=len(stored), missing=len(requests))
        try:
            with watched(run, progress, task=planned.name) as watchdog:
                watchdog.wait(WAITING)
                for portion, seconds in _portions(planned, engine, requests):
                    watchdog.beat("storing generations")
                    group = portion.generations
                    _note(run, planned.name, portion)
                    failures += portion.failures
                    run.append(planned.name, group)
                    run.event(
                        "generated",
                        task=planned.name,
                        generations=len(group),
                        tokens=_tokens(group),
                        seconds=seconds,
                        work=[asdict(work) for work in portion.work],
                    )
                    generations.update({(g.id, g.sample): g for g in group})
                    hand_over(group)
                    progress.advance(planned.name, group, seconds)
                    watchdog.wait(WAITING)
            left = len(requests) + len(stored) - len(generations) - len(failures)
            error = _why(failures) if failures else f"the engine returned {left} generations too few" if left else None
        except RunDirectoryError:
            raise
        except Exception as problem:  # noqa: BLE001 - one task's failure leaves the others running
            error = message_of(problem)
        run.event("generation_ended", task=planned.name, error=error)
    return Generated([generations[key] for key in sorted(generations)], error)


def message_of(error: BaseException) -> str:
    """Kind and text of an error on one line."""
    if isinstance(error, GrueError):
        return " ".join(f"{error.place + ': ' if error.place else ''}{error.cause} {error.fix}".split())
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _portions(planned: PlannedTask, engine: Engine, requests: Sequence[Request]) -> Iterator[tuple[Portion, float]]:
    """What the engine hands out, after the task's post-processing, each with the seconds since the one before."""
    begin = time.perf_counter()
    for portion in engine.generate(requests, planned.job):
        done = [processed(planned.asked, generation) for generation in portion.generations]
        now = time.perf_counter()
        yield replace(portion, generations=done), now - begin
        begin = now


def _note(run: RunDirectory, task: str, portion: Portion) -> None:
    for event in portion.events:
        run.event(str(event["kind"]), **{"task": task, **{key: value for key, value in event.items() if key != "kind"}})
    for failure in portion.failures:
        run.event("row_failed", task=task, id=failure.id, sample=failure.sample, reason=failure.reason)


def _why(failures: Sequence[Failure]) -> str:
    """All reasons with their numbers of rows, the first rows named."""
    ids = sorted({failure.id for failure in failures})
    reasons = Counter(failure.reason for failure in failures).most_common()
    told = "; ".join(f"{reason} ({count})" if len(reasons) > 1 else reason for reason, count in reasons)
    more = f" and {len(ids) - SHOWN_ROWS} more" if len(ids) > SHOWN_ROWS else ""
    return f"{len(ids)} row{'s' * (len(ids) != 1)} failed, {', '.join(ids[:SHOWN_ROWS])}{more}: {told}"


def processed(asked: TaskRows, generation: Generation) -> Generation:
    """A generation after the task's post-processing; ``raw`` keeps the text before it where they differ.

    Raises:
        TypeError: where the post-processing gives no string. It may raise anything else itself.
    """
    postprocess = asked.suite.postprocess
    if postprocess is None:
        return generation
    before = generation.prediction
    text = postprocess(before)
    if not isinstance(text, str):
        raise TypeError(f"post-processing of task {asked.task.name!r} should give a string; gave {type(text).__name__}")
    return generation if text == before else replace(generation, prediction=text, raw=before)


def _tokens(group: Sequence[Generation]) -> int:
    return sum(g.generated_tokens or 0 for g in group)
