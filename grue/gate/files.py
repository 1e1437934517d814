"""Writes the gate's answer into files, each whole or not at all."""

from __future__ import annotations

from pathlib import Path

from grue.core.errors import UsageError
from grue.gate.junit import junit_xml
from grue.gate.markdown import markdown_page
from grue.gate.report import Report
from grue.runs.files import write_atomic


def check_targets(*paths: Path | None) -> None:
    """Refuse files that cannot be written, before anything is compared.

    Raises:
        UsageError: for a folder, or a file in a folder that is not there.
    """
    for path in paths:
        if path is not None and path.is_dir():
            raise UsageError("is a folder.", "Name a file.", place=str(path))
        if path is not None and not path.parent.is_dir():
            raise UsageError("its folder does not exist.", "Make the folder, or name another file.", place=str(path))


def write_files(report: Report, *, junit: Path | None, markdown: Path | None) -> None:
    """Write what was asked for.

    Raises:
        UsageError: where a file cannot be written.
    """
    contents = ((junit, junit_xml(report)), (markdown, markdown_page(report).encode()))
    for path, content in contents:
        if path is None:
            continue
        try:
            write_atomic(path, content)
        except OSError as error:
            raise UsageError(
                f"cannot be written: {error.strerror or error}.", "Name another file.", place=str(path)
            ) from error
