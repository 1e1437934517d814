"""What a run directory is told besides its numbers: what its submission says of itself, and how texts were made."""

from __future__ import annotations

import json
import re
from pathlib import Path

from grue import __version__
from grue.core.errors import RunDirectoryError
from grue.runs import published
from grue.runs.files import write_atomic
from grue.runs.read import EVENTS
from grue.store.service.values import Submission

NOT_STATED = "not stated"
MOST_EVENT_BYTES = 1 << 24
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


def join_events(generated: Path, run: Path) -> None:
    """Put what happened while texts were generated before what happened while they were scored.

    Args:
        generated: What the first step wrote; a line that is no event is left out, and all of a file too large.
        run: The run directory, whose checksums do not cover its events.

    Raises:
        OSError: where they cannot be written.
    """
    before = generated / EVENTS
    if not before.is_file() or before.stat().st_size > MOST_EVENT_BYTES:
        return
    lines = [line for line in before.read_text("utf-8", "replace").splitlines() if _is_event(line)]
    text = "".join(f"{line}\n" for line in lines) + (run / EVENTS).read_text("utf-8")
    write_atomic(run / EVENTS, text.encode("utf-8"))


def _is_event(line: str) -> bool:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(event, dict) and isinstance(event.get("kind"), str)


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
