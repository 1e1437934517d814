r"""Tables as CSV, JSON, Markdown, LaTeX and pandas frames.

CSV, JSON and frames are for programs: every column, floats at full precision, nothing rounded. Markdown and LaTeX are
for people: fixed decimals a column, the best of a column in bold with ties shared, intervals beside the value; in
LaTeX as subscripts, in a ``booktabs`` table.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from grue.core.text import Json
from grue.exchange.table import Cell, Column, Score, Table
from grue.exchange.text import csv_text, latex_text, markdown_text

if TYPE_CHECKING:
    import pandas as pd

NOTHING = "–"


def csv_table(table: Table) -> str:
    """The table as CSV (RFC 4180, line feeds): a missing value is an empty cell, no text can run as a formula."""
    names, rows = table.flat()
    lines = [_csv_line(names), *map(_csv_line, rows)]
    return "".join(f"{line}\n" for line in lines)


def json_rows(table: Table) -> list[dict[str, Json]]:
    """The table's rows as JSON objects; a score is ``{value, ci95, reason?}``."""
    return [{column.key: _json(cell) for column, cell in zip(table.columns, row, strict=True)} for row in table.rows]


def markdown_table(table: Table) -> str:
    """The table in GitHub's Markdown, numbers right aligned, caption above and notes below."""
    shown = _shown(table)
    head = "| " + " | ".join(markdown_text(column.heading) for _, column in shown) + " |"
    rule = "| " + " | ".join("---:" if _is_number(column, table, at) else "---" for at, column in shown) + " |"
    lines = [head, rule]
    for row in table.rows:
        lines.append("| " + " | ".join(_markdown(row[at], column) for at, column in shown) + " |")
    parts = [markdown_text(table.caption)] if table.caption else []
    parts += ["\n".join(lines), *(f"- {markdown_text(note)}" for note in table.notes)]
    return "\n\n".join(parts[:2]) + ("\n\n" + "\n".join(parts[2:]) if parts[2:] else "") + "\n"


def latex_table(table: Table) -> str:
    r"""The table as a LaTeX ``table`` with ``booktabs`` rules.

    The best of a column is ``\textbf``, in every row that shares it; intervals are subscripts in brackets.
    """
    shown = _shown(table)
    alignment = "".join("r" if _is_number(column, table, at) else "l" for at, column in shown)
    lines = [
        "% needs \\usepackage{booktabs}",
        "\\begin{table}",
        "\\centering",
        *([f"\\caption{{{latex_text(table.caption)}}}"] if table.caption else []),
        f"\\begin{{tabular}}{{{alignment}}}",
        "\\toprule",
        " & ".join(latex_text(column.heading) for _, column in shown) + r" \\",
        "\\midrule",
        *(" & ".join(_latex(row[at], column) for at, column in shown) + r" \\" for row in table.rows),
        "\\bottomrule",
        "\\end{tabular}",
    ]
    if table.notes:
        lines += ["", "\\smallskip", "{\\footnotesize " + r" \\ ".join(map(latex_text, table.notes)) + "}"]
    return "\n".join([*lines, "\\end{table}", ""])


def frame(table: Table) -> pd.DataFrame:
    """The table as a pandas frame, columns as in CSV; a missing number is NaN, a missing text ``None``."""
    import pandas as pd

    names, rows = table.flat()
    found = pd.DataFrame(rows, columns=names, dtype=object)
    scores = {name for column in table.columns if column.is_score for name in column.names}
    for name in names:
        values = [value for value in found[name] if value is not None]
        if name in scores:
            found[name] = found[name].astype("float64")
        elif values and len(values) == len(found) and all(isinstance(value, bool) for value in values):
            found[name] = found[name].astype(bool)
        elif values and all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
            is_whole = len(values) == len(found) and all(isinstance(value, int) for value in values)
            found[name] = found[name].astype("int64" if is_whole else "float64")
    return found


TEXT_FORMATS: Mapping[str, Callable[[Table], str]] = {
    "csv": csv_table,
    "markdown": markdown_table,
    "latex": latex_table,
}


def fixed(value: float, decimals: int) -> str:
    """A number with fixed decimals; what rounds to nothing has no sign."""
    text = f"{value:.{decimals}f}"
    return text if float(text) else text.lstrip("-")


def _csv_line(cells: Sequence[str | int | float | bool | None]) -> str:
    out = io.StringIO()
    # The writer quotes what is in its line end, and a reader takes either half of this one for a line's end.
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([csv_text(cell) if isinstance(cell, str) else _plain(cell) for cell in cells])
    return out.getvalue().removesuffix("\r\n")


def _plain(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


def _json(cell: Cell) -> Json:
    if not isinstance(cell, Score):
        return cell
    bounds: Json = None if cell.low is None or cell.high is None else [cell.low, cell.high]
    found: dict[str, Json] = {"value": cell.value, "ci95": bounds}
    return {**found, "reason": cell.reason} if cell.reason else found


def _shown(table: Table) -> list[tuple[int, Column]]:
    return [(at, column) for at, column in enumerate(table.columns) if column.for_people]


def _is_number(column: Column, table: Table, at: int) -> bool:
    return column.is_score or all(isinstance(row[at], int | float) or row[at] is None for row in table.rows)


def _markdown(cell: Cell, column: Column) -> str:
    if not isinstance(cell, Score):
        return NOTHING if cell in (None, "") else markdown_text(_text(cell))
    if cell.value is None:
        return NOTHING
    value = fixed(cell.value, column.decimals)
    text = f"**{value}**" if cell.is_best else value
    if cell.low is None or cell.high is None:
        return text
    return f"{text} [{fixed(cell.low, column.decimals)}, {fixed(cell.high, column.decimals)}]"


def _latex(cell: Cell, column: Column) -> str:
    if not isinstance(cell, Score):
        return "--" if cell in (None, "") else latex_text(_text(cell))
    if cell.value is None:
        return "--"
    value = fixed(cell.value, column.decimals).replace("-", "$-$")
    text = f"\\textbf{{{value}}}" if cell.is_best else value
    if cell.low is None or cell.high is None:
        return text
    return f"{text}$_{{[{fixed(cell.low, column.decimals)},\\,{fixed(cell.high, column.decimals)}]}}$"


def _text(cell: str | int | float | bool | None) -> str:
    return cell if isinstance(cell, str) else _plain(cell)
