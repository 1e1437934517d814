"""Two to five runs beside each other: the answer in words, whether it may be asked, differences, rows that moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grue.comparison.numbers import between, p_value, signed
from grue.comparison.standings_runs import BoardRun
from grue.comparison.values import Pair, Verdict
from leaderboard_site.cards import Card
from leaderboard_site.comparing import FIELDS, MOST_RUNS, Compared, Unlike
from leaderboard_site.links import Page
from leaderboard_site.numbers import NONE, count, decimals, number
from leaderboard_site.pages.compare_forest import CLASSES, Candidate, ForestTable, deciding, forest_table
from leaderboard_site.pages.compare_rows import WAYS, MovedRows
from leaderboard_site.pages.frame import Frame, Tab
from leaderboard_site.pages.samples_form import Option

MOST_OFFERED = 80  # runs in a select box
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Picker:
    """The form that chooses runs: a select box for each, the baseline first.

    Attributes:
        boxes: Label and choices of each.
        hidden: Further state of the view, kept when other runs are chosen.
    """

    boxes: tuple[tuple[str, tuple[Option, ...]], ...]


@dataclass(frozen=True, slots=True)
class Note:
    """Whether a candidate may be compared with the baseline, and in what they differ.

    Attributes:
        run: Name of the candidate.
        lines: Sentences.
        unlike: Task and metric, field, value of the baseline and of the candidate, of what is left out.
        differing: Task, setting, value of the baseline and of the candidate, of what may differ.
    """

    run: str
    title: str
    is_whole: bool
    lines: tuple[str, ...]
    unlike: tuple[tuple[str, str, str, str], ...]
    differing: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True, slots=True)
class MetricLine:
    """One metric of one task of a pair."""

    task: str
    metric: str
    baseline: str
    candidate: str
    difference: str
    interval: str
    p: str
    effect: str
    rows: str
    verdict: str
    way: str


@dataclass(frozen=True, slots=True)
class MetricTable:
    """All metrics of a pair."""

    title: str
    lines: tuple[MetricLine, ...]


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
    chosen: Sequence[BoardRun], offered: Sequence[BoardRun], *, lead: str = "", is_wrong: bool = False
) -> CompareView:
    """The page for too few runs, or for runs that cannot be compared."""
    told = lead or "Choose two to five runs that answered the same rows; the first is the baseline."
    return CompareView(
        frame=Frame(page_of([run.id for run in chosen], {}), "Compare runs", "compare", is_indexed=False),
        title="Compare runs",
        lead=told,
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
        lead=_lead(runs, compared, cards),
        picker=picker(runs, offered),
        names=tuple((run.name, Page(kind="run", run=run.id)) for run in runs),
        notes=tuple(_note(run.name, one, cards, len(runs) == 2) for run, one in zip(runs[1:], compared, strict=True)),
        forest=forest_table(runs[0].results.scores.grue, scored, cards),
        n_tasks=count(len(names)),
        metrics=tuple(
            _metric_table(f"{run.name} against {runs[0].name}", one.pair, cards)
            for run, one in zip(runs[1:], compared, strict=True)
            if all_metrics and one.pair is not None
        ),
        every=_every(ids, given, all_metrics=all_metrics) if has_more else None,
        tasks=tuple(
            Tab(_title(cards, name), page_of(ids, {**given, "task": name, "moved": ""}), name == task) for name in names
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


def _title(cards: Mapping[str, Card], name: str) -> str:
    return cards[name].title if name in cards else name


def _range(moved: MovedRows | None) -> str:
    from leaderboard_site.pages.compare_rows import ROWS_A_PAGE

    if moved is None or not moved.rows:
        return ""
    first = (moved.number - 1) * ROWS_A_PAGE
    return f"Rows {count(first + 1)} to {count(first + len(moved.rows))} of {count(moved.n_moved)}"


def _every(ids: Sequence[str], given: Mapping[str, str], *, all_metrics: bool) -> Tab:
    if all_metrics:
        return Tab("Primary metrics alone", page_of(ids, {**given, "metrics": ""}), True)
    return Tab("Test all metrics and rewards", page_of(ids, {**given, "metrics": "all"}), False)


def _lead(runs: Sequence[BoardRun], compared: Sequence[Compared], cards: Mapping[str, Card]) -> str:
    sentences = []
    for run, one in zip(runs[1:], compared, strict=True):
        words = _pair_words(one, cards)
        sentences.append(words if len(compared) == 1 else f"{run.name}: {words[:1].lower()}{words[1:]}")
    return " ".join(sentences)


def _pair_words(one: Compared, cards: Mapping[str, Card]) -> str:
    pair = one.pair
    if pair is None:
        return f"Not comparable. {one.reason}"
    if pair.is_equal:
        return "No difference on any task, in any value or row."
    n_tasks = len(pair.tasks)
    parts = []
    for verdict, words in (
        (Verdict.BETTER, "better on"),
        (Verdict.WORSE, "worse on"),
        (Verdict.DIFFERENT, "different on"),
        (Verdict.NONE_SHOWN, "no difference shown on"),
        (Verdict.EQUAL, "equal on"),
    ):
        names = [_title(cards, name) for name in pair.with_verdict(verdict)]
        if names:
            parts.append(_on(words, names, n_tasks))
    untested = [_title(cards, task.name) for task in pair.tasks if task.headline is None]
    if untested:
        parts.append(_on("not tested on", untested, n_tasks))
    text = ", ".join(parts)
    score = ""
    if pair.grue.value is not None:
        bounds = f", interval {between(pair.grue.ci95, 1)}" if pair.grue.ci95 else ""
        score = f" GRUE score {signed(pair.grue.value, 1)}{bounds}."
    return f"{text[:1].upper()}{text[1:]}.{score}"


def _on(words: str, names: Sequence[str], n_tasks: int) -> str:
    if len(names) == n_tasks:
        return f"{words} {f'all {count(n_tasks)} tasks' if n_tasks > 1 else names[0]}"
    if len(names) <= 2:
        return f"{words} {' and '.join(names)}"
    return f"{words} {count(len(names))} of {count(n_tasks)} tasks"


def _note(name: str, one: Compared, cards: Mapping[str, Card], is_only: bool) -> Note:
    lines = []
    n_tasks = len(one.pair.tasks) if one.pair else 0
    who = "" if is_only else f" with {name}"
    if one.pair is None:
        title = f"Not comparable{who}."
        lines.append(one.reason)
    elif one.unlike:
        title = f"Partly comparable{who}."
        lines.append(f"Equal rows, prompts, task versions and metric signatures on {count(n_tasks)} of the tasks.")
    else:
        title = f"Comparable{who}."
        all_of = "the one task" if n_tasks == 1 else f"all {count(n_tasks)} tasks"
        lines.append(f"Same rows, prompts, task versions and metric signatures on {all_of} that both have.")
    if one.unlike and one.pair is not None:
        lines.append(f"Left out for other {', other '.join(dict.fromkeys(FIELDS[x.field] for x in one.unlike))}.")
    for task, reason in one.lacking:
        lines.append(f"{_title(cards, task)}: {reason}.")
    if one.pair is not None:
        groups = dict.fromkeys(setting.name.split(".")[0] for setting in one.pair.differing)
        lines.append(f"They differ in: {', '.join(groups)}." if groups else "Their settings do not differ.")
    return Note(
        run=name,
        title=title,
        is_whole=one.pair is not None and not one.unlike,
        lines=tuple(lines),
        unlike=tuple(_unlike(x, cards) for x in one.unlike),
        differing=tuple(
            (_title(cards, x.task) if x.task else "", x.name, x.baseline, x.candidate)
            for x in (one.pair.differing if one.pair else ())
        ),
    )


def _unlike(one: Unlike, cards: Mapping[str, Card]) -> tuple[str, str, str, str]:
    what = " ".join(part for part in (_title(cards, one.task), one.metric) if part)
    return what, FIELDS[one.field], _short(one.baseline), _short(one.candidate)


def _short(value: str) -> str:
    is_hash = len(value) == 64 and set(value) <= set("0123456789abcdef")
    return f"{value[:_DIGITS]}…" if is_hash else value


def _metric_table(title: str, pair: Pair, cards: Mapping[str, Card]) -> MetricTable:
    lines = []
    for task in pair.tasks:
        for metric in task.metrics:
            places = decimals(metric.name, metric.scale)
            rows = metric.rows
            lines.append(
                MetricLine(
                    task=_title(cards, task.name),
                    metric=f"{metric.name} ↓" if metric.higher_is_better is False else metric.name,
                    baseline=number(metric.baseline.value, places),
                    candidate=number(metric.candidate.value, places),
                    difference=signed(metric.difference, places),
                    interval=between(metric.ci95, places) if metric.ci95 else NONE,
                    p=p_value(metric.p_randomization_holm),
                    effect=signed(metric.effect_size, 2),
                    rows=f"{rows.wins} / {rows.ties} / {rows.losses}" if rows else NONE,
                    verdict=metric.verdict.value,
                    way=CLASSES.get(metric.verdict, ""),
                )
            )
    return MetricTable(title, tuple(lines))
