"""A folder that is there whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grue.core.errors import UsageError

_FIX = "Choose a new or empty folder with -o."


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A folder beside ``out`` that takes its place when the block ends well, and vanishes when not.

    Raises:
        UsageError: where ``out`` holds something already, or cannot be written.
    """
    target = Path(os.path.abspath(out))
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise UsageError(f"-o {out} is no folder.", _FIX)
    beside = target.with_name(f".{target.name}.writing-{os.getpid()}")
    try:
        if target.is_dir() and any(target.iterdir()):
            raise UsageError(f"-o {out} holds other files.", _FIX)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir()
        yield beside
        if target.exists():
            target.rmdir()
        beside.rename(target)
    except OSError as error:
        raise UsageError(f"-o {out} cannot be written: {error.strerror or error}.", _FIX) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
