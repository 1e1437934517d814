"""What a checking process does: reads the rows to answer, once, and checks an upload against them."""

from __future__ import annotations

import os
import resource
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from grue.core.errors import StoreError
from grue.submissions.artifacts import Artifacts
from grue.submissions.check import (
    CheckedUpload,
    UploadLimits,
    check_model_folder,
    check_predictions,
    check_run_archive,
)
from grue.submissions.expected import Expected, read_expected


@dataclass(frozen=True, slots=True)
class Ground:
    """Where the rows lie that an upload has to answer; ``sha256`` is that of the lists as the server read them."""

    artifacts: str
    cache: Path
    split: str
    sha256: str


_DATA_BYTES = 3 << 30
_PARENT_SECONDS = 2.0

_known: tuple[Ground, Expected] | None = None


def check_file(ground: Ground, kind: str, path: Path, limits: UploadLimits, work: Path) -> CheckedUpload:
    """Check a prediction file, or the archive of a run directory; what will be scored of it goes to ``work``."""
    expected = _expected(ground)
    if kind == "run":
        return check_run_archive(path, expected, limits, work)
    return check_predictions(path, expected, limits)


def check_checkpoint(folder: Path, limits: UploadLimits) -> CheckedUpload:
    """Check the files of a checkpoint."""
    return check_model_folder(folder, limits)


def ready() -> None:
    """Nothing: what is imported for it is what a check needs."""


def _expected(ground: Ground) -> Expected:
    global _known
    if _known is None or _known[0] != ground:
        found = read_expected(Artifacts(ground.artifacts, ground.cache), ground.split)
        if found is None:
            raise StoreError(f"There are no rows of {ground.split}.")
        _known = (ground, found)
    return _known[1]


def begin(parent: int) -> None:
    """Limits of a checking process, which also ends when the server is gone, however it went."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    bound = _DATA_BYTES if hard == resource.RLIM_INFINITY else min(_DATA_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (bound, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(5)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
