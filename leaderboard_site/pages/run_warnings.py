"""What qualifies the scores of a run: faults, and outputs that are odd in large numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from grue.comparison.standings_runs import BoardRun, TaskResult
from grue.runs.validity import Validity
from leaderboard_site.cards import Card
from leaderboard_site.links import Page
from leaderboard_site.numbers import count, percent, plural


@dataclass(frozen=True, slots=True)
class Caveat:
    """What qualifies the scores; ``tasks`` are its share on each task, with the samples to look at."""

    text: str
    tasks: tuple[tuple[str, Page], ...]


def caveats(
    run: BoardRun, results: Sequence[TaskResult], cards: Mapping[str, Card], validity: Validity | None
) -> tuple[Caveat, ...]:
    """Faults first, a line each; then what the validity report warns of.

    Without a report, odd shares of outputs, a line a kind with the tasks it holds for.
    """
    found = []
    for result in results:
        title = cards[result.name].title
        if result.status != "finished":
            found.append(Caveat(f"{title} is not finished. {result.error or ''}".strip(), ()))
        if result.failed:
            found.append(Caveat(f"{title}: {plural(result.failed, 'row')} of {count(result.expected)} failed.", ()))
        for score in result.scores.values():
            if score.failed:
                found.append(Caveat(f"{title}: {score.metric} failed: {score.reason or 'no reason given'}", ()))
    if run.is_yardstick:
        return tuple(found)
    if validity is not None:
        for result in results:
            title, samples = cards[result.name].title, Page(kind="samples", run=run.id, task=result.name)
            warnings = validity.tasks[result.name].warnings if result.name in validity.tasks else ()
            found += [Caveat(f"{title}: {text}.", ((f"Samples of {title}", samples),)) for text in warnings]
        return tuple(found)
    kinds: tuple[tuple[str, float, Callable[[TaskResult], float | None]], ...] = (
        ("Empty outputs", 0.01, lambda result: result.rates.empty),
        ("Outputs that stop at the token limit, so their ends are missing", 0.05, lambda r: r.rates.cut_output),
        ("Outputs in which a run of four words comes twice", 0.1, _repeated),
        ("Outputs that copy their input, by the mean share of four words in a row", 0.9, _copied),
        ("Prompts that were cut to fit", 0.1, lambda result: result.rates.cut_prompt),
    )
    for text, limit, share in kinds:
        parts = tuple(
            (f"{cards[result.name].title} {percent(value)}", Page(kind="samples", run=run.id, task=result.name))
            for result in results
            if (value := share(result)) is not None and value >= limit
        )
        if parts:
            found.append(Caveat(f"{text}:", parts))
    return tuple(found)


def _repeated(result: TaskResult) -> float | None:
    return _share(result, "repetition_rate")


def _copied(result: TaskResult) -> float | None:
    return _share(result, "copy_rate")


def _share(result: TaskResult, metric: str) -> float | None:
    score = result.scores.get(metric)
    return score.value / (score.scale or 1.0) if score and score.value is not None else None
