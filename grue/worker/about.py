"""What a submission says of itself, written into its run directory as ``submission.yaml``."""

from __future__ import annotations

import re
from pathlib import Path

from grue import __version__
from grue.core.errors import RunDirectoryError
from grue.runs import published
from grue.runs.files import write_atomic
from grue.store.service.values import Submission

NOT_STATED = "not stated"
TOO_LONG = "see the submission's page"
_MARKS = {"model": "verified"}


def write_about(submission: Submission, run: Path, run_id: str) -> None:
    """Write ``submission.yaml`` beside the documents of a run; no checksum of the run covers it.

    Raises:
        RunDirectoryError: where it cannot be written.
    """
    path = run / published.SUBMISSION
    try:
        _write(submission, path, run_id, submission.description)
        published.read_submission(path)
    except RunDirectoryError:
        # Longer than such a file may be: the store keeps all of it.
        _write(submission, path, run_id, TOO_LONG)
        published.read_submission(path)


def _write(submission: Submission, path: Path, run_id: str, description: str) -> None:
    import yaml

    is_web = re.match(r"https?://\S+$", submission.url) is not None
    said = published.Submission(
        name=submission.submission_id,
        run_id=run_id,
        description=description.strip() or submission.name.strip() or NOT_STATED,
        licence=submission.licence.strip() or NOT_STATED,
        trained_on=submission.trained_on.strip() or NOT_STATED,
        contamination=submission.contamination.strip() or NOT_STATED,
        mark=_MARKS.get(submission.kind, "rescored"),
        command=_command(submission),
        grue_version=__version__,
        url=submission.url.strip() if is_web else None,
    )
    text = yaml.safe_dump(said.to_json(), sort_keys=False, allow_unicode=True, width=110)
    write_atomic(path, text.encode("utf-8", "backslashreplace"))


def _command(submission: Submission) -> str:
    what = f"-t {','.join(submission.tasks)} --split {submission.split}"
    if submission.kind == "model":
        model = f"{submission.model}@{submission.revision}" if submission.model else "FOLDER"
        return f"grue eval -m {model} {what}"
    return f"grue score predictions.jsonl {what}"
