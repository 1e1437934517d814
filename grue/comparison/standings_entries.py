"""Entries: repeats of one identity, and runs that differ in seed alone, stand as one, with the mean over seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from grue.comparison.standings_runs import BoardRun, Score, TaskResult
from grue.core.run import NOT_SCORED, Rates, RunScores, ScoreValue
from grue.runs.entry import entry_key
from grue.stats.seeds import over_seeds

Seeds = Sequence[Sequence[BoardRun]]


def entries_of(runs: Sequence[BoardRun]) -> tuple[BoardRun, ...]:
    """Runs by entry, in the order of their earliest run's id.

    Args:
        runs: Single runs of one setting.
    """
    groups: dict[str, list[BoardRun]] = {}
    for run in sorted(runs, key=lambda run: (run.created_at, run.id)):
        groups.setdefault(entry_key(run.manifest), []).append(run)
    return tuple(sorted((_entry(members) for members in groups.values()), key=lambda entry: entry.id))


def chosen(seeds: Seeds, has: Callable[[BoardRun], bool]) -> list[BoardRun]:
    """One run a seed: the earliest that has what is asked for; a seed without one is passed over."""
    found = (next((run for run in repeats if has(run)), None) for repeats in seeds)
    return [run for run in found if run is not None]


def has_value(run: BoardRun, task: str, metric: str) -> bool:
    """Whether a run has a value of a metric."""
    result = run.tasks.get(task)
    score = result.scores.get(metric) if result else None
    return score is not None and score.value is not None


def _entry(members: Sequence[BoardRun]) -> BoardRun:
    first = members[0]
    if len(members) == 1:
        return first
    seeds = replace(first, members=tuple(members)).seeds
    names = dict.fromkeys(name for run in members for name in run.tasks)
    grue = _mean_of_scores(seeds, lambda run: run.results.scores.grue)
    natural = _mean_of_scores(seeds, lambda run: run.results.scores.naturalness)
    return replace(
        first,
        tasks={name: _task(name, seeds, [run.tasks[name] for run in members if name in run.tasks]) for name in names},
        results=replace(first.results, scores=RunScores(grue, natural)),
        members=tuple(members),
    )


def _task(name: str, seeds: Seeds, results: Sequence[TaskResult]) -> TaskResult:
    finished = [result for result in results if result.status == "finished"]
    first = (finished or list(results))[0]
    standing = replace(
        first.standing,
        quality=_mean_of_scores(seeds, lambda run: _standing(run, name, "quality")),
        naturalness=_mean_of_scores(seeds, lambda run: _standing(run, name, "naturalness")),
    )
    metrics = dict.fromkeys(metric for result in results for metric in result.scores)
    rewards = dict.fromkeys(reward for result in results for reward in result.rewards)
    return replace(
        first,
        scores={metric: _score(seeds, partial(_found, task=name, metric=metric)) for metric in metrics},
        rewards={reward: _score(seeds, partial(_reward, task=name, reward=reward)) for reward in rewards},
        rates=Rates(
            empty=_mean([result.rates.empty for result in results]),
            cut_prompt=_mean([result.rates.cut_prompt for result in results]),
            cut_output=_mean([result.rates.cut_output for result in results]),
        ),
        standing=standing,
    )


def _found(run: BoardRun, task: str, metric: str) -> Score | None:
    return run.tasks[task].scores.get(metric) if task in run.tasks else None


def _reward(run: BoardRun, task: str, reward: str) -> Score | None:
    return run.tasks[task].rewards.get(reward) if task in run.tasks else None


def _standing(run: BoardRun, task: str, name: str) -> ScoreValue:
    if task not in run.tasks:
        return ScoreValue.none(NOT_SCORED)
    standing = run.tasks[task].standing
    return standing.quality if name == "quality" else standing.naturalness


def _score(seeds: Seeds, of: Callable[[BoardRun], Score | None]) -> Score:
    """The mean of a metric over the seeds that have a value; where none has, the first one's absence."""
    known = [score for run in chosen(seeds, lambda run: _known(of(run))) if (score := of(run)) is not None]
    if not known:
        return next(score for repeats in seeds for run in repeats if (score := of(run)) is not None)
    if len(known) == 1:
        return known[0]
    intervals = [None if score.low is None or score.high is None else (score.low, score.high) for score in known]
    mean = over_seeds([score.value for score in known if score.value is not None], intervals)
    low, high = mean.ci95 or (None, None)
    reason = next((score.reason for score in known if score.low is None and score.reason), None)
    return replace(
        known[0],
        value=mean.mean,
        low=low,
        high=high,
        n=min(score.n for score in known),
        reason=reason if mean.ci95 is None else None,
        sd=mean.sd,
        seeds=mean.seeds,
    )


def _known(score: Score | None) -> bool:
    return score is not None and score.value is not None


def _mean_of_scores(seeds: Seeds, of: Callable[[BoardRun], ScoreValue]) -> ScoreValue:
    """The mean of a score over the seeds that have one; where none has, the reason of the first."""
    known = [of(run) for run in chosen(seeds, lambda run: of(run).value is not None)]
    if not known:
        return of(seeds[0][0])
    mean = over_seeds([one.value for one in known if one.value is not None], [one.ci95 for one in known])
    return ScoreValue(mean.mean, mean.ci95, None if mean.ci95 else next((o.reason for o in known if o.reason), None))


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
