"""A table of results as plain values: what the writers of all formats read, so that none differs in what it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Score:
    """A number of a table with what belongs to it.

    Attributes:
        value: In the unit of its column; ``None`` where there is none.
        low: Lower bound of the 95 % interval; ``None`` where there is no interval.
        high: Upper bound.
        is_best: Whether it is the best of its column; every one of equal best values is.
        reason: Why there is no value.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    is_best: bool = False
    reason: str = ""


Cell: TypeAlias = "str | int | float | bool | Score | None"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        key: Its name for programs: CSV, JSON, data frames.
        heading: Its name for people: Markdown, LaTeX.
        is_score: Whether its cells are ``Score``; for programs these are three columns, see ``names``.
        decimals: Of its scores, where people read them.
        for_people: Whether it stands in Markdown and LaTeX too; ids and signatures do not.
    """

    key: str
    heading: str
    is_score: bool = False
    decimals: int = 2
    for_people: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """Its columns for programs: ``KEY``, of a score also ``KEY_ci95_low`` and ``KEY_ci95_high``.

        A column that is called ``value`` has ``ci95_low`` and ``ci95_high`` beside it, as frames of a run have.
        """
        prefix = "" if self.key == "value" else f"{self.key}_"
        return (self.key, f"{prefix}ci95_low", f"{prefix}ci95_high") if self.is_score else (self.key,)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows in the order in which they are shown.

    Attributes:
        columns: Keys are unique.
        rows: As many cells a row as there are columns.
        caption: What the table shows, in a sentence.
        notes: What has to be said below it.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len({column.key for column in self.columns}) != len(self.columns):
            raise ValueError("two columns of a table have one key")
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("a row of a table has not one cell a column")

    def flat(self) -> tuple[list[str], list[list[str | int | float | bool | None]]]:
        """Column names and rows for programs, every score as value and two bounds."""
        names = [name for column in self.columns for name in column.names]
        rows: list[list[str | int | float | bool | None]] = []
        for row in self.rows:
            flat: list[str | int | float | bool | None] = []
            for column, cell in zip(self.columns, row, strict=True):
                if isinstance(cell, Score):
                    flat += [cell.value, cell.low, cell.high]
                else:
                    flat += [cell, None, None] if column.is_score else [cell]
            rows.append(flat)
        return names, rows
