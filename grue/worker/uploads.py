"""Fetches what was submitted into the folder of a job."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from grue.core.errors import CheckpointError
from grue.core.text import sha256_text
from grue.store.service.values import Submission
from grue.submissions.artifacts import Artifacts
from grue.submissions.check import UploadLimits, check_model_folder
from grue.submissions.hub import fetch, pinned
from grue.submissions.settings import ServiceSettings
from grue.worker.reasons import BAD_CHECKPOINT, INTERNAL, INVALID, JobError, told

GZIP, ZIP = b"\x1f\x8b", b"PK"
# Folder in GRUE_HOME of checkpoints that were fetched from the hub.
CHECKPOINTS = "checkpoints"


@dataclass(frozen=True, slots=True)
class Texts:
    """A prediction file, or the archive of a run directory."""

    path: Path
    is_archive: bool


def fetch_texts(artifacts: Artifacts, submission: Submission, work: Path) -> Texts:
    """The file that was uploaded, named as its content is, not as its sender named it.

    Raises:
        StoreError: where it is not there.
    """
    with artifacts.open(submission.upload) as source:
        head = source.read(4)
        is_archive = submission.kind == "run" and head[:2] in (GZIP, ZIP)
        if is_archive:
            name = "run.zip" if head.startswith(ZIP) else "run.tar.gz"
        else:
            name = "predictions.jsonl.gz" if head.startswith(GZIP) else "predictions.jsonl"
        path = work / name
        with path.open("wb") as file:
            file.write(head)
            shutil.copyfileobj(source, file, 1 << 20)
    return Texts(path, is_archive)


def fetch_checkpoint(artifacts: Artifacts, submission: Submission, settings: ServiceSettings) -> Path:
    """The folder of a checkpoint, its files checked once more before anything reads them.

    Raises:
        JobError: where it is not what may be evaluated.
        StoreError: where it is not there.
        GrueError: where the hub does not have it.
    """
    if submission.upload:
        folder = artifacts.local_folder(submission.upload)
    else:
        if not settings.hub:
            raise JobError(BAD_CHECKPOINT, "This service takes no checkpoints of a hub.", is_ours=False)
        folder = _from_hub(submission, settings)
    checked = check_model_folder(folder, UploadLimits.of(settings))
    if not checked.is_valid:
        first = checked.problems[0]
        raise JobError(INVALID, f"{first.problem} {first.fix}".strip(), is_ours=False)
    return folder


def _from_hub(submission: Submission, settings: ServiceSettings) -> Path:
    """The allowed files of a pinned commit, and no others; kept for a while, so that another attempt finds them."""
    name = f"{submission.model}@{submission.revision}"
    folder = settings.home / CHECKPOINTS / sha256_text(name)[:32]
    if folder.is_dir():
        os.utime(folder)
        return folder
    try:
        fetch(pinned(submission.model, submission.revision, UploadLimits.of(settings)), folder)
    except CheckpointError as error:
        # It was there when it was submitted: the hub, or the way to it, is at fault.
        raise JobError(INTERNAL, told(error), is_ours=True, note=str(error)) from error
    except OSError:
        if not folder.is_dir():  # another worker of this machine was quicker
            raise
    return folder
