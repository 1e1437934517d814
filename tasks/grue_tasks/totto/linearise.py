"""ToTTo's table text: the highlighted cells with their headers, between tags.

The header rules are those of the data set's baseline: column spans count, row spans do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell and the columns it covers, ``start`` to ``end`` (exclusive)."""

    value: str
    is_header: bool
    start: int
    end: int


Table = Sequence[Sequence[Cell]]


def column_headers(table: Table, row: int, column: int) -> list[str]:
    """Header cells in earlier rows whose columns overlap the cell's, top to bottom."""
    cell = table[row][column]
    return [
        other.value
        for earlier in table[:row]
        for other in earlier
        if other.is_header and other.start < cell.end and cell.start < other.end
    ]


def row_headers(table: Table, row: int, column: int) -> list[str]:
    """Header cells before the cell in its row."""
    return [other.value for other in table[row][:column] if other.is_header]


def linearise(
    table: Table, highlighted: Sequence[tuple[int, int]], *, page_title: str = "", section_title: str = ""
) -> str:
    """The highlighted cells in their order; each tag is followed by one space, the last by none.

    Args:
        table: Rows of cells.
        highlighted: (row, column) positions in the table's lists.
        page_title: Left out where empty.
        section_title: Left out where empty.
    """
    parts = []
    if page_title:
        parts.append(f"<page_title> {page_title} </page_title>")
    if section_title:
        parts.append(f"<section_title> {section_title} </section_title>")
    parts.append("<table>")
    for row, column in highlighted:
        parts.append(f"<cell> {table[row][column].value}")
        parts.extend(f"<col_header> {header} </col_header>" for header in column_headers(table, row, column))
        parts.extend(f"<row_header> {header} </row_header>" for header in row_headers(table, row, column))
        parts.append("</cell>")
    parts.append("</table>")
    return " ".join(parts)
