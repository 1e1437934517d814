"""One bad run among many is skipped and named, with file and key; the rest is indexed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from grue.core.errors import RunDirectoryError
from grue.core.run import checksum
from grue.runs.files import sha256_file
from grue.store import queries
from grue.store.database import Store, open_store
from grue.store.rebuild import add_run, rebuild

Spoil = Callable[[Path], None]


def edited(name: str, old: str, new: str) -> Spoil:
    """Replaces text of a document."""

    def spoil(path: Path) -> None:
        text = (path / name).read_text()
        assert old in text
        (path / name).write_text(text.replace(old, new, 1))

    return spoil


def with_value(key: str, value: object) -> Spoil:
    """Sets a value of the manifest."""

    def spoil(path: Path) -> None:
        document = json.loads((path / "manifest.json").read_text())
        *parents, last = key.split(".")
        inner = document
        for parent in parents:
            inner = inner[parent]
        inner[last] = value
        (path / "manifest.json").write_text(json.dumps(document))

    return spoil


def truncated(name: str) -> Spoil:
    """Cuts a file in half."""
    return lambda path: (path / name).write_bytes((path / name).read_bytes()[: (path / name).stat().st_size // 2])


def without_a_row(path: Path) -> None:
    """Takes a row out of a table and makes the hashes anew, as someone would who drops a bad one."""
    table = path / "samples" / "commongen.parquet"
    pq.write_table(pq.read_table(table).slice(1), table)
    document = json.loads((path / "results.json").read_text())
    document["files"]["samples/commongen.parquet"] = sha256_file(table)
    del document["checksum"]
    (path / "results.json").write_text(json.dumps({**document, "checksum": checksum(document)}))


BAD: dict[str, tuple[Spoil, str]] = {
    "truncated results": (truncated("results.json"), "results.json: is no valid JSON"),
    "truncated manifest": (truncated("manifest.json"), "manifest.json: is no valid JSON"),
    "truncated table": (truncated("samples/commongen.parquet"), "samples/commongen.parquet: was changed after the run"),
    "missing table": (lambda path: (path / "samples/commongen.parquet").unlink(), "samples/commongen.parquet"),
    "no results": (lambda path: (path / "results.json").unlink(), "has no results.json"),
    "no manifest": (lambda path: (path / "manifest.json").unlink(), "has no manifest.json"),
    "other rows": (without_a_row, "samples/commongen.parquet: holds 6 generations, other rows than the run has"),
    "newer results": (edited("results.json", '"schema_version": 1', '"schema_version": 2'), "reads up to 1"),
    "newer manifest": (edited("manifest.json", '"schema_version": 1', '"schema_version": 2'), "reads up to 1"),
    "edited score": (edited("results.json", '"value": 1.0', '"value": 9.0'), "results.json: checksum does not fit"),
    "other run id": (with_value("run_id", "01J"), "run_id is"),
    "no time": (with_value("created_at", "yesterday"), "manifest.json: created_at is no time"),
    "number too large": (with_value("tasks.commongen.data.rows", 2**70), "is larger than any run has"),
    "wrong type": (with_value("seed", "one"), "manifest.json: seed should be a whole number"),
    "no number": (with_value("tasks.commongen.generation", {"x": float("nan")}), "a value that no run writes"),
    "half a character": (with_value("tasks.commongen.split", "\ud800"), "a value that no run writes"),
    "name of a path": (with_value("tasks", {"../x": {}}), "tasks"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_run_among_good_ones_is_skipped_and_named(store: Store, runs: Any, case: str) -> None:
    spoil, says = BAD[case]
    first, bad, last = (runs.write(weights=weights) for weights in "abc")
    spoil(bad)
    done = rebuild(store, [runs.folder])
    assert [broken.path for broken in done.skipped] == [bad.resolve()]
    assert says in done.skipped[0].reason
    assert [location.run_id for location in queries.locations(store)] == [first.name, last.name]


@pytest.mark.parametrize("case", BAD)
def test_bad_run_is_not_added_alone(tmp_path: Path, runs: Any, case: str) -> None:
    spoil, _ = BAD[case]
    path = runs.write()
    spoil(path)
    with open_store(f"sqlite:///{tmp_path}/x.sqlite") as store:
        with pytest.raises(RunDirectoryError):
            add_run(store, path)
        assert queries.locations(store) == ()
