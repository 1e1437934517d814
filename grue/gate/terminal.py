"""The gate's answer as a table in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grue.gate.cells import HEADINGS, cells
from grue.gate.report import Outcome, Report

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = {
    Outcome.PASS: "green",
    Outcome.FAIL: "bold red",
    Outcome.UNCERTAIN: "yellow",
    Outcome.NOT_COMPARABLE: "magenta",
    Outcome.INFRASTRUCTURE: "magenta",
}


def print_report(report: Report, console: Console) -> None:
    """Checks as a table, then a line for each that did not pass, then the answer."""
    from rich.table import Table
    from rich.text import Text

    if report.checks:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for place, heading in enumerate(HEADINGS):
            table.add_column(heading, justify="right" if 1 < place < len(HEADINGS) - 1 else "left", overflow="fold")
        for check in report.checks:
            *rest, answer = cells(check)
            table.add_row(*rest, Text(answer, style=_STYLES[check.outcome]))
        console.print(table)
    for check in report.checks:
        if check.outcome is not Outcome.PASS:
            console.print(f"{check.task} {check.name}: {check.message}", soft_wrap=True)
    for note in report.notes:
        console.print(f"note: {note}", soft_wrap=True)
    console.print(Text(report.headline, style=_STYLES[report.outcome]), soft_wrap=True)
