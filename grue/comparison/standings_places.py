"""The order over tasks: by GRUE score or by the mean of the places, with intervals over rows and tasks, and bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from grue.comparison.bands_of import Scaled, bands_of_places, bands_over_tasks
from grue.comparison.row_cache import EntryRows
from grue.comparison.standings_overall import BENCHMARK, Overall
from grue.comparison.standings_rows import stand_in, with_seeds
from grue.comparison.standings_runs import BoardRun
from grue.comparison.standings_task import TaskBoard, created
from grue.core.metric import Floats
from grue.registry.tasks import expand
from grue.stats.bootstrap import RESAMPLES
from grue.stats.rank_intervals import means_over_drawn_tasks, rank_intervals, ranks
from grue.stats.ranking import Candidate, rank

OTHER_SCORE = "its metrics do not give its score"
NO_SCORE = "no GRUE score"
_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Place:
    """An entry's place in the order over tasks.

    Attributes:
        place: 1 for the highest GRUE score; where no entry has one, for the lowest mean. ``None`` for an entry without
            a score beside entries that have one.
        mean: Mean of its places on the tasks.
        rank_ci95: Lowest and highest place of 95 % of resamples; contains the place.
        band: From 1; an entry of another band is told apart from the band's leader.
        reason: Why place, interval or band is missing; empty where none is.
    """

    place: int | None
    mean: float
    rank_ci95: tuple[int, int] | None = None
    band: int | None = None
    reason: str = ""


class Places:
    """The order over tasks of one setting.

    Args:
        entries: Those that are no yardsticks.
        tasks: Task name -> its board.
        scores: Entry id -> its scores, of the entries whose GRUE score is ranked.

    Attributes:
        competing: Entries that have a rank anywhere.
    """

    def __init__(
        self, entries: Sequence[BoardRun], tasks: Mapping[str, TaskBoard], scores: Mapping[str, Overall]
    ) -> None:
        self._tasks = [board for board in tasks.values() if board.ranked]
        self._named = tasks
        self._scores = scores
        ranked = {entry.run.id for board in self._tasks for entry in board.ranked}
        self.competing = [entry for entry in entries if entry.id in ranked or entry.id in scores]
        self._by_id = {entry.id: entry for entry in self.competing}
        self._mean = {entry.id: self._mean_of(entry) for entry in self.competing}

    def by_mean(self) -> dict[str, Place]:
        """By the mean of the places; an entry without any rank has no place."""
        order = rank(
            [Candidate(entry.id, self._mean[entry.id], created(entry)) for entry in self.competing],
            higher_is_better=False,
        )
        keys = [one.key for one in order]
        lacking = {key: self._lacking(key) for key in keys}
        intervals: dict[str, tuple[int, int]] = {}
        if keys:
            means = np.array([self._mean[key] for key in keys])
            drawn = means_over_drawn_tasks(np.stack([self._drawn_places(board, keys) for board in self._tasks]))
            intervals = dict(zip(keys, rank_intervals(means, drawn, higher_is_better=False), strict=True))
        testable = [key for key in keys if not lacking[key]]
        bands = bands_of_places(testable, [board.scaled() for board in self._tasks])
        return {
            one.key: Place(
                place=one.rank,
                mean=self._mean[one.key],
                rank_ci95=None if lacking[one.key] else intervals[one.key],
                band=bands.get(one.key),
                reason=lacking[one.key],
            )
            for one in order
        }

    def by_score(self) -> dict[str, Place]:
        """By GRUE score; entries without one come after, by the mean of their places, without a place."""
        order = rank(
            [Candidate(key, one.grue.value, created(self._by_id[key])) for key, one in self._scores.items()],
            higher_is_better=True,
        )
        keys = [one.key for one in order]
        benchmark = expand(BENCHMARK).names
        rows = {key: self._rows_of_score(self._by_id[key], benchmark) for key in keys}
        values = np.array([self._scores[key].grue.value for key in keys], dtype=np.float64)
        intervals = rank_intervals(values, self._drawn_scores(keys, rows), higher_is_better=True)
        testable = {key: found for key, found in rows.items() if not isinstance(found, str)}
        bands = bands_over_tasks(keys, testable)
        places = {
            one.key: Place(
                place=one.rank,
                mean=self._mean[one.key],
                rank_ci95=interval if one.key in testable else None,
                band=bands.get(one.key),
                reason="" if one.key in testable else str(rows[one.key]),
            )
            for one, interval in zip(order, intervals, strict=True)
        }
        rest = rank(
            [
                Candidate(entry.id, self._mean[entry.id], created(entry))
                for entry in self.competing
                if entry.id not in self._scores
            ],
            higher_is_better=False,
        )
        return places | {one.key: Place(None, self._mean[one.key], reason=NO_SCORE) for one in rest}

    def _mean_of(self, entry: BoardRun) -> float:
        """A task without a rank counts as one place after its last."""
        found = [(board, board.entries.get(entry.id)) for board in self._tasks]
        places = [one.rank if one and one.rank else len(board.ranked) + 1 for board, one in found]
        return sum(places) / max(1, len(places))

    def _lacking(self, key: str) -> str:
        """Why an entry's place has neither interval nor band: a task whose rank has none."""
        for board in self._tasks:
            entry = board.entries.get(key)
            if entry and entry.rank and entry.rank_ci95 is None:
                return f"{board.task}: {entry.reason}"
        return ""

    @staticmethod
    def _drawn_places(board: TaskBoard, keys: Sequence[str]) -> Floats:
        """Places on one task under resampling, shape (entries, n_resamples)."""
        members = [entry.run.id for entry in board.ranked]
        drawn = ranks(
            np.stack([board.resampled[key] for key in members]), higher_is_better=bool(board.higher_is_better)
        )
        out = np.full((len(keys), drawn.shape[1]), len(members) + 1.0)
        where = {key: index for index, key in enumerate(keys)}
        out[[where[key] for key in members]] = drawn
        return out

    def _drawn_scores(self, keys: Sequence[str], rows: Mapping[str, tuple[Scaled, ...] | str]) -> Floats:
        """GRUE scores under resampling of rows and tasks, shape (entries, n_resamples)."""
        made = [key for key in keys if not isinstance(rows[key], str)]
        out = np.empty((len(keys), RESAMPLES))
        if made:
            drawn = [[self._drawn_qualities(key, one) for one in rows[key]] for key in made]  # (entries, tasks, n)
            means = means_over_drawn_tasks(np.swapaxes(np.array(drawn, dtype=np.float64), 0, 1))
            out[[keys.index(key) for key in made]] = means
        for index, key in enumerate(keys):
            score = self._scores[key].grue
            if isinstance(rows[key], str) and score.value is not None:
                out[index] = stand_in(self._by_id[key], score.value, score.ci95)
        return out

    def _drawn_qualities(self, key: str, one: Scaled | str) -> Floats:
        if isinstance(one, str):
            raise TypeError(one)
        entry = self._by_id[key]
        total: Floats = np.sum([factor * with_seeds(entry, rows) for factor, rows in one.parts], axis=0)
        return total + one.offset

    def _rows_of_score(self, entry: BoardRun, benchmark: Sequence[str]) -> tuple[Scaled, ...] | str:
        """The rows of an entry's quality on each task of the benchmark, or why there are none."""
        out = []
        for name in benchmark:
            found = _rows_of_quality(entry, self._named[name]) if name in self._named else "not run"
            if isinstance(found, str):
                return f"{name}: {found}"
            out.append(found)
        return tuple(out)


def _rows_of_quality(entry: BoardRun, board: TaskBoard) -> Scaled | str:
    result = entry.tasks[board.task]
    standing = result.standing
    names = tuple(standing.ceiling) or result.primary
    parts: list[tuple[float, EntryRows]] = []
    offset = total = 0.0
    for name in names:
        drawn = board.draws.get(name)
        if drawn is None or entry.id not in drawn.rows:
            return (drawn and drawn.reasons.get(entry.id)) or f"no rows of {name}"
        floor, ceiling = standing.floor.get(name), standing.ceiling.get(name)
        if floor is None or ceiling is None or floor == ceiling:
            return f"{name} has no floor and ceiling"
        factor = 100 / (len(names) * (ceiling - floor))
        parts.append((factor, drawn.rows[entry.id]))
        offset -= factor * floor
        total += factor * float(drawn.rows[entry.id].seeds.mean())
    quality = standing.quality.value
    if quality is None or abs(total + offset - quality) > _TOLERANCE * max(1.0, abs(quality)):
        return OTHER_SCORE
    return Scaled(tuple(parts), offset)
