"""Where commands print: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from grue.core.text import Json

if TYPE_CHECKING:
    from rich.console import Console

# Wider than any table; a cell longer than that wraps.
PIPE_COLUMNS = 1000


def print_json(document: Mapping[str, Json]) -> None:
    """One JSON document on standard output, ``schema_version`` first."""
    text = json.dumps({"schema_version": 1, **document}, ensure_ascii=False, allow_nan=False, indent=2)
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        from grue.cli.console import reader_gone

        reader_gone()


def print_error(cause: str, fix: str = "", place: str = "") -> None:
    """Place, cause and fix on standard error."""
    head = f"{place}: {cause}" if place else cause
    sys.stderr.write(f"error: {head}\n")
    if fix:
        sys.stderr.write(f"  fix: {fix}\n")
    sys.stderr.flush()


def note(message: str) -> None:
    """A line of information on standard error."""
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


def stdout() -> Console:
    """A Rich console for result tables; it honours ``NO_COLOR`` and drops colour outside a terminal.

    Outside a terminal a row stays on its line, so that a pipe can search it.
    """
    from grue.cli.console import TableConsole

    width = None if sys.stdout.isatty() else PIPE_COLUMNS
    return TableConsole(highlight=False, markup=False, emoji=False, width=width)


def stderr() -> Console:
    """A Rich console for progress."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False, emoji=False)
