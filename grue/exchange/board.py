"""Tables of the board, from its documents in the shape of the web addresses' contract: the same rows and ranks as the
page, because they are the page's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from grue.exchange.table import Cell, Column, Score, Table

SCORES = ("grue", "naturalness", "quality")
_HEADINGS = {"grue": "GRUE", "naturalness": "Naturalness", "quality": "Quality"}
_SCORE_DECIMALS = 1
_FIXED = frozenset({"rank", "band", "name", "mark", "seeds", "run_id", "yardstick", "not_ranked", "setting"})
# What a run says of a score that its version does not give: no reason to show a column.
NOT_SCORED = "not scored"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a document does not say of a column of scores.

    Attributes:
        decimals: Where people read them.
        higher_is_better: ``None``: no value of it is best.
        comparable: Ids of the runs whose values may be compared with each other.
        for_people: Whether it stands in Markdown and LaTeX too.
    """

    decimals: int = 2
    higher_is_better: bool | None = None
    comparable: AbstractSet[str] = field(default_factory=frozenset)
    for_people: bool = False


def board_table(document: Mapping[str, Any], decimals: Mapping[str, int]) -> Table:
    """All runs of a setting with one number a task.

    Args:
        document: The board's document.
        decimals: Task -> decimals of the number it shows.
    """
    rows: Sequence[Mapping[str, Any]] = document["rows"]
    tasks = list(dict.fromkeys(name for row in rows for name in row["scores"] if name not in SCORES))
    overall = [name for name in SCORES if any(_is_known(row["scores"].get(name)) for row in rows)]
    columns = [*_who_columns(rows)]
    columns += [Column(name, _HEADINGS[name], is_score=True, decimals=_SCORE_DECIMALS) for name in overall]
    for task in tasks:
        metric = _first(rows, task, "metric")
        key, heading = (f"{task}.{metric}", f"{task} {metric}") if metric else (f"{task}.value", task)
        columns += [
            Column(key, heading, is_score=True, decimals=decimals.get(task, 2)),
            Column(f"{key}.rank", "", for_people=False),
        ]
    columns += [Column("mean_place", "Mean place", for_people=False), Column("setting", "", for_people=False)]
    table = []
    for row in rows:
        cells = _who_cells(row)
        for name in overall:
            is_best = name == "grue" and row["rank"] == 1 and (row["scores"].get(name) or {}).get("value") is not None
            cells.append(_score(row["scores"].get(name), is_best=is_best))
        for task in tasks:
            found = row["scores"].get(task)
            rank = (found or {}).get("rank")
            cells += [_score(found, is_best=rank == 1), rank]
        table.append((*cells, row.get("mean_place"), _setting(document)))
    return Table(tuple(columns), tuple(table), f"Leaderboard, {_label(document)}.", _notes(rows))


def task_table(document: Mapping[str, Any], shapes: Mapping[str, Shape]) -> Table:
    """All runs of one task in a setting with every metric that any of them has a value of.

    Args:
        document: The task's document.
        shapes: Metric -> what the document does not say.
    """
    rows: Sequence[Mapping[str, Any]] = document["rows"]
    held = dict.fromkeys(name for row in rows for name in row["scores"])
    names = [name for name in held if any(row["scores"].get(name, {}).get("value") is not None for row in rows)]
    shown = document.get("metric")
    names.sort(key=lambda name: (name != shown, name not in SCORES))  # the number of the task first
    columns = _who_columns(rows)
    for name in names:
        places = _SCORE_DECIMALS if name in SCORES else shapes.get(name, Shape()).decimals
        # A metric of elsewhere may bear any name.
        key = f"metric.{name}" if name in _FIXED else name
        is_shown = name in (shown, *SCORES) or shapes.get(name, Shape()).for_people
        columns.append(Column(key, _HEADINGS.get(name, name), True, places, is_shown))
    columns += [Column("not_ranked", "", for_people=False), Column("setting", "", for_people=False)]
    best = {name: _best(rows, name, shapes.get(name, Shape())) for name in names}
    table = []
    for row in rows:
        cells = _who_cells(row)
        cells += [_score(row["scores"].get(name), is_best=row["run_id"] in best[name]) for name in names]
        table.append((*cells, row.get("not_ranked"), _setting(document)))
    return Table(tuple(columns), tuple(table), f"{document['task']}, {_label(document)}.", _notes(rows))


def _who_columns(rows: Sequence[Mapping[str, Any]]) -> list[Column]:
    has_bands = any(row.get("band") is not None for row in rows)
    return [
        Column("rank", "Rank", is_score=True, decimals=0),
        Column("band", "Band", for_people=has_bands),
        Column("name", "Run"),
        Column("mark", "Mark"),
        Column("seeds", "Seeds", for_people=any((row.get("seeds") or 1) > 1 for row in rows)),
        Column("run_id", "Id", for_people=False),
        Column("yardstick", "Yardstick", for_people=False),
    ]


def _who_cells(row: Mapping[str, Any]) -> list[Cell]:
    rank, (low, high) = row["rank"], row.get("rank_ci95") or (None, None)
    is_yardstick = bool(row.get("yardstick"))
    band: Cell = row.get("band")
    cells: list[Cell] = [Score(rank, low, high), band, row["name"], "yardstick" if is_yardstick else row["mark"]]
    return [*cells, row.get("seeds") or 1, row["run_id"], is_yardstick]


def _score(found: Mapping[str, Any] | None, *, is_best: bool) -> Score:
    if found is None:
        return Score(None, reason="not run")
    low, high = found.get("ci95") or (None, None)
    return Score(found["value"], low, high, is_best, found.get("reason") or "")


def _best(rows: Sequence[Mapping[str, Any]], name: str, shape: Shape) -> set[str]:
    """Ids of the runs that share the best value among those that may be compared."""
    if shape.higher_is_better is None:
        return set()
    values = {
        row["run_id"]: value
        for row in rows
        if row["run_id"] in shape.comparable and (value := row["scores"].get(name, {}).get("value")) is not None
    }
    if not values:
        return set()
    best = (max if shape.higher_is_better else min)(values.values())
    return {run for run, value in values.items() if value == best}


def _is_known(score: Mapping[str, Any] | None) -> bool:
    return score is not None and (score["value"] is not None or score.get("reason") not in (None, NOT_SCORED))


def _first(rows: Sequence[Mapping[str, Any]], task: str, key: str) -> str | None:
    return next((found[key] for row in rows if (found := row["scores"].get(task)) and found.get(key)), None)


def _setting(document: Mapping[str, Any]) -> str | None:
    return (document.get("setting") or {}).get("id")


def _label(document: Mapping[str, Any]) -> str:
    return str((document.get("setting") or {}).get("label") or "no runs")


def _notes(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    notes = ["Intervals are 95 %; the best of a column is bold, among runs that are ranked with each other."]
    if any(row.get("yardstick") for row in rows):
        notes.append("Null systems and the oracle are yardsticks and never ranked.")
    others = dict.fromkeys(f"{row['name']}: {row['not_ranked']}" for row in rows if row.get("not_ranked"))
    return (*notes, *(f"Not ranked, {text}." for text in others))
