"""The board in the terminal: the rows, ranks and bands of its page, bands parted by a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table as RichTable

    from grue.exchange.table import Cell, Column, Table


def rich_board(table: Table) -> RichTable:
    """A table of a board for a terminal.

    Args:
        table: From ``leaderboard_site.tables.export_board``; its columns ``rank``, ``band`` and ``yardstick`` are those
            of every board.
    """
    from rich.table import Table as RichTable

    out = RichTable(box=None, header_style="bold", pad_edge=False)
    shown = [(place, column) for place, column in enumerate(table.columns) if column.for_people]
    for _, column in shown:
        out.add_column(column.heading, justify="right" if column.is_score else "left", overflow="fold")
    keys = {column.key: place for place, column in enumerate(table.columns)}
    before: tuple[Cell, Cell] | None = None
    for row in table.rows:
        group = (row[keys["band"]], row[keys["yardstick"]])
        if before is not None and group != before:
            out.add_section()
            out.add_row(*[""] * len(shown))
        before = group
        out.add_row(*(_text(row[place], column) for place, column in shown))
    return out


def _text(cell: Cell, column: Column) -> str:
    from grue.exchange.formats import fixed
    from grue.exchange.table import Score

    if not isinstance(cell, Score):
        return "–" if cell in (None, "") else str(cell)
    if cell.value is None:
        return "–"
    value = fixed(cell.value, column.decimals)
    if cell.low is None or cell.high is None:
        return value
    low, high = (fixed(bound, column.decimals) for bound in (cell.low, cell.high))
    if column.key == "rank":
        return f"{value} ({low}–{high})"
    return f"{value} ±{_half(cell.value, cell.low, cell.high, column.decimals)}"


def _half(value: float, low: float, high: float, decimals: int) -> str:
    """The larger side of an interval, rounded up to the shown decimal, as the pages have it."""
    from leaderboard_site.numbers import half_width

    return half_width(value, low, high, decimals).removeprefix("±")
