"""Scores over all tasks as they may stand in a setting: none on a subset, none ranked on other rows or metrics."""

from __future__ import annotations

from dataclasses import dataclass

from grue.comparison.standings_entries import chosen
from grue.comparison.standings_runs import BoardRun, TaskResult
from grue.comparison.standings_settings import Setting
from grue.comparison.standings_task import most_common
from grue.core.run import NOT_SCORED, ScoreValue
from grue.registry.tasks import expand
from grue.stats.seeds import over_seeds

BENCHMARK = "grue"
ON_A_SUBSET = "a subset of rows: the score is given on whole splits"
OTHER_ROWS = "other rows or metrics"


@dataclass(frozen=True, slots=True)
class Overall:
    """Scores over all tasks, as they may be shown in a setting.

    Attributes:
        lack: What the GRUE score lacks to be ranked with the others; empty where nothing.
        sd: Standard deviation of the GRUE score over seeds; ``None`` for one seed.
    """

    grue: ScoreValue
    naturalness: ScoreValue
    lack: str = ""
    sd: float | None = None


def known(score: ScoreValue) -> bool:
    """Whether a run says anything of a score: its value, or why there is none."""
    return score.value is not None or score.reason not in (None, NOT_SCORED)


def overall_of(setting: Setting) -> tuple[dict[str, Overall], dict[str, Overall]]:
    """Scores over all tasks, of entries and of single runs that are no entry.

    On a subset there are none, and a score on other rows or by other metrics than most is not ranked.
    """
    aside = [run for run in setting.runs if run.superseded is not None]
    singles = [*aside, *(run for entry in setting.entries for run in entry.members)]
    if setting.limit is not None:
        return (
            {entry.id: Overall(*_not_on_a_subset(entry)) for entry in setting.entries},
            {run.id: Overall(*_not_on_a_subset(run)) for run in singles},
        )
    benchmark = expand(BENCHMARK).names
    keys = {
        entry.id: tuple(_score_key(entry.tasks[name]) for name in benchmark if name in entry.tasks)
        for entry in setting.entries
        if entry.results.scores.grue.value is not None
    }
    usual = most_common([keys[entry.id] for entry in setting.ranked if entry.id in keys] or list(keys.values()) or [()])

    def one(run: BoardRun, entry: BoardRun) -> Overall:
        lack = OTHER_ROWS if keys.get(entry.id, usual) != usual else ""
        return Overall(*_scores_of(run), lack, _sd(run))

    return (
        {entry.id: one(entry, entry) for entry in setting.entries},
        {
            **{run.id: one(run, run) for run in aside},
            **{run.id: one(run, entry) for entry in setting.entries for run in entry.members},
        },
    )


def _not_on_a_subset(run: BoardRun) -> tuple[ScoreValue, ScoreValue]:
    grue, natural = _scores_of(run)
    none = ScoreValue.none(ON_A_SUBSET)
    return none if known(grue) else grue, none if known(natural) else natural


def _scores_of(run: BoardRun) -> tuple[ScoreValue, ScoreValue]:
    return run.results.scores.grue, run.results.scores.naturalness


def _sd(run: BoardRun) -> float | None:
    if not run.members:
        return None
    found = chosen(run.seeds, lambda one: one.results.scores.grue.value is not None)
    values = [value for one in found if (value := one.results.scores.grue.value) is not None]
    return over_seeds(values, [None] * len(values)).sd if values else None


def _score_key(result: TaskResult) -> tuple[object, ...]:
    """Results with equal keys stand on the same rows and metrics."""
    scores = [result.scores.get(name) for name in result.primary]
    return (result.name, result.rows_key, *(score.signature if score else None for score in scores))
