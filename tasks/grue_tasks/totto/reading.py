"""Reads a ToTTo record: the table, the highlighted cells and the annotators' sentences."""

from __future__ import annotations

from grue.core.record import Record
from grue.core.text import Json
from grue_tasks.reading import stated
from grue_tasks.totto.linearise import Cell, Table


def read_cells(record: Record) -> list[list[Record]]:
    """The table's cells as records, row by row.

    Raises:
        TaskDataError: where the column is no list of rows of cells; names the row.
    """
    table = record.value("table")
    if not isinstance(table, (list, tuple)):
        raise record.fault("Column 'table' should be a list of rows, each a list of cells.")
    return [Record({f"table[{n}]": row}, record.place).records(f"table[{n}]") for n, row in enumerate(table)]


def placed(rows: list[list[Record]]) -> Table:
    """The table with each cell's columns, counted by adding column spans from left to right.

    Raises:
        TaskDataError: where a cell lacks a key or has a value of another type.
    """
    table = []
    for row in rows:
        cells: list[Cell] = []
        for cell in row:
            start = cells[-1].end if cells else 0
            cells.append(Cell(cell.string("value"), is_header(cell), start, start + cell.integer("column_span")))
        table.append(cells)
    return table


def table_json(rows: list[list[Record]]) -> list[list[dict[str, Json]]]:
    """The table as metrics get it: each cell with the four keys of the data set."""
    return [
        [
            {
                "value": cell.string("value"),
                "is_header": is_header(cell),
                "column_span": cell.integer("column_span"),
                "row_span": cell.integer("row_span"),
            }
            for cell in row
        ]
        for row in rows
    ]


def is_header(cell: Record) -> bool:
    """The cell's header flag."""
    value = cell.value("is_header")
    if not isinstance(value, bool):
        raise cell.fault("Column 'is_header' should be true or false.")
    return value


def highlighted(record: Record, table: Table) -> list[tuple[int, int]]:
    """Positions of the highlighted cells, in their order.

    Raises:
        TaskDataError: where an entry is no [row, column] pair or points outside the table.
    """
    entries = record.value("highlighted_cells")
    if not isinstance(entries, (list, tuple)):
        raise record.fault("Column 'highlighted_cells' should be a list of [row, column] pairs.")
    positions = []
    for number, entry in enumerate(entries):
        name = f"highlighted_cells[{number}]"
        pair = Record({name: entry}, record.place).integers(name)
        if len(pair) != 2:
            raise record.fault(f"{name} should be a [row, column] pair; found {list(pair)}.")
        row, column = pair
        if not (0 <= row < len(table) and 0 <= column < len(table[row])):
            raise record.fault(
                f"{name} is {list(pair)}, but the table has {len(table)} rows"
                + (f" and row {row} has {len(table[row])} cells." if 0 <= row < len(table) else "."),
                "Count rows and the cells of a row from 0.",
            )
        positions.append((row, column))
    return positions


def final_sentences(record: Record) -> tuple[str, ...]:
    """The annotators' final sentences; none where the data set withholds them (null, empty or blank)."""
    if record.value("sentence_annotations") is None:
        return ()
    return stated(entry.string("final_sentence") for entry in record.records("sentence_annotations"))


def overlap_subset(record: Record) -> str:
    """``True``, ``False`` or ``none``; the publisher's own files write booleans or leave the column out."""
    if not record.has("overlap_subset"):
        return "none"
    value = record.value("overlap_subset")
    return str(value) if isinstance(value, bool) else record.string("overlap_subset")
