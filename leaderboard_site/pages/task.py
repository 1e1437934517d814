"""A task: what it asks, its ranking as a picture and a table, its facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from grue.comparison.standings import BoardData
from grue.comparison.standings_overall import known
from grue.comparison.standings_runs import CEILING, FLOOR
from grue.comparison.standings_task import Entry, TaskBoard
from leaderboard_site.cards import Card
from leaderboard_site.charts import DotPlot
from leaderboard_site.links import Page
from leaderboard_site.markdown import to_html
from leaderboard_site.numbers import NONE, count, decimals, number, plural
from leaderboard_site.pages.cost import axis_tabs, known_axes
from leaderboard_site.pages.cost_figures import task_figure
from leaderboard_site.pages.frame import (
    Column,
    Fact,
    Frame,
    ScoreCell,
    Tab,
    marks,
    overall_cell,
    scale_note,
    score_cell,
    sort_rows,
)
from leaderboard_site.pages.natural import natural_picture_of_task
from leaderboard_site.pages.pictures import Picture
from leaderboard_site.pages.standing import Band, RankCell, in_bands, in_several, rank_cell, singles_of
from leaderboard_site.pages.task_example import Example
from leaderboard_site.pages.task_facts import SignatureRow, signatures, task_facts
from leaderboard_site.pages.task_formula import Formula, formula
from leaderboard_site.pages.task_history import History, history
from leaderboard_site.pages.task_plot import plot_note, task_plot

SCORES = ("quality", "naturalness")
OTHER_METRICS = 5  # columns beside the shown metric; the run pages have all


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One run of the ranking."""

    name: str
    page: Page
    samples: Page
    mark: str
    role: str
    rank: RankCell
    several: str
    singles: tuple[tuple[str, Page], ...]
    score: ScoreCell
    others: tuple[ScoreCell, ...]
    sorts: Mapping[str, float | str | None]


@dataclass(frozen=True, slots=True)
class Group:
    """Runs that are shown, not ranked: their rows or metric differ from the ranked ones."""

    reason: str
    rows: tuple[TaskRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """Page value of ``task.html``."""

    frame: Frame
    title: str
    lead: str
    tabs: tuple[Tab, ...]
    settings: tuple[Tab, ...]
    metric: str
    plot: DotPlot | None
    plot_note: str
    cost: Picture | None
    axes: tuple[Tab, ...]
    example: Example | None
    language: str
    facts: tuple[Fact, ...]
    quirks: tuple[Fact, ...]
    card: Markup
    formula: Formula | None
    caption: str
    columns: tuple[Column, ...]
    bands: tuple[Band[TaskRow], ...]
    has_bands: bool
    natural: Picture | None
    history: History | None
    signatures: tuple[SignatureRow, ...]
    groups: tuple[Group, ...]
    yardsticks: tuple[TaskRow, ...]
    marks: tuple[tuple[str, str], ...]
    sort_label: str


def task_views(
    board: TaskBoard,
    data: BoardData,
    cards: Mapping[str, Card],
    *,
    tasks: Sequence[Tab],
    settings: Sequence[Tab],
    slug: str,
    example: Example | None,
    json: Page,
) -> list[TaskView]:
    """The page of a task in one setting, in every order.

    Args:
        board: The task, ranked.
        data: The setting it stands in.
        cards: Task name -> card.
        tasks: Links to all tasks.
        settings: Links to this task in its settings.
        slug: The setting's slug in addresses; empty for the one shown by default.
        example: A real row, where texts may be shown.
        json: The JSON document of this task.
    """
    card = cards[board.task]
    others = [*_scores_shown(board), *_other_metrics(board)]
    entries = list(board.entries.values())
    rows = {e.run.id: _row(e, board, others) for e in entries}
    main = [rows[e.run.id] for e in entries if not e.run.is_yardstick and not e.differs]
    yards = [e for e in entries if e.run.is_yardstick and not e.differs]
    yards.sort(key=lambda e: ({CEILING: 0, FLOOR: 1}.get(e.run.source, 2), e.run.source))
    base = Page(kind="task", task=board.task, setting=slug)
    result = board.example
    columns, axes = _sortable(board, others), known_axes(data)
    whole = TaskView(
        frame=Frame(base, card.title, "tasks", json),
        title=card.title,
        lead=_lead(board, card, data),
        tabs=tuple(tasks),
        settings=tuple(settings),
        metric=board.metric or "",
        plot=task_plot(board, [e for e in entries if not e.run.is_yardstick] + yards),
        plot_note=plot_note(board),
        cost=task_figure(board, data, card.title, axes[0]) if axes and board.metric else None,
        axes=axis_tabs(axes, None, Page(kind="cost", task=board.task, setting=slug)),
        example=example,
        language=card.language,
        facts=task_facts(board, card, result, [name for name in others if name not in SCORES]),
        quirks=tuple(Fact(quirk.key, quirk.summary) for quirk in card.quirks),
        card=to_html(card.text),
        formula=formula(entries),
        caption=f"{plural(len(main), 'run')}, {count(result.scored)} rows each, {data.setting.label}.",
        columns=_columns(columns, base, "rank", reverse=False),
        bands=in_bands(main),
        has_bands=any(row.rank.band for row in main),
        natural=natural_picture_of_task(board, data),
        history=history(board),
        signatures=signatures(board, result),
        groups=_groups(entries, rows),
        yardsticks=tuple(rows[e.run.id] for e in yards),
        marks=marks([e.run.mark for e in entries if not e.run.is_yardstick]),
        sort_label="",
    )
    views = [whole]
    for key, _, best_is_high in columns:
        for reverse in (False, True):
            if key == "rank" and not reverse:
                continue
            descending = best_is_high != reverse
            views.append(
                replace(
                    whole,
                    frame=Frame(_sorted_page(base, key, reverse=reverse), f"{card.title} by {key}", "tasks", json),
                    columns=_columns(columns, base, key, reverse=reverse),
                    bands=(Band("", tuple(sort_rows(main, _by(key), descending=descending))),),
                    sort_label=f"{key}, {'highest' if descending else 'lowest'} first",
                )
            )
    return views


def _by(key: str) -> Callable[[TaskRow], float | str | None]:
    return lambda row: row.sorts[key]


def _scores_shown(board: TaskBoard) -> list[str]:
    """Quality and naturalness, where any run has one or says why it has none."""
    standings = [entry.result.standing for entry in board.entries.values()]
    return [name for name in SCORES if any(known(getattr(standing, name)) for standing in standings)]


def _other_metrics(board: TaskBoard) -> list[str]:
    """Metrics with a direction that some ranked run has a value of: primary ones first, then in suite order."""
    results = [entry.result for entry in board.entries.values() if not entry.differs]
    primary = [name for result in results for name in result.primary]
    names = dict.fromkeys([*primary, *(name for result in results for name in result.scores)])
    return [
        name
        for name in names
        if name != board.metric
        and any(
            (score := result.scores.get(name)) and score.value is not None and score.higher_is_better is not None
            for result in results
        )
    ][:OTHER_METRICS]


def _sortable(board: TaskBoard, others: Sequence[str]) -> list[tuple[str, tuple[str, ...], bool]]:
    """Column key, second line, whether the best is the highest."""
    metrics = [name for name in (board.metric, *others) if name]
    columns: list[tuple[str, tuple[str, ...], bool]] = [("rank", ("95 % range",), False), ("run", ("mark",), False)]
    for name in metrics:
        if name in SCORES:
            columns.append((name, ("0 to 100",), True))
            continue
        scores = [s for e in board.entries.values() if (s := e.result.scores.get(name)) and s.value is not None]
        higher = scores[0].higher_is_better is not False if scores else True
        note = scale_note(scores[0].scale if scores else None)
        columns.append((name, (note if higher else f"{note}, lower is better",), higher))
    return columns


def _sorted_page(base: Page, key: str, *, reverse: bool) -> Page:
    return base if key == "rank" and not reverse else replace(base, sort=key, reverse=reverse)


def _columns(
    sortable: Sequence[tuple[str, tuple[str, ...], bool]], base: Page, current: str, *, reverse: bool
) -> tuple[Column, ...]:
    columns = []
    for key, notes, best_is_high in sortable:
        page = _sorted_page(base, key, reverse=key == current and not reverse)
        direction = ("descending" if best_is_high != reverse else "ascending") if key == current else ""
        label = key.capitalize() if key in ("rank", "run", *SCORES) else key
        columns.append(Column(label, notes, key != "run", page, direction))
    return tuple(columns)


def _row(entry: Entry, board: TaskBoard, others: Sequence[str]) -> TaskRow:
    run, scores = entry.run, entry.result.scores
    cells = []
    standing = {"quality": entry.result.standing.quality, "naturalness": entry.result.standing.naturalness}
    for name in others:
        score = scores.get(name)
        if name in SCORES:
            cells.append(overall_cell(standing[name]))
        elif score is None or score.value is None:
            cells.append(ScoreCell(NONE, reason=(score and score.reason) or "no value"))
        else:
            places = decimals(name, score.scale)
            spread = "" if score.sd is None else f"sd {number(score.sd, places)}"
            cells.append(ScoreCell(number(score.value, places), spread=spread))
    values = {name: score.value for name in (board.metric, *others) if name and (score := scores.get(name))}
    values |= {name: one.value for name, one in standing.items()}
    return TaskRow(
        name=run.name,
        page=Page(kind="run", run=run.id),
        samples=Page(kind="samples", run=run.id, task=board.task),
        mark="" if run.is_yardstick else run.mark,
        role={CEILING: "ceiling", FLOOR: "floor"}.get(run.source, "null system") if run.is_yardstick else "",
        rank=rank_cell(entry, len(board.ranked)),
        several=in_several(run),
        singles=singles_of(run),
        score=replace(score_cell(entry, board), quality=""),  # it has a column of its own
        others=tuple(cells),
        sorts={
            "rank": entry.rank,
            "run": run.name,
            **{name: values.get(name) for name in (board.metric, *others) if name},
        },
    )


def _groups(entries: Sequence[Entry], rows: Mapping[str, TaskRow]) -> tuple[Group, ...]:
    differing: dict[tuple[str, ...], list[TaskRow]] = {}
    for entry in entries:
        if entry.differs:
            differing.setdefault(entry.differs, []).append(rows[entry.run.id])
    return tuple(
        Group(f"Not ranked with the runs above: other {', other '.join(fields)}.", tuple(members))
        for fields, members in sorted(differing.items())
    )


def _lead(board: TaskBoard, card: Card, data: BoardData) -> str:
    parts = [card.summary or "No description: the plugin of this task is not installed here."]
    if board.metric and board.ranked:
        best, places = board.ranked[0], decimals(board.metric, board.scale)
        cell = score_cell(best, board)
        value = " ".join(part for part in (cell.text, cell.pm) if part)
        parts.append(f"Best {board.metric} of {plural(len(board.ranked), 'run')}: {best.run.name} with {value}.")
        if board.floor is not None:
            parts.append(f"Another row's reference already reaches {number(board.floor, places)}.")
    parts.append(f"{data.setting.label.capitalize()}.")
    return " ".join(parts)
