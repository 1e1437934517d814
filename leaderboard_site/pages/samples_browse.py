"""The samples page of a server: filtered, sorted, and compared word by word with another run, all by its address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from grue.comparison.standings_runs import BoardRun, TaskResult
from grue.core.errors import RunDirectoryError
from leaderboard_site.cards import Card
from leaderboard_site.links import Page
from leaderboard_site.numbers import count, plural
from leaderboard_site.pages.frame import Frame, Tab
from leaderboard_site.pages.rows import SampleRow, sample_row
from leaderboard_site.pages.sample_texts import Scales, sample_of, samples_lead
from leaderboard_site.pages.samples import SamplesView, may_show_texts, range_label
from leaderboard_site.pages.samples_form import Asked, form_of, page_of, read_asked
from leaderboard_site.sample_store import FINISHES, ROWS_A_PAGE, SampleColumns, SamplePage, SampleStore

MOST_OTHERS = 40  # runs offered for a word diff
HIDDEN_SPLIT = (
    "Nothing of single rows is shown: this run was scored on a hidden split, whose prompts, references and per-row "
    "scores stay with the host, so that nobody can train or tune on them."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Browsed:
    """What a samples page is made from.

    Attributes:
        metric: The score shown first, where rows have it.
        others: Runs that words may be compared with, on the same rows.
        is_hidden_split: Whether nothing of single rows may be shown.
        params: The address's parameters.
    """

    run: BoardRun
    result: TaskResult
    card: Card
    metric: str | None
    tabs: Sequence[Tab]
    others: Sequence[BoardRun] = ()
    is_hidden_split: bool = False
    params: Mapping[str, str] = field(default_factory=dict)


def browse_view(asked: Browsed, store: SampleStore) -> SamplesView:
    """The page that an address asks for.

    Raises:
        RunDirectoryError: where the generations cannot be read.
    """
    run, result = asked.run, asked.result
    base = Page(kind="samples", run=run.id, task=result.name)
    if asked.is_hidden_split:
        return _without_rows(asked, base, HIDDEN_SPLIT)
    if not run.stored.has_samples(result.name):
        return _without_rows(asked, base, "")
    columns = store.columns(run.stored, result.name)
    metric = _first_metric(result, asked.metric, columns)
    read = read_asked(asked.params, columns, metric)
    other = next((one for one in asked.others if one.id == read.diff), None)
    if read.diff and other is None:
        why = "That run is not there or answered other rows; words are not compared."
        read = replace(read, problems={**read.problems, "diff": why})
    hidden = may_show_texts(asked.card, result)
    page = store.page(run.stored, result.name, read.query, shows_texts=not hidden)
    offered = [*asked.others[:MOST_OTHERS], *([other] if other and other not in asked.others[:MOST_OTHERS] else [])]
    form = form_of(read, columns, base, metric, [(one.id, one.name) for one in offered])
    scales = Scales.of(result, read.query.sort, read.query.metric, metric)
    theirs = _same_rows(other, result.name, page.rows) if other else {}
    first = (page.number - 1) * ROWS_A_PAGE
    name = f"{asked.card.title} samples of {run.name}"
    json = Page(kind="json", name=f"runs/{run.id}/samples/{result.name}")
    is_filtered = bool(form.chips) and set(read.given) - {"diff", "sort", "metric"} != set()
    return SamplesView(
        frame=Frame(
            page_of(base, read.given, page.number),
            f"{name}, page {page.number}" if page.number > 1 else name,
            "board",
            None if hidden else json,
            # One address a page for search engines; filters make countless ones.
            is_indexed=not read.given,
        ),
        run_name=run.name,
        run_page=Page(kind="run", run=run.id),
        title=f"{asked.card.title} samples",
        lead=samples_lead(result, metric, columns.n_rows, columns.n_empty, columns.n_cut),
        tabs=tuple(asked.tabs),
        orders=tuple(_orders(result, metric, columns, base, read)),
        shows_texts=not hidden,
        hidden_reason=hidden,
        language=asked.card.language,
        samples=tuple(
            sample_of(
                row,
                place,
                columns.n_rows,
                result,
                scales,
                shows_texts=not hidden,
                link=page_of(base, {"id": row.id, **({"diff": other.id} if other else {})}),
                other=theirs.get((row.id, row.sample)),
                is_compared=other is not None,
            )
            for row, place in zip(page.rows, page.places, strict=True)
        ),
        range_label=range_label(first, len(page.rows), count(page.n_matches)) if page.rows else "",
        previous=page_of(base, read.given, page.number - 1) if page.number > 1 else None,
        next=page_of(base, read.given, page.number + 1) if page.number < page.n_pages else None,
        form=form,
        matches=_matches(page, is_filtered=is_filtered),
        other=other.name if other else "",
        first=page_of(base, read.given) if page.number > 2 else None,
        last=page_of(base, read.given, page.n_pages) if page.number < page.n_pages - 1 else None,
    )


def comparable_runs(run: BoardRun, task: str, runs: Sequence[BoardRun]) -> list[BoardRun]:
    """Runs with generations of the same rows, in the order given, without the run itself."""
    key = run.tasks[task].rows_key
    return [
        one
        for one in runs
        if one.id != run.id and task in one.tasks and one.tasks[task].rows_key == key and one.stored.has_samples(task)
    ]


def _without_rows(asked: Browsed, base: Page, reason: str) -> SamplesView:
    return SamplesView(
        frame=Frame(base, f"{asked.card.title} samples of {asked.run.name}", "board", is_indexed=False),
        run_name=asked.run.name,
        run_page=Page(kind="run", run=asked.run.id),
        title=f"{asked.card.title} samples",
        lead="Hidden split." if reason else samples_lead(asked.result, None, 0, 0, 0),
        tabs=tuple(asked.tabs),
        orders=(),
        shows_texts=False,
        hidden_reason=reason,
        language=asked.card.language,
        samples=(),
        range_label="",
        previous=None,
        next=None,
    )


def _first_metric(result: TaskResult, shown: str | None, columns: SampleColumns) -> str | None:
    """The shown metric where it has a value a row, else the next primary, else the next with a direction."""
    directed = [name for name, score in result.scores.items() if score.higher_is_better is not None]
    return next((name for name in (shown, *result.primary, *directed) if name and name in columns.scores), None)


def _orders(result: TaskResult, metric: str | None, columns: SampleColumns, base: Page, read: Asked) -> list[Tab]:
    """Links to the extremes and to what is odd; words stay compared."""
    kept = {"diff": read.diff} if read.diff else {}
    found: list[tuple[str, dict[str, str], str]] = [("By id", {}, "")]
    if metric:
        score = result.scores.get(metric)
        worst = f"-{metric}" if score and score.higher_is_better is False else metric
        best = metric if worst.startswith("-") else f"-{metric}"
        found += [(f"Worst {metric}", {"sort": worst}, ""), (f"Best {metric}", {"sort": best}, "")]
    found += [
        (label, {"finish": finish}, count(n))
        for label, finish, n in (("Empty", FINISHES[2], columns.n_empty), ("Cut", FINISHES[1], columns.n_cut))
        if n
    ]
    given = {name: value for name, value in read.given.items() if name != "diff"}
    return [Tab(label, page_of(base, state | kept), state == given, note) for label, state, note in found]


def _matches(page: SamplePage, *, is_filtered: bool) -> str:
    if not is_filtered:
        return ""
    return f"{count(page.n_matches)} of {plural(page.n_rows, 'row')} match{'es' if page.n_matches == 1 else ''}"


def _same_rows(other: BoardRun, task: str, rows: Sequence[SampleRow]) -> dict[tuple[str, int], SampleRow]:
    """The rows of another run with the ids of these."""
    place = f"samples/{task}.parquet"
    hidden = {"prompt", "references", "inputs", "raw"}
    try:
        import pyarrow.parquet as pq

        names = pq.read_schema(other.stored.path / place).names
        wanted = [name for name in names if name not in hidden]
        table = other.stored.samples(task, wanted, ids={row.id for row in rows})
        found = [sample_row(record) for record in table.to_pylist()]
    except KeyError as error:
        raise RunDirectoryError(f"column {error} is missing.", place=place) from error
    except (OSError, ValueError) as error:
        raise RunDirectoryError(f"cannot be read: {error}", place=place) from error
    return {(row.id, row.sample): row for row in found}
