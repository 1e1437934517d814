"""Checks a run directory in an archive and makes of it what will be scored.

The numbers in a stranger's run are theirs; what is taken from it is what the model said, and we score that.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from grue.core.errors import UsageError
from grue.core.text import Json
from grue.submissions.bounded import Bounds, in_child
from grue.submissions.expected import Expected
from grue.submissions.findings import Findings
from grue.submissions.prediction_file import scanned
from grue.submissions.values import MAX_PROBLEMS, CheckedUpload, UploadLimits, UploadProblem, refused

PREDICTIONS = "predictions.jsonl"
_SEND_PREDICTIONS = "Send the texts as a prediction file."


def check_run_archive(path: Path, expected: Expected, limits: UploadLimits, work: Path) -> CheckedUpload:
    """Check an archive against the rows of the board's split.

    Args:
        path: ``.tar.gz`` or ``.zip``, told apart by content; the run at its top or in one folder.
        expected: The rows. Tasks that the board does not score are left out, and noted.
        limits: Bounds of the archive as it lies there, and of what it unpacks to.
        work: Takes ``predictions.jsonl``, where the upload is valid: what will be scored.

    Raises:
        UsageError: where the archive cannot be read at all.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror or error}.", "Check the path.", place=str(path)) from error
    if size > limits.file_bytes:
        problem = f"The archive has more than {limits.file_bytes:,} bytes."
        return refused("run", UploadProblem(None, None, problem, "Leave out the statistics, or split it by task."))
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".archive-", dir=work) as folder:
        out = Path(folder) / PREDICTIONS
        request: dict[str, Json] = {
            "path": str(path.absolute()),
            "tasks": list(expected.tasks),
            "folder": folder,
            "out": str(out),
            "max_bytes": limits.unpacked_bytes,
        }
        bounds = Bounds(file_bytes=2 * limits.unpacked_bytes)
        answer = in_child("archive", request, bounds)
        if answer is None:
            problem = (
                f"The archive cannot be read within {bounds.memory_bytes >> 20} MiB of memory and "
                f"{bounds.cpu_seconds} s: it is damaged or no run."
            )
            return refused("run", UploadProblem(None, None, problem, _SEND_PREDICTIONS))
        findings = Findings.of_json(answer)
        if findings.count:
            return replace(
                refused("run", *findings.problems), problem_count=findings.count, notes=tuple(findings.notes)
            )
        checked = replace(scanned(out, expected, limits, "run"), notes=tuple(findings.notes))
        if not checked.is_valid:
            return _explained(checked, answer["splits"], expected)
        shutil.move(out, work / PREDICTIONS)
        return checked


def _explained(checked: CheckedUpload, splits: Mapping[str, str], expected: Expected) -> CheckedUpload:
    """Faults of the rows, without the lines that were made of them; a wrong split, which explains them, comes first."""
    others = sorted({split for task, split in splits.items() if task in expected.tasks and split != expected.split})
    problems = [replace(problem, line=None) for problem in checked.problems]
    if others:
        problem = f"The run is of the split {', '.join(others)}; this board scores {expected.split}."
        problems.insert(0, UploadProblem(None, None, problem, f"Evaluate with --split {expected.split}."))
    return replace(checked, problems=tuple(problems[:MAX_PROBLEMS]), problem_count=checked.problem_count + bool(others))
