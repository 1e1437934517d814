"""Two to five runs beside each other: the answer in words, whether it may be asked, differences, rows that moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grue.comparison.standings_runs import BoardRun
from leaderboard_site.cards import Card
from leaderboard_site.comparing import MOST_RUNS, Compared
from leaderboard_site.links import Page
from leaderboard_site.numbers import count
from leaderboard_site.pages.compare_forest import Candidate, ForestTable, deciding, forest_table
from leaderboard_site.pages.compare_metrics import MetricTable, metric_table
from leaderboard_site.pages.compare_notes import Note, lead, note_of, task_title
from leaderboard_site.pages.compare_rows import ROWS_A_PAGE, WAYS, MovedRows
from leaderboard_site.pages.frame import Frame, Tab
from leaderboard_site.pages.samples_form import Option

MOST_OFFERED = 80  # runs in a select box


@dataclass(frozen=True, slots=True)
class Picker:
    """The form that chooses runs: a select box for each, the baseline first.

    Attributes:
        boxes: Label and choices of each.
        hidden: Further state of the view, kept when other runs are chosen.
    """

    boxes: tuple[tuple[str, tuple[Option, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareView:
    """Page value of ``compare.html``.

    Attributes:
        state: ``""`` for a comparison, ``choose`` for too few runs, ``wrong`` for runs that cannot be, ``waiting``.
        moved: ``None`` where no rows can be shown; ``moved_reason`` says why.
        every: The view with all metrics tested, or with the primary ones alone.
    """

    frame: Frame
    title: str
    lead: str
    state: str = ""
    picker: Picker
    names: tuple[tuple[str, Page], ...] = ()
    notes: tuple[Note, ...] = ()
    forest: ForestTable | None = None
    n_tasks: str = ""
    metrics: tuple[MetricTable, ...] = ()
    every: Tab | None = None
    tasks: tuple[Tab, ...] = ()
    ways: tuple[Tab, ...] = ()
    moved: MovedRows | None = None
    moved_reason: str = ""
    hidden_reason: str = ""
    language: str = ""
    range_label: str = ""
    previous: Page | None = None
    next: Page | None = None


def page_of(runs: Sequence[str], given: Mapping[str, str], number: int = 1) -> Page:
    """The comparison of some runs with some state."""
    query = tuple((name, given[name]) for name in ("task", "moved", "metrics") if given.get(name))
    return Page(kind="compare", runs=tuple(runs), number=number, query=query)


def picker(chosen: Sequence[BoardRun], offered: Sequence[BoardRun]) -> Picker:
    """Select boxes for the chosen runs, two at least, and one more where there may be."""
    listed = list(offered[:MOST_OFFERED])
    listed += [run for run in chosen if run not in listed]
    n_boxes = min(MOST_RUNS, max(2, len(chosen) + 1))
    labels = ["Baseline", *(f"Run {number}" for number in range(2, n_boxes + 1))]
    boxes = []
    for at, label in enumerate(labels):
        mine = chosen[at].id if at < len(chosen) else ""
        options = [Option("", "none", not mine)]
        options += [Option(run.id, run.name, run.id == mine) for run in listed]
        boxes.append((label if at < 2 or mine else "Add a run", tuple(options)))
    return Picker(tuple(boxes))


def choosing_view(
    chosen: Sequence[BoardRun], offered: Sequence[BoardRun], *, told: str = "", is_wrong: bool = False
) -> CompareView:
    """The page for too few runs, or for runs that cannot be compared."""
    words = told or "Choose two to five runs that answered the same rows; the first is the baseline."
    return CompareView(
        frame=Frame(page_of([run.id for run in chosen], {}), "Compare runs", "compare", is_indexed=False),
        title="Compare runs",
        lead=words,
        state="wrong" if is_wrong else "choose",
        picker=picker(chosen, offered),
        names=tuple((run.name, Page(kind="run", run=run.id)) for run in chosen),
    )


def waiting_view(chosen: Sequence[BoardRun], offered: Sequence[BoardRun], given: Mapping[str, str]) -> CompareView:
    """The page for a comparison that is still being computed."""
    return CompareView(
        frame=Frame(page_of([run.id for run in chosen], given), title_of(chosen), "compare", is_indexed=False),
        title=title_of(chosen),
        lead="The paired tests are being computed; this page asks again in five seconds.",
        state="waiting",
        picker=picker(chosen, offered),
    )


def title_of(runs: Sequence[BoardRun]) -> str:
    """``B against A``, ``3 runs against A``."""
    first, *others = runs
    return f"{others[0].name if len(others) == 1 else f'{count(len(others))} runs'} against {first.name}"


def compare_view(
    runs: Sequence[BoardRun],
    compared: Sequence[Compared],
    offered: Sequence[BoardRun],
    cards: Mapping[str, Card],
    given: Mapping[str, str],
    task: str,
    moved: MovedRows | None,
    *,
    moved_reason: str = "",
    hidden_reason: str = "",
) -> CompareView:
    """The page of a comparison.

    Args:
        runs: Those compared, the baseline first.
        compared: How each of the others did.
        offered: Runs to choose from.
        cards: Task name -> card.
        given: State of the view: ``task``, ``moved``, ``metrics``.
        task: Whose rows are shown; empty for none.
        moved: Its rows that moved most.
        moved_reason: Why there are none.
        hidden_reason: Why their texts are not shown.
    """
    ids = [run.id for run in runs]
    candidates = [
        Candidate(run.name, Page(kind="run", run=run.id), one) for run, one in zip(runs[1:], compared, strict=True)
    ]
    scored = [(one, run.results.scores.grue) for one, run in zip(candidates, runs[1:], strict=True)]
    names = _task_names(compared)
    all_metrics = given.get("metrics") == "all"
    has_more = any(one.pair is not None for one in compared)
    at = moved.number if moved else 1
    way = given.get("moved", "")
    return CompareView(
        frame=Frame(page_of(ids, given, at), title_of(runs), "compare", is_indexed=False),
        title=title_of(runs),
        lead=lead(runs, compared, cards),
        picker=picker(runs, offered),
        names=tuple((run.name, Page(kind="run", run=run.id)) for run in runs),
        notes=tuple(
            note_of(run.name, one, cards, is_only=len(runs) == 2) for run, one in zip(runs[1:], compared, strict=True)
        ),
        forest=forest_table(runs[0].results.scores.grue, scored, cards),
        n_tasks=count(len(names)),
        metrics=tuple(
            metric_table(f"{run.name} against {runs[0].name}", one.pair, cards)
            for run, one in zip(runs[1:], compared, strict=True)
            if all_metrics and one.pair is not None
        ),
        every=_every(ids, given, all_metrics=all_metrics) if has_more else None,
        tasks=tuple(
            Tab(task_title(cards, name), page_of(ids, {**given, "task": name, "moved": ""}), name == task)
            for name in names
        ),
        ways=tuple(Tab(label, page_of(ids, {**given, "moved": key}), key == way) for key, label in WAYS.items())
        if moved is not None
        else (),
        moved=moved,
        moved_reason=moved_reason,
        hidden_reason=hidden_reason,
        language=cards[task].language if task in cards else "",
        range_label=_range(moved),
        previous=page_of(ids, given, at - 1) if moved and at > 1 else None,
        next=page_of(ids, given, at + 1) if moved and at < moved.n_pages else None,
    )


@dataclass(frozen=True, slots=True)
class SharedTask:
    """A task that some of the runs share with the baseline.

    Attributes:
        metric: By which its rows are set beside each other.
        places: Places of the runs among those compared, the baseline's, 0, first.
    """

    metric: str
    places: tuple[int, ...]


def tasks_of(compared: Sequence[Compared]) -> dict[str, SharedTask]:
    """Tasks whose rows can be set beside each other, with the runs that have them."""
    found: dict[str, SharedTask] = {}
    for name in _task_names(compared):
        held = [
            (place, task)
            for place, one in enumerate(compared, 1)
            for task in (one.pair.tasks if one.pair else ())
            if task.name == name
        ]
        first = held[0][1]
        metric = deciding(first)
        by = first.moved.metric if first.moved else metric.name if metric else ""
        found[name] = SharedTask(by, (0, *(place for place, _ in held)))
    return found


def _task_names(compared: Sequence[Compared]) -> list[str]:
    return list(dict.fromkeys(task.name for one in compared if one.pair for task in one.pair.tasks))


def _range(moved: MovedRows | None) -> str:
    if moved is None or not moved.rows:
        return ""
    first = (moved.number - 1) * ROWS_A_PAGE
    return f"Rows {count(first + 1)} to {count(first + len(moved.rows))} of {count(moved.n_moved)}"


def _every(ids: Sequence[str], given: Mapping[str, str], *, all_metrics: bool) -> Tab:
    if all_metrics:
        return Tab("Primary metrics alone", page_of(ids, {**given, "metrics": ""}), True)
    return Tab("Test all metrics and rewards", page_of(ids, {**given, "metrics": "all"}), False)
