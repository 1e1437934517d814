"""The rows of a task that moved most between runs, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from grue.comparison.columns import MetricRows, all_metric_rows
from grue.comparison.numbers import signed
from grue.comparison.standings_runs import BoardRun
from grue.comparison.word_diff import Piece, word_diff
from grue.core.metric import Floats
from leaderboard_site.links import Page
from leaderboard_site.numbers import count, decimals, number, plural
from leaderboard_site.pages.rows import SampleRow, sample_row
from leaderboard_site.pages.sample_texts import trimmed

ROWS_A_PAGE = 20
_ROUNDING = 1e-12
_DIGITS = 12
WAYS = {"": "all", "better": "for the better", "worse": "for the worse"}


@dataclass(frozen=True, slots=True)
class SideText:
    """What one run wrote for a row; words that the baseline's text lacks, or that lack there, are marked."""

    name: str
    page: Page
    value: str
    change: str
    way: str
    texts: tuple[tuple[Piece, ...], ...]
    is_baseline: bool


@dataclass(frozen=True, slots=True)
class MovedRow:
    """A row with the texts of all runs, the baseline's first."""

    anchor: str
    id: str
    prompt: str | None
    references: tuple[str, ...]
    sides: tuple[SideText, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedRows:
    """One page of rows, those that moved most first.

    Attributes:
        metric: By which they moved.
        n_moved: Rows whose value differs between the baseline and any other run, in the way asked for.
        n_rows: Rows that can be compared.
    """

    metric: str
    rows: tuple[MovedRow, ...]
    n_moved: int
    n_rows: int
    number: int
    n_pages: int

    @property
    def summary(self) -> str:
        """How many moved."""
        return f"{plural(self.n_moved, 'row')} of {count(self.n_rows)} moved"


def moved_rows(
    runs: Sequence[BoardRun], task: str, metric: str, *, way: str, page_number: int, shows_texts: bool
) -> MovedRows | None:
    """One page of the rows that moved most.

    Args:
        runs: The baseline first; all have the task with equal keys.
        task: The task.
        metric: A metric of all of them.
        way: ``better`` or ``worse`` for rows of which some run is that; empty for both.
        page_number: From 1; past the last one it is the last.
        shows_texts: Whether prompts and references may be seen.

    Returns:
        ``None`` where rows have no values of the metric, or the runs other rows.

    Raises:
        RunDirectoryError: where rows cannot be read.
    """
    found = [all_metric_rows(run.stored, task, [metric]).get(metric) for run in runs]
    columns = [one for one in found if one is not None and one.values is not None]
    if len(columns) < len(runs):
        return None
    ids, values = _aligned(columns)
    higher = columns[0].higher_is_better
    apart = values[1:] - values[0]
    better = -apart if higher is False else apart
    size = max(1.0, float(np.abs(values[0][np.isfinite(values[0])]).max(initial=0.0)))
    better = np.where(np.abs(better) <= _ROUNDING * size, 0.0, better)
    known = np.isfinite(better).any(axis=0)
    signs = {"better": np.maximum(better, 0.0), "worse": np.maximum(-better, 0.0)}.get(way, np.abs(better))
    # Rounded, so that equal changes are not told apart by how floats came out.
    reach = np.round(np.nan_to_num(signs, nan=0.0).max(axis=0) / size, _DIGITS)
    # A stable sort keeps rows that moved alike in the order of their ids.
    order = [int(at) for at in np.argsort(-reach, kind="stable") if reach[at] > 0]
    n_pages = max(1, -(-len(order) // ROWS_A_PAGE))
    shown = min(max(1, page_number), n_pages)
    places = order[(shown - 1) * ROWS_A_PAGE : shown * ROWS_A_PAGE]
    wanted = [ids[at] for at in places]
    texts = [_texts(run, task, wanted, shows_texts=shows_texts) for run in runs]
    score = runs[0].tasks[task].scores.get(metric)
    digits = decimals(metric, score.scale if score else None)
    return MovedRows(
        metric=metric,
        rows=tuple(
            _row(f"moved-{(shown - 1) * ROWS_A_PAGE + n}", ids[at], values[:, at], texts, runs, digits, higher)
            for n, at in enumerate(places, 1)
        ),
        n_moved=len(order),
        n_rows=int(known.sum()),
        number=shown,
        n_pages=n_pages,
    )


def _aligned(columns: Sequence[MetricRows]) -> tuple[tuple[str, ...], Floats]:
    """Values by run and row, NaN where a run has none."""
    ids = tuple(sorted({row for one in columns for row in one.ids}))
    place = {row: at for at, row in enumerate(ids)}
    values = np.full((len(columns), len(ids)), np.nan)
    for at, one in enumerate(columns):
        values[at, [place[row] for row in one.ids]] = one.values
    return ids, values


def _texts(run: BoardRun, task: str, ids: Sequence[str], *, shows_texts: bool) -> dict[str, list[SampleRow]]:
    columns = ["id", "sample", "prediction", "finish_reason", "generated_tokens", "prompt_cut"]
    columns += ["references", "inputs"] if shows_texts else []
    found: dict[str, list[SampleRow]] = {}
    for record in run.stored.samples(task, columns, ids=ids).to_pylist():
        found.setdefault(record["id"], []).append(sample_row(record))
    return found


def _row(
    anchor: str,
    row_id: str,
    values: Floats,
    texts: Sequence[Mapping[str, Sequence[SampleRow]]],
    runs: Sequence[BoardRun],
    digits: int,
    higher: bool | None,
) -> MovedRow:
    drawn = [held.get(row_id, ()) for held in texts]
    ours = [row.prediction for row in drawn[0]]
    first = next((row for rows in drawn for row in rows), None)
    sides = []
    for at, (run, rows) in enumerate(zip(runs, drawn, strict=True)):
        value, base = float(values[at]), float(values[0])
        theirs = [row.prediction for row in rows]
        change, way = "", ""
        if at and np.isfinite(value - base) and value != base:
            change = signed(value - base, digits)
            way = "" if higher is None else "up" if (value > base) == higher else "down"
        sides.append(
            SideText(
                name=run.name,
                page=Page(kind="run", run=run.id),
                value=number(value if np.isfinite(value) else None, digits),
                change=change,
                way=way,
                texts=_marked(ours, theirs, is_baseline=not at, only=[row.prediction for row in drawn[-1]]),
                is_baseline=not at,
            )
        )
    return MovedRow(
        anchor=anchor,
        id=row_id,
        prompt=first.prompt if first else None,
        references=first.references if first else (),
        sides=tuple(sides if len(runs) == 2 else _plain_first(sides, ours)),
    )


def _marked(
    ours: Sequence[str], theirs: Sequence[str], *, is_baseline: bool, only: Sequence[str]
) -> tuple[tuple[Piece, ...], ...]:
    """A side's texts, one a sample, against the baseline's; the baseline's against the last run's."""
    mine, others = (ours, only) if is_baseline else (theirs, ours)
    found = []
    for at, text in enumerate(mine):
        other = others[at] if at < len(others) else ""
        # Blanks at the ends are no words; the samples page shows every letter.
        text, other = text.strip(), other.strip()
        pieces = word_diff(text, other)[0] if is_baseline else word_diff(other, text)[1]
        found.append(trimmed(pieces))
    return tuple(found)


def _plain_first(sides: Sequence[SideText], ours: Sequence[str]) -> list[SideText]:
    """Of several runs the baseline's text is unmarked: each of the others differs from it elsewhere."""
    first = sides[0]
    plain = tuple((Piece(text.strip(), False),) if text.strip() else () for text in ours)
    return [SideText(first.name, first.page, first.value, "", "", plain, True), *sides[1:]]
