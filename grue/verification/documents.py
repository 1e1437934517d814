"""Are the files of a run what was written? Checksum, hashes, identity, and documents that speak of one run.

Unlike ``read_run``, which stops at the first fault, this names all of them and goes on as far as it can.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grue.core.errors import RunDirectoryError
from grue.core.run import Manifest, Results
from grue.runs.fields import Fields, NewerSchemaError, read_document
from grue.runs.identity import run_identity
from grue.runs.read import MANIFEST, RESULTS, ShardError, StoredRun, check_file, checksum_of, read_run
from grue.runs.rows import IMPORTED
from grue.runs.values import manifest_value, results_value
from grue.verification.findings import FAILED, PASSED, Finding


@dataclass(frozen=True, slots=True)
class Opened:
    """A run as far as it could be read.

    Attributes:
        stored: The run; ``None`` where a document cannot be read.
        findings: What was found in documents and files.
    """

    stored: StoredRun | None
    findings: tuple[Finding, ...]


def open_run(path: Path) -> Opened:
    """Read a run directory and check its documents and the hashes of its files.

    Raises:
        RunDirectoryError: where there is nothing to verify: no finished run, a part of one, or one of a newer version.
    """
    if not (path / MANIFEST).is_file() or not (path / RESULTS).is_file():
        read_run(path)  # says which of the two is missing and what to do
    try:
        document = read_document(path / MANIFEST)
        manifest = manifest_value(document)
        document_of_results = read_document(path / RESULTS)
        results = results_value(document_of_results)
    except NewerSchemaError:
        raise
    except RunDirectoryError as error:
        return Opened(None, (_failed("documents", error.cause, error.place),))
    if manifest.shard is not None:
        raise ShardError(
            f"is {manifest.shard} of a run, which has no values to verify.",
            "Join the parts first: grue merge SHARD_DIR… -o DIR",
            place=str(path),
        )
    stored = StoredRun(path, document.values, {"files": {}, "tasks": {}, **document_of_results.values})
    findings = [
        *_documents(path, manifest, results, document_of_results),
        *_files(path, manifest, results, document_of_results),
    ]
    return Opened(stored, tuple(findings))


def _documents(path: Path, manifest: Manifest, results: Results, document: Fields) -> Iterator[Finding]:
    faults = list(_document_faults(path, manifest, results, document))
    yield from faults
    if not faults:
        yield Finding(
            check="documents",
            status=PASSED,
            message=f"{RESULTS} has the checksum it names, {MANIFEST} the identity, and both speak of one run",
        )


def _document_faults(path: Path, manifest: Manifest, results: Results, document: Fields) -> Iterator[Finding]:
    of_manifest, of_results = str(path / MANIFEST), str(path / RESULTS)
    try:
        if document.required("checksum", str) != checksum_of(document):
            yield _failed("documents", "checksum does not fit the content", f"{of_results}: checksum")
    except RunDirectoryError as error:
        yield _failed("documents", error.cause, error.place)
    if results.run_id != manifest.run_id:
        yield _failed(
            "documents", f"run_id is {results.run_id}, {MANIFEST} says {manifest.run_id}", f"{of_results}: run_id"
        )
    identity = run_identity(manifest.model, manifest.tasks, manifest.seed)
    if identity != manifest.identity:
        yield _failed(
            "documents",
            f"identity is {manifest.identity[:12]}…, what the manifest says gives {identity[:12]}…",
            f"{of_manifest}: identity",
        )
    if set(results.tasks) != set(manifest.tasks):
        yield _failed(
            "documents",
            f"tasks are {', '.join(sorted(results.tasks))}, {MANIFEST} says {', '.join(sorted(manifest.tasks))}",
            f"{of_results}: tasks",
        )
    whole = all(task.status == "finished" for task in results.tasks.values())
    if results.status not in ("finished", "partial") or (results.status == "finished") != whole:
        yield _failed("documents", f"status is {results.status!r}, its tasks say otherwise", f"{of_results}: status")
    for name, result in results.tasks.items():
        asked = manifest.tasks.get(name)
        if asked is None:
            continue
        for kind, values, signatures in (
            ("metrics", result.metrics, asked.metrics),
            ("rewards", result.rewards, asked.rewards),
        ):
            for metric, value in values.items():
                # A value that is absent has no signature, whatever was planned.
                if value.signature is not None and value.signature != signatures.get(metric):
                    yield _failed(
                        "documents",
                        f"signature is {value.signature}, {MANIFEST} says {signatures.get(metric)}",
                        f"{of_results}: tasks.{name}.{kind}.{metric}.signature",
                        name,
                    )


def _files(path: Path, manifest: Manifest, results: Results, document: Fields) -> Iterator[Finding]:
    faults = []
    # Others' results may come without samples.
    tasks = [
        task for task in results.tasks if manifest.model.kind != IMPORTED or f"samples/{task}.parquet" in results.files
    ]
    needed = [MANIFEST, *(f"{kind}/{task}.parquet" for task in tasks for kind in ("samples", "statistics"))]
    for name in needed:
        if name not in results.files:
            faults.append(_failed("files", f"files does not vouch for {name}", f"{path / RESULTS}: files"))
    for name, sha256 in results.files.items():
        try:
            check_file(path, name, sha256, document)
        except RunDirectoryError as error:
            faults.append(_failed("files", error.cause, error.place))
    yield from faults
    if not faults:
        yield Finding(check="files", status=PASSED, message=f"{len(results.files)} files have the hashes of {RESULTS}")


def _failed(check: str, message: str, place: str, task: str | None = None) -> Finding:
    return Finding(check=check, status=FAILED, message=message, place=place, task=task)
