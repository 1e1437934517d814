"""The folder of a board: written beside, then swapped in whole; only an older board is ever replaced."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from grue.core.errors import UsageError

MARKER = "board.json"


def check_folder(out: Path, results: Sequence[Path]) -> None:
    """Refuse a folder whose replacement would lose something.

    Raises:
        UsageError: where ``out`` is a file, holds something other than a board, or holds the results.
    """
    for folder in results:
        if folder.resolve().is_relative_to(out.resolve()):
            raise UsageError(
                f"--out {out} holds the results {folder}, and building replaces it.",
                "Choose a folder beside the results.",
            )
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"--out {out} is a file.", "Choose a folder that is new, empty or an older board.")
    if not (out / MARKER).is_file() and any(out.iterdir()):
        raise UsageError(
            f"--out {out} is not empty and holds no board: {MARKER} is missing.",
            "Choose a folder that is new, empty or an older board.",
        )


@contextmanager
def swapped(out: Path) -> Iterator[Path]:
    """A new folder beside ``out`` that takes its place when the block ends well, and vanishes when not.

    Raises:
        UsageError: where the folder cannot be written.
    """
    target = out.resolve()
    beside = target.parent / f".{target.name}.building-{os.getpid()}"
    old = target.parent / f".{target.name}.old-{os.getpid()}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir()
        yield beside
        if target.exists():
            target.rename(old)
        beside.rename(target)
    except OSError as error:
        if old.exists() and not target.exists():
            old.rename(target)
        raise UsageError(
            f"--out {out} cannot be written: {error.strerror or error}.", "Choose a folder that you may write."
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
