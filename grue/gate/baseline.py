"""Baselines made for git: one small JSON file, and the rows of its numbers compressed beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from grue.comparison.columns import all_metric_rows
from grue.core.errors import RunDirectoryError
from grue.core.run import SCHEMA_VERSION, Manifest, Results, checksum
from grue.core.text import Json
from grue.gate.baseline_rows import REMAKE, BaselineError, StoredRows, pack_rows, rows_path, sha256_of
from grue.gate.row_data import RATE, RowData, rate_rows
from grue.gate.rules import RATES
from grue.gate.side import Side, value_of
from grue.runs.fields import Fields, read_document
from grue.runs.files import write_atomic
from grue.runs.read import StoredRun
from grue.runs.values import manifest_value, results_value

KIND = "grue-gate-baseline"
_SHA256 = re.compile(r"[0-9a-f]{64}")
# What a manifest says of the machine; nothing of it is compared, and a file in git should not change with it.
_LEFT_OUT = ("environment", "schema_version")
_LINE_CHARACTERS = 160
# Parts of a task's result that carry signatures, which the manifest has too.
_SIGNED = ("metrics", "rewards")


@dataclass(frozen=True, slots=True)
class Written:
    """The two files of a baseline, and the bytes they take."""

    path: Path
    rows_path: Path
    n_bytes: int


def read_baseline(path: Path) -> Side:
    """Read a baseline file; its rows are read when they are asked for.

    Raises:
        BaselineError: where it is missing, damaged, edited, of a newer version or no baseline; names file and key.
    """
    try:
        document = read_document(path)
        if document.values.get("kind") != KIND:
            raise BaselineError(
                f"is no baseline: its kind should be {KIND!r}.",
                "Name a baseline file or a run directory.",
                place=str(path),
            )
        if document.required("checksum", str) != checksum(document.values):
            raise document.fault("checksum does not fit the content: the file was edited.")
        rows_sha256 = document.required("rows_sha256", str)
        if not _SHA256.fullmatch(rows_sha256):
            raise document.fault("rows_sha256 should be 64 hex digits.")
        manifest, results = manifest_value(document.child("manifest")), results_value(document.child("results"))
        for task in results.tasks:
            if task not in manifest.tasks:
                raise document.fault(f"results.tasks.{task} has no entry in manifest.tasks.")
    except BaselineError:
        raise
    except RunDirectoryError as error:
        fix = error.fix if error.fix.startswith("Upgrade") else REMAKE
        raise BaselineError(error.cause, fix, place=error.place) from error
    except ValueError as error:  # NaN and lone surrogates have no canonical form
        raise BaselineError(f"holds a value that is never written: {error}.", REMAKE, place=str(path)) from error
    results = _signed(results, manifest)
    stored = StoredRows(rows_path(path, rows_sha256), rows_sha256)

    def rows_of(task: str, name: str) -> RowData | None:
        return stored.of(task, name, None if name.startswith(RATE) else value_of(results.tasks[task], name))

    return Side(path, manifest, results, rows_of)


def write_baseline(path: Path, run: StoredRun) -> Written:
    """Make a run the baseline; a reader sees the old one or the new, whenever the writing is stopped.

    The rows are written first, under a name of their own; the JSON file that names them takes the old one's place;
    the old rows go last.

    Raises:
        BaselineError: where the folder cannot be written, or the file there is something else.
    """
    previous = _previous_rows(path)
    rows = pack_rows({task: dict(_rows(run, task)) for task in run.results["tasks"]})
    sha256 = sha256_of(rows)
    document: dict[str, Json] = {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "rows_sha256": sha256,
        "manifest": {key: value for key, value in run.manifest.items() if key not in _LEFT_OUT},
        "results": _results(run),
    }
    target = rows_path(path, sha256)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not target.is_file() or target.read_bytes() != rows:
            write_atomic(target, rows)
        write_atomic(path, f"{_layout({**document, 'checksum': checksum(document)})}\n".encode())
        if previous is not None and previous != target:
            with suppress(FileNotFoundError):
                previous.unlink()
    except OSError as error:
        raise BaselineError(
            f"cannot be written: {error.strerror or error}.", "Name another file with --baseline.", place=str(path)
        ) from error
    return Written(path, target, path.stat().st_size + len(rows))


def _previous_rows(path: Path) -> Path | None:
    """The rows that a file there names; nothing but a baseline is replaced."""
    if not path.exists():
        return None
    if path.is_dir():
        raise BaselineError("is a folder.", "--update-baseline writes a file: --baseline gate.json", place=str(path))
    try:
        values: Mapping[str, object] = read_document(path).values
    except RunDirectoryError:
        # A damaged one, with the marks of a merge in it for example, is mended by a new one.
        values = {"kind": KIND} if KIND.encode() in path.read_bytes() else {}
    if values.get("kind") != KIND:
        raise BaselineError(
            "holds something else than a baseline, and is left as it is.", "Name another file.", place=str(path)
        )
    sha256 = values.get("rows_sha256")
    is_hash = isinstance(sha256, str) and _SHA256.fullmatch(sha256) is not None
    return rows_path(path, str(sha256)) if is_hash else None


def _rows(run: StoredRun, task: str) -> Iterable[tuple[str, RowData]]:
    """Rows of all numbers that have a direction."""
    for name, found in all_metric_rows(run, task).items():
        if found.higher_is_better is not None:
            yield name, RowData(found.ids, found.column)
    for rate in RATES:
        rows = rate_rows(run, task, rate)
        if rows is not None:
            yield f"{RATE}{rate}", rows


def _results(run: StoredRun) -> dict[str, Json]:
    """``results.json`` without what belongs to its folder, to no gate, or stands in the manifest."""
    document = Fields(run.results, str(run.path))
    tasks: dict[str, Json] = {}
    for name, task in document.children("tasks"):
        kept = {key: value for key, value in task.values.items() if key not in ("scores", *_SIGNED)}
        tasks[name] = {**kept, **{kind: _unsigned(task, kind) for kind in _SIGNED}}
    return {"run_id": run.results["run_id"], "status": run.results["status"], "tasks": tasks}


def _unsigned(task: Fields, kind: str) -> dict[str, Json]:
    """Metrics or rewards without signatures and intervals: the rows give intervals."""
    left_out = ("signature", "ci95")
    return {
        name: {key: value for key, value in one.values.items() if key not in left_out}
        for name, one in task.children(kind)
    }


def _signed(results: Results, manifest: Manifest) -> Results:
    """The results with the manifest's signatures."""
    tasks = {}
    for name, task in results.tasks.items():
        asked = manifest.tasks[name]
        metrics = {one: replace(value, signature=asked.metrics.get(one)) for one, value in task.metrics.items()}
        rewards = {one: replace(value, signature=asked.rewards.get(one)) for one, value in task.rewards.items()}
        tasks[name] = replace(task, metrics=metrics, rewards=rewards)
    return replace(results, tasks=tasks)


def _layout(value: Json, indent: str = "") -> str:
    """JSON with a short object on one line, so that git shows which number moved."""
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if not isinstance(value, Mapping) or not value or len(line) <= _LINE_CHARACTERS:
        return line
    inner = f"{indent} "
    lines = (f"{inner}{json.dumps(key, ensure_ascii=False)}: {_layout(one, inner)}" for key, one in value.items())
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
