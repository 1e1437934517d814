"""Reads the run directory in an archive into a prediction file; runs in a bounded process."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from grue.core.run import SCHEMA_VERSION
from grue.submissions.archive_members import members
from grue.submissions.bounded_json import bounded_object
from grue.submissions.findings import Fault, Findings, shown
from grue.submissions.member_names import Member
from grue.submissions.run_samples import Writing, write_task

_MANIFEST, _RESULTS = "manifest.json", "results.json"
_SAMPLES = re.compile(r"samples/([A-Za-z0-9][A-Za-z0-9_.-]{0,99})\.parquet")
_MAX_DOCUMENT_BYTES = 16 << 20
_MAX_VALUES = 400_000
_BLOCK_BYTES = 1 << 20
_AGAIN = "Pack the folder of a finished run as it is: manifest.json, results.json and samples/."


@dataclass(slots=True)
class _Run:
    """What was found in the archive; samples lie in files of our own names."""

    top: str | None = None
    documents: dict[str, dict[str, Any]] | None = None
    samples: dict[str, Path] | None = None
    sha256: dict[str, str] | None = None


def read_archive(request: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    """Read member by member; only names of a run directory are looked at, the others passed over.

    Args:
        request: ``path`` of the archive, ``tasks`` that may be in it, ``folder`` for temporary files, ``out`` for
            the prediction file, ``max_bytes`` of what is unpacked and of what is written.
        findings: Takes what is wrong.

    Returns:
        ``splits``: task -> the split its manifest names.
    """
    try:
        run = _read(Path(request["path"]), Path(request["folder"]), request["max_bytes"])
        return {"splits": _converted(run, request, findings)}
    except Fault as fault:
        findings.add(None, fault.problem, fault.fix)
        return {"splits": {}}


def _read(path: Path, folder: Path, max_bytes: int) -> _Run:
    documents: dict[str, dict[str, Any]] = {}
    samples: dict[str, Path] = {}
    sha256: dict[str, str] = {}
    tops: set[str] = set()
    for member in members(path, max_bytes):
        top, name = _place(member.name)
        if name is None:
            continue
        tops.add(top)
        if len(tops) > 1:
            raise Fault("The archive holds more than one run.", "Pack each run alone.")
        if name in (_MANIFEST, _RESULTS):
            documents[name] = _document(member, name)
        elif found := _SAMPLES.fullmatch(name):
            place = folder / f"{len(samples)}.parquet"
            with place.open("xb") as file:
                sha256[found[1]] = _copied(member, file)
            samples[found[1]] = place
    for name in (_MANIFEST, _RESULTS):
        if name not in documents:
            raise Fault(f"The archive holds no {name}.", _AGAIN)
    if not samples:
        raise Fault("The archive holds no samples.", _AGAIN)
    return _Run(tops.pop(), documents, samples, sha256)


def _place(name: str) -> tuple[str, str | None]:
    """The folder above the run and the file's name in it; ``None`` for files that are not looked at."""
    parts = name.split("/")
    known = 2 if len(parts) > 1 and parts[-2] == "samples" else 1
    inner = "/".join(parts[-known:])
    if len(parts) > known + 1 or not (inner in (_MANIFEST, _RESULTS) or _SAMPLES.fullmatch(inner)):
        return "", None
    return "/".join(parts[:-known]), inner


def _document(member: Member, name: str) -> dict[str, Any]:
    blocks, size = [], 0
    while block := member.stream.read(_BLOCK_BYTES):
        size += len(block)
        if size > _MAX_DOCUMENT_BYTES:
            raise Fault(f"{name} has more than {_MAX_DOCUMENT_BYTES:,} bytes.", _AGAIN)
        blocks.append(block)
    try:
        document = bounded_object(b"".join(blocks), max_values=_MAX_VALUES)
    except Fault as fault:
        raise Fault(f"{name}: {fault.problem}", fault.fix) from fault
    version = document.get("schema_version")
    if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version <= SCHEMA_VERSION:
        raise Fault(f"{name} is of another version than {SCHEMA_VERSION}.", "Score the run with this version of grue.")
    return document


def _copied(member: Member, file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := member.stream.read(_BLOCK_BYTES):
        digest.update(block)
        file.write(block)
    return digest.hexdigest()


def _converted(run: _Run, request: Mapping[str, Any], findings: Findings) -> dict[str, str]:
    documents, samples, sha256 = run.documents or {}, run.samples or {}, run.sha256 or {}
    stored = documents[_RESULTS].get("files")
    files = stored if isinstance(stored, dict) else {}
    with Path(request["out"]).open("x", encoding="utf-8") as out:
        writing = Writing(out, request["max_bytes"])
        for task in sorted(samples):
            if task not in request["tasks"]:
                findings.notes.append(f"Left out: {shown(task)}, which this board does not score.")
            elif files.get(f"samples/{task}.parquet") != sha256[task]:
                problem = "The file is not the one that results.json lists."
                findings.add(f"samples/{task}.parquet", problem, "Pack the run as grue wrote it.")
            else:
                write_task(task, samples[task], writing, findings)
    return {task: split for task in samples if (split := _split(documents[_MANIFEST], task))}


def _split(manifest: Mapping[str, Any], task: str) -> str:
    tasks = manifest.get("tasks")
    asked = tasks.get(task) if isinstance(tasks, dict) else None
    split = asked.get("split") if isinstance(asked, dict) else None
    return shown(split) if isinstance(split, str) else ""
