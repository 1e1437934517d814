"""What a checking process does: reads the rows to answer, once, and checks an upload against them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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


def _expected(ground: Ground) -> Expected:
    global _known
    if _known is None or _known[0] != ground:
        found = read_expected(Artifacts(ground.artifacts, ground.cache), ground.split)
        if found is None:
            raise LookupError(f"no expected rows of {ground.split}")
        _known = (ground, found)
    return _known[1]
