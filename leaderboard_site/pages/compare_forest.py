"""The table of paired differences: a row a pair and task, with its interval drawn on one axis for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grue.comparison.charts import Tick, Whisker, forest, shares
from grue.comparison.numbers import between, p_value, signed
from grue.comparison.values import MetricComparison, RowCounts, TaskComparison, Verdict
from grue.core.metric import MetricValue
from grue.core.run import ScoreValue
from leaderboard_site import numbers
from leaderboard_site.cards import Card
from leaderboard_site.comparing import Compared
from leaderboard_site.links import Page

SHOWN = (Verdict.BETTER, Verdict.WORSE, Verdict.DIFFERENT)
CLASSES = {Verdict.BETTER: "up", Verdict.WORSE: "down"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestRow:
    """A difference of one candidate from the baseline.

    Attributes:
        name: Of the candidate.
        difference: Candidate minus baseline, an en dash where there is none.
        verdict: In words; ``way`` is ``up``, ``down`` or empty.
        won: Rows won, tied and lost, in percent.
        note: Why there is no difference, or no test.
    """

    name: str
    page: Page
    difference: str
    interval: str
    whisker: Whisker | None
    verdict: str
    way: str
    p: str
    value: str
    value_interval: str
    won: str
    rows: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestGroup:
    """One task, or the score over all of them."""

    title: str
    page: Page | None
    metric: str
    baseline: str
    baseline_interval: str
    rows: tuple[ForestRow, ...]


@dataclass(frozen=True, slots=True)
class ForestTable:
    """All differences; ``zero`` is the place of none on the axis, in percent."""

    groups: tuple[ForestGroup, ...]
    ticks: tuple[Tick, ...]
    zero: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A run that is compared, and how it did."""

    name: str
    page: Page
    compared: Compared


def forest_table(
    baseline: ScoreValue, candidates: Sequence[tuple[Candidate, ScoreValue]], cards: Mapping[str, Card]
) -> ForestTable | None:
    """Differences of the deciding metric of every task; ``None`` where nothing could be compared.

    Args:
        baseline: GRUE score of the first run.
        candidates: The other runs with theirs.
        cards: Task name -> card.
    """
    tasks = _tasks([candidate for candidate, _ in candidates])
    held = [(name, candidate, task) for name, members in tasks.items() for candidate, task in members]
    placed = [_share(task) for _, _, task in held]
    has_score = any(one.compared.pair and one.compared.pair.grue.value is not None for one, _ in candidates)
    overall = [_overall_share(one) for one, _ in candidates] if has_score else []
    drawn = forest(
        [*overall, *placed],
        [*(not _is_apart(one) for one, _ in candidates[: len(overall)]), *(not _is_shown(task) for _, _, task in held)],
    )
    whiskers = list(drawn.whiskers) if drawn else [None] * (len(overall) + len(placed))
    groups = []
    if has_score:
        rows = [_overall_row(one, score, whiskers[at]) for at, (one, score) in enumerate(candidates)]
        text, interval = _score(baseline)
        groups.append(
            ForestGroup(
                title="GRUE score",
                page=None,
                metric="",
                baseline=text,
                baseline_interval=interval,
                rows=tuple(rows),
            )
        )
    of_task = {
        (name, candidate.page.run): whisker
        for (name, candidate, _), whisker in zip(held, whiskers[len(overall) :], strict=True)
    }
    for name, members in tasks.items():
        groups.append(_group(name, members, cards, of_task))
    if not groups:
        return None
    return ForestTable(tuple(groups), drawn.ticks if drawn else (), drawn.zero if drawn else "")


def _tasks(candidates: Sequence[Candidate]) -> dict[str, list[tuple[Candidate, TaskComparison]]]:
    found: dict[str, list[tuple[Candidate, TaskComparison]]] = {}
    for candidate in candidates:
        for task in candidate.compared.pair.tasks if candidate.compared.pair else ():
            found.setdefault(task.name, []).append((candidate, task))
    return found


def deciding(task: TaskComparison) -> MetricComparison | None:
    """The metric that decides, else the first primary one that has a difference, tested or not."""
    return task.headline or next((metric for metric in task.metrics if metric.is_primary), None)


def _share(task: TaskComparison) -> tuple[float, float, float] | None:
    metric = deciding(task)
    return shares(metric, task.yardsticks.get(metric.name)) if metric else None


def _is_shown(task: TaskComparison) -> bool:
    metric = deciding(task)
    return metric is not None and metric.verdict in SHOWN


def _overall_share(candidate: Candidate) -> tuple[float, float, float] | None:
    pair = candidate.compared.pair
    if pair is None or pair.grue.value is None or pair.grue.ci95 is None:
        return None
    return pair.grue.value, *pair.grue.ci95


def _is_apart(candidate: Candidate) -> bool:
    share = _overall_share(candidate)
    return share is not None and (share[1] > 0 or share[2] < 0)


def _overall_row(candidate: Candidate, score: ScoreValue, whisker: Whisker | None) -> ForestRow:
    pair = candidate.compared.pair
    grue = pair.grue if pair else ScoreValue.none("not compared")
    way = "" if not _is_apart(candidate) or grue.value is None else "up" if grue.value > 0 else "down"
    text, interval = _score(score)
    words = {"up": "better", "down": "worse"}.get(way, "no difference shown")
    return ForestRow(
        name=candidate.name,
        page=candidate.page,
        difference=signed(grue.value, 1),
        interval=between(grue.ci95, 1) if grue.ci95 else "",
        whisker=whisker,
        verdict=words if grue.ci95 else "not tested",
        way=way,
        p=numbers.NONE,
        value=text,
        value_interval=interval,
        won=numbers.NONE,
        rows="",
        note=grue.reason or "by its interval",
    )


def _score(score: ScoreValue) -> tuple[str, str]:
    text = numbers.number(score.value, 1)
    return text, numbers.between(*score.ci95, 1) if score.ci95 else ""


def _group(
    name: str,
    members: Sequence[tuple[Candidate, TaskComparison]],
    cards: Mapping[str, Card],
    whiskers: Mapping[tuple[str, str], Whisker | None],
) -> ForestGroup:
    first = next((metric for _, task in members if (metric := deciding(task))), None)
    places = numbers.decimals(first.name, first.scale) if first else 0
    text, interval = _value(first.baseline, places) if first else (numbers.NONE, "")
    return ForestGroup(
        title=cards[name].title if name in cards else name,
        page=Page(kind="task", task=name),
        metric=_named(first) if first else "",
        baseline=text,
        baseline_interval=interval,
        rows=tuple(_row(one, task, first, whiskers.get((name, one.page.run))) for one, task in members),
    )


def _named(metric: MetricComparison) -> str:
    return f"{metric.name} ↓" if metric.higher_is_better is False else metric.name


def _row(
    candidate: Candidate, task: TaskComparison, first: MetricComparison | None, whisker: Whisker | None
) -> ForestRow:
    metric = deciding(task)
    if metric is None:
        return _empty(candidate, "no primary metric has a value in both")
    places = numbers.decimals(metric.name, metric.scale)
    text, interval = _value(metric.candidate, places)
    other = f"by {metric.name}. " if first is not None and metric.name != first.name else ""
    return ForestRow(
        name=candidate.name,
        page=candidate.page,
        difference=signed(metric.difference, places),
        interval=between(metric.ci95, places) if metric.ci95 else "",
        whisker=whisker,
        verdict=metric.verdict.value,
        way=CLASSES.get(metric.verdict, ""),
        p=p_value(metric.p_randomization_holm),
        value=text,
        value_interval=interval,
        won=_won(metric.rows),
        rows=numbers.count(metric.n or task.n_baseline),
        note=f"{other}{metric.reason or ''}".strip() if metric.verdict is Verdict.UNTESTED else other.strip(),
    )


def _empty(candidate: Candidate, note: str) -> ForestRow:
    return ForestRow(
        name=candidate.name,
        page=candidate.page,
        difference=numbers.NONE,
        interval="",
        whisker=None,
        verdict=Verdict.UNTESTED.value,
        way="",
        p=numbers.NONE,
        value=numbers.NONE,
        value_interval="",
        won=numbers.NONE,
        rows="",
        note=note,
    )


def _value(value: MetricValue, places: int) -> tuple[str, str]:
    text = numbers.number(value.value, places)
    return text, numbers.between(*value.ci95, places) if value.ci95 else ""


def _won(rows: RowCounts | None) -> str:
    total = rows.wins + rows.ties + rows.losses if rows else 0
    if rows is None or not total:
        return numbers.NONE
    wins, losses = round(100 * rows.wins / total), round(100 * rows.losses / total)
    return f"{wins} / {max(0, 100 - wins - losses)} / {losses}"
