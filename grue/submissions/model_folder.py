"""Checks a checkpoint before anything of it is loaded: names, sizes, headers, and what its settings ask for."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Mapping
from pathlib import Path

from grue.core.errors import UsageError
from grue.runs.files import sha256_file
from grue.submissions.bounded import Bounds, in_child
from grue.submissions.findings import Findings
from grue.submissions.model_files import file_problems
from grue.submissions.values import MAX_PROBLEMS, CheckedUpload, UploadLimits, UploadProblem, refused

_SEND_PREDICTIONS = "Submit predictions of the model instead."


def check_model_folder(folder: Path, limits: UploadLimits) -> CheckedUpload:
    """Check a folder of safetensors, config and tokenizer, which belongs to the caller.

    Chat templates and names of files are dropped from its ``tokenizer_config.json``: nothing of a submission is run,
    and a template is a program.

    Args:
        folder: The checkpoint and nothing else.
        limits: How large it may be.

    Raises:
        UsageError: where the folder cannot be read at all.
    """
    try:
        problems = _kinds(folder)
        sizes = {} if problems else {path.name: path.stat().st_size for path in folder.iterdir()}
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror or error}.", "Give a folder.", place=str(folder)) from error
    problems = problems or file_problems(sizes, limits)
    if problems:
        return refused("model", *problems)
    bounds = Bounds()
    answer = in_child("model", {"folder": str(folder.absolute())}, bounds)
    if answer is None:
        problem = (
            f"The checkpoint cannot be checked within {bounds.memory_bytes >> 20} MiB of memory and "
            f"{bounds.cpu_seconds} s."
        )
        return refused("model", UploadProblem(None, None, problem, _SEND_PREDICTIONS))
    findings = Findings.of_json(answer)
    return CheckedUpload(
        kind="model",
        content_sha256="" if findings.count else _content_sha256(folder, sizes),
        problems=tuple(findings.problems),
        problem_count=findings.count,
        notes=tuple(findings.notes),
    )


def _kinds(folder: Path) -> list[UploadProblem]:
    """Links, folders and devices."""
    return [
        UploadProblem(None, path.name[:200], "This is a link, a folder or a device.", "Upload plain files alone.")
        for path in sorted(folder.iterdir())
        if not stat.S_ISREG(path.lstat().st_mode)
    ][:MAX_PROBLEMS]


def _content_sha256(folder: Path, sizes: Mapping[str, int]) -> str:
    digest = hashlib.sha256()
    for name in sorted(sizes):
        digest.update(f"{name}\t{sha256_file(folder / name)}\n".encode())
    return digest.hexdigest()
