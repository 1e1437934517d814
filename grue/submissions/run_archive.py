"""Checks a run directory in an archive and makes of it what will be scored."""

from __future__ import annotations

from pathlib import Path

from grue.submissions.expected import Expected
from grue.submissions.values import CheckedUpload, UploadLimits, UploadProblem, refused

PREDICTIONS = "predictions.jsonl"


def check_run_archive(path: Path, expected: Expected, limits: UploadLimits, work: Path) -> CheckedUpload:
    """Check an archive; write ``work/predictions.jsonl``, which will be scored."""
    return refused("run", UploadProblem(None, None, "Archives are not read yet.", "Send the predictions."))
