"""What a board knows of its entries before anything is chosen: their order, costs, and the metrics there are."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from grue.comparison.standings import BoardData
from grue.comparison.standings_runs import BoardRun, Score
from grue.comparison.standings_task import Entry, TaskBoard
from grue.runs.validity import Validity
from leaderboard_site.board_state import UNKNOWN
from leaderboard_site.cards import Card
from leaderboard_site.costs import AXES, Axis, RunCost, results_of, run_cost
from leaderboard_site.numbers import plural
from leaderboard_site.pages.panels import Panel, PanelRow, in_order, panel_rows, panels, yardsticks
from leaderboard_site.pages.weights import WeightsFigure, weights_figure


@dataclass(frozen=True, slots=True)
class BoardEntry:
    """A run, or the mean of several, as a row of the board.

    Attributes:
        order: Its number in the order of the board, from 0; ``None`` where it has no place.
        cost: Over all tasks.
        tasks: Task name -> what it has there.
        name: Its name, folded for searching.
        licence: As declared, case folded; ``unknown`` where none is.
    """

    run: BoardRun
    mark: str
    order: int | None
    cost: RunCost
    tasks: Mapping[str, Entry]
    name: str
    licence: str


class BoardEntries:
    """The entries of one setting, made once for all its views.

    Args:
        data: The setting, ranked.
        cards: Task name -> card.
        validity: Gives a run's validity report.
    """

    def __init__(self, data: BoardData, cards: Mapping[str, Card], validity: Callable[[str], Validity | None]) -> None:
        self.data = data
        self.cards = cards
        self._validity = validity
        self._order = {run_id: index for index, run_id in enumerate(data.places)}
        self.n_ranked = sum(one.place is not None for one in data.places.values())
        self.ranked = tuple(self._entry(run) for run in in_order(data))
        self.yardsticks = tuple(self._entry(run) for run in yardsticks(data.setting))
        self.by_id = {entry.run.id: entry for entry in self.ranked}

    def warnings(self, run: BoardRun) -> str:
        """How many warnings the validity reports of its runs hold, in words; empty where none."""
        reports = [report for single in run.singles if (report := self._validity(single.id))]
        n = sum(len(task.warnings) for report in reports for task in report.tasks.values())
        return plural(n, "warning") if n else ""

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """Costs that some ranked entry has, over all tasks or on one; the first is shown by default."""
        return tuple(
            axis for axis in AXES if any(axis.value(entry.cost) for entry in self.ranked) or self._is_of_a_task(axis)
        )

    def _is_of_a_task(self, axis: Axis) -> bool:
        """Whether a cost is known on some task alone; a speed or a size would be known over all tasks too."""
        if axis.key not in ("time", "energy") or (axis.key == "energy" and not self.has_energy):
            return False
        return any(
            axis.value(run_cost(entry.run, results_of(entry.run, [name])))
            for entry in self.ranked
            for name in entry.tasks
        )

    @cached_property
    def has_energy(self) -> bool:
        """Whether the energy of any run was measured."""
        return any(result.cost.joules_per_1000 for run in self.data.setting.runs for result in run.tasks.values())

    @cached_property
    def metrics(self) -> Mapping[str, tuple[str, ...]]:
        """Task -> its metrics that have a value anywhere: primary ones first, then in suite order."""
        return {name: self._metrics(board) for name, board in self.data.tasks.items()}

    @cached_property
    def rewards(self) -> Mapping[str, tuple[str, ...]]:
        """Task -> its rewards that have a value anywhere; without tasks that have none."""
        found = {
            name: tuple(
                dict.fromkeys(
                    reward
                    for entry in board.entries.values()
                    for reward, score in entry.result.rewards.items()
                    if score.value is not None
                )
            )
            for name, board in self.data.tasks.items()
        }
        return {name: rewards for name, rewards in found.items() if rewards}

    @cached_property
    def licences(self) -> tuple[tuple[str, str], ...]:
        """Licences by their key and as first written, the most common first; ``unknown`` last."""
        counts = Counter(entry.licence for entry in self.ranked)
        written = {entry.licence: entry.run.licence or UNKNOWN for entry in reversed(self.ranked)}
        order = sorted(counts, key=lambda key: (key == UNKNOWN, -counts[key], key))
        return tuple((key, written[key].strip() if key != UNKNOWN else UNKNOWN) for key in order)

    @cached_property
    def panels(self) -> tuple[Panel, ...]:
        """The picture of scores, task by task."""
        return panels(self.data, self.cards)

    @cached_property
    def panel_rows(self) -> tuple[PanelRow, ...]:
        """The numbers behind it."""
        return panel_rows(self.data, self.cards)

    @cached_property
    def weights(self) -> WeightsFigure | None:
        """Who is first under other weights."""
        return weights_figure(self.data, self.cards)

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """What was run, as manifests name it."""
        return tuple(sorted({entry.run.kind for entry in self.ranked}))

    @cached_property
    def marks(self) -> frozenset[str]:
        """Marks that occur."""
        return frozenset(entry.mark for entry in self.ranked)

    def usual_signature(self, task: str, metric: str) -> str | None:
        """The signature that most entries on the same rows have."""
        if (task, metric) not in self._signatures:
            found = Counter(
                score.signature
                for entry in self.data.tasks[task].entries.values()
                if not rows_differ(entry) and (score := entry.result.scores.get(metric)) and score.value is not None
            )
            self._signatures[task, metric] = max(found, key=lambda one: (found[one], str(one))) if found else None
        return self._signatures[task, metric]

    @cached_property
    def _signatures(self) -> dict[tuple[str, str], str | None]:
        return {}

    def _entry(self, run: BoardRun) -> BoardEntry:
        tasks = {name: entry for name, board in self.data.tasks.items() if (entry := board.entries.get(run.id))}
        return BoardEntry(
            run=run,
            mark="" if run.is_yardstick else run.mark,
            order=self._order.get(run.id),
            cost=run_cost(run, results_of(run, self.data.tasks)),
            tasks=tasks,
            name=folded(run.name),
            licence=" ".join((run.licence or UNKNOWN).split()).casefold()[:100].strip() or UNKNOWN,
        )

    @staticmethod
    def _metrics(board: TaskBoard) -> tuple[str, ...]:
        results = [entry.result for entry in board.entries.values()]
        known = _with_value(score for result in results for score in result.scores.values())
        shown = [board.metric] if board.metric else []
        primary = [name for result in results[:1] for name in result.primary if name in known]
        return tuple(dict.fromkeys([*shown, *primary, *known]))


def folded(text: str) -> str:
    """A text as it is searched in: the same however its letters are composed, and whatever their case."""
    return unicodedata.normalize("NFKC", text).casefold()


def _with_value(scores: Iterable[Score]) -> dict[str, None]:
    return dict.fromkeys(score.metric for score in scores if score.value is not None)


def rows_differ(entry: Entry) -> str:
    """The first field in which an entry's rows differ from those of the ranked ones; empty where none does."""
    return next((field for field in entry.differs if field != "metric signature"), "")
