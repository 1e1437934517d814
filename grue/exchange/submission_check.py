"""Whether the folder of a published result is sound: what a reviewer would otherwise look for by hand."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grue.core.errors import RunDirectoryError
from grue.core.run import Manifest
from grue.exchange.submission import PUBLISHED, default_mark
from grue.runs.published import MARKS, PROVENANCE, SUBMISSION, Submission
from grue.runs.read import RESULTS, StoredRun, read_run

PREDICTIONS = ("predictions.jsonl", "predictions.jsonl.gz")
_ALLOWED = (SUBMISSION, PROVENANCE, *PUBLISHED, *PREDICTIONS)
_MOST_BYTES = 2_000_000  # a file; published results are read by people and kept for ever


def check_submission(folder: Path) -> list[str]:
    """All that is wrong with a folder, a sentence each, with file and key; empty for a sound one."""
    try:
        stored = read_run(folder)
    except RunDirectoryError as error:
        # Without it a folder is read as a run, whose samples are missing.
        return [f"{error.place}: {error.cause}" if (folder / SUBMISSION).exists() else _without(folder)]
    if stored.submission is None:
        return [_without(folder)]
    manifest = stored.manifest_value()
    return [*_files(folder, manifest), *_claims(stored, stored.submission, manifest), *_provenance(stored)]


def _without(folder: Path) -> str:
    return f"{folder}: has no {SUBMISSION}."


def check_all(folders: Sequence[Path]) -> dict[Path, list[str]]:
    """The same for several folders, which may not hold one run twice."""
    found = {folder: check_submission(folder) for folder in folders}
    seen: dict[str, Path] = {}
    for folder in (folder for folder in folders if not found[folder]):
        run_id = read_run(folder).results_value().run_id
        other = seen.setdefault(run_id, folder)
        if other is not folder:
            found[folder].append(f"{folder / SUBMISSION}: run_id {run_id} is also that of {other}.")
    return found


def _files(folder: Path, manifest: Manifest) -> list[str]:
    faults = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            faults.append(f"{path}: is a link or no plain file.")
        elif path.is_file() and name not in _ALLOWED:
            faults.append(f"{path}: is no file of a published result (generations are not published).")
        elif path.is_file() and path.stat().st_size > _MOST_BYTES:
            faults.append(f"{path}: is larger than {_MOST_BYTES:,} bytes.")
        elif name in PREDICTIONS and any(task.data.source != "mini" for task in manifest.tasks.values()):
            faults.append(f"{path}: predictions are published for the embedded rows alone.")
    return faults


def _claims(stored: StoredRun, submission: Submission, manifest: Manifest) -> list[str]:
    place = stored.path / SUBMISSION
    faults = []
    if submission.name != stored.path.resolve().name:
        faults.append(f"{place}: name is {submission.name!r}, but the folder is {stored.path.resolve().name!r}.")
    if stored.results["status"] != "finished":
        faults.append(f"{stored.path}: the run is {stored.results['status']}.")
    strongest = default_mark(manifest)
    if MARKS.index(submission.mark) < MARKS.index(strongest):
        faults.append(
            f"{place}: mark is {submission.mark}; a run of kind {manifest.model.kind} is {strongest} at best."
        )
    if (submission.grue_version, submission.grue_commit) != (manifest.grue.get("version"), manifest.grue.get("commit")):
        faults.append(f"{place}: grue is not the version and commit of the manifest.")
    if submission.supersedes is not None and submission.supersedes.run_id == submission.run_id:
        faults.append(f"{place}: supersedes: run_id is that of the run itself.")
    return [*faults, *_command(place, submission.command, manifest)]


def _command(place: Path, command: str, manifest: Manifest) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        return [f"{place}: command is no command line: {error}."]
    if words[:1] != ["grue"] or len(words) < 2:
        return [f"{place}: command should begin with 'grue': found {command[:60]!r}."]
    model: Any = manifest.arguments.get("model")
    if isinstance(model, str) and model not in words:
        return [f"{place}: command does not name the model of the run, {model!r}."]
    return []


def _provenance(stored: StoredRun) -> list[str]:
    path = stored.path / PROVENANCE
    try:
        document = json.loads(path.read_bytes())
        run_id, files = document["run_id"], document["files"]
        hashes = {name: one["sha256"] for name, one in files.items()}
    except OSError as error:
        return [f"{path}: cannot be read: {error.strerror or error}."]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return [f"{path}: is no provenance of a run: {error!r}."]
    faults = []
    if run_id != stored.results["run_id"]:
        faults.append(f"{path}: run_id is not that of {RESULTS}.")
    if hashes != dict(stored.results["files"]):
        faults.append(f"{path}: files are not those of {RESULTS}.")
    return faults
