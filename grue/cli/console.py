"""A console whose reader may leave: the command goes on to its own exit code."""

from __future__ import annotations

import os
import sys

from rich.console import Console


def reader_gone() -> None:
    """Send the rest of standard output nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


class TableConsole(Console):
    """Rich's console without its exit code 1 for a pipe that ``head`` has closed."""

    def on_broken_pipe(self) -> None:
        """Print no more."""
        self.quiet = True
        reader_gone()
