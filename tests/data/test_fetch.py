"""Fetching from a stand-in hub on loopback, in own processes: the hub's library reads its settings at import."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

Grue = Callable[..., CompletedProcess[str]]
FILE = "default/test/0000.parquet"
DATASET, REVISION = "stand/in", "a" * 40


@pytest.fixture
def content(parquet_bytes: Callable[..., bytes]) -> bytes:
    """Three records."""
    return parquet_bytes({"id": ["b", "a", "c"], "text": ["two", "one", "three"], "answer": ["2", "1", "3"]})


@pytest.fixture
def source() -> dict[str, Any]:
    """What the stand-in publishes."""
    return {
        "id": DATASET,
        "revision": REVISION,
        "files": {"test": (FILE,)},
        "columns": ("id", "text", "answer"),
        "counts": {"test": 3},
    }


def fetch(grue: Grue, folder: Path, *more: str) -> CompletedProcess[str]:
    return grue("--include", folder, "data", "fetch", "-t", "published", *more)


def test_a_good_download_is_checked_recorded_verified_and_bundled(
    hub: Any, grue_online: Grue, plugin: Callable[..., Path], source: dict[str, Any], content: bytes, tmp_path: Path
) -> None:
    hub.files[FILE] = content
    checksum = hashlib.sha256(content).hexdigest()
    folder = plugin(**source, sha256={FILE: checksum})
    answer = fetch(grue_online, folder, "--json")
    assert answer.returncode == 0, answer.stderr
    (one,) = json.loads(answer.stdout)["fetched"]
    assert (one["rows"], one["files"][FILE]) == (3, {"sha256": checksum, "bytes": len(content)})
    lock = json.loads((tmp_path / "home/data/data.lock").read_text())
    assert lock["schema_version"] == 1
    entry = lock["tasks"]["published"]
    assert (entry["id"], entry["revision"], entry["rows"]) == (DATASET, REVISION, {"test": 3})
    assert entry["files"] == {FILE: {"sha256": checksum, "bytes": len(content)}}
    assert entry["fetched_at"].endswith("Z")

    verified = grue_online("--include", folder, "data", "verify", "--json")
    assert verified.returncode == 0, verified.stderr
    assert json.loads(verified.stdout)["files"][0]["state"] == "ok"

    asked = len(hub.requests)
    bundle = tmp_path / "bundle"
    exported = grue_online(
        "--include", folder, "data", "export", "-t", "published", "--data", "hub", "--offline", "--out", bundle
    )
    assert exported.returncode == 0, exported.stderr
    assert len(hub.requests) == asked
    lines = [json.loads(line) for line in (bundle / "published/test.jsonl").read_text().splitlines()]
    assert lines[0] == {"id": "b", "text": "two", "answer": "2"}
    assert grue_online("--include", folder, "data", "verify", bundle).returncode == 0
    (bundle / "published/test.jsonl").write_text("{}\n")
    assert grue_online("--include", folder, "data", "verify", bundle).returncode == 1


@pytest.mark.parametrize(
    ("change", "served", "words"),
    [
        ({"sha256": {FILE: "0" * 64}}, {FILE}, ["SHA-256", "0" * 64]),
        ({"counts": {"test": 4}}, {FILE}, ["3 records", "documents 4"]),
        ({"columns": ("id", "summary")}, {FILE}, ["lacks the column 'summary'", "id, text, answer"]),
        ({}, set(), ["no such file", FILE]),
        ({"revision": "b" * 40}, {FILE}, ["no longer has the pinned commit"]),
        ({"revision": "main"}, {FILE}, ["'main' is no commit of 40 hex digits"]),
        ({"id": "stand/out"}, {FILE}, ["no such data set"]),
    ],
    ids=["checksum", "count", "column", "file", "revision", "branch", "repository"],
)
def test_what_is_not_as_pinned_is_refused_with_the_reason(
    hub: Any,
    grue_online: Grue,
    plugin: Callable[..., Path],
    source: dict[str, Any],
    content: bytes,
    change: dict[str, Any],
    served: set[str],
    words: list[str],
    tmp_path: Path,
) -> None:
    hub.files.update(dict.fromkeys(served, content))
    answer = fetch(grue_online, plugin(**{**source, **change}))
    assert answer.returncode == 2, answer.stderr
    assert "Traceback" not in answer.stderr
    for word in words:
        assert word in answer.stderr
    assert not (tmp_path / "home/data/data.lock").exists()


def test_a_server_that_is_down_gives_a_clear_error_and_the_cache_serves_what_it_holds(
    hub: Any, grue_online: Grue, plugin: Callable[..., Path], source: dict[str, Any], content: bytes, tmp_path: Path
) -> None:
    folder = plugin(**source)
    away = {"HF_ENDPOINT": "http://127.0.0.1:9"}
    export = ("--include", folder, "data", "export", "-t", "published", "--data", "hub", "--out", tmp_path / "bundle")
    refused = grue_online(*export, **away)
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
    assert "not on this machine" in refused.stderr
    assert "grue data fetch" in refused.stderr
    hub.files[FILE] = content
    assert fetch(grue_online, folder).returncode == 0
    assert grue_online(*export, **away).returncode == 0


def test_a_download_that_breaks_off_goes_on_where_it_stopped(
    hub: Any,
    grue_online: Grue,
    plugin: Callable[..., Path],
    source: dict[str, Any],
    parquet_bytes: Callable[..., bytes],
) -> None:
    # The hub's library writes in steps of 10 MiB: the file is larger, and is cut off in its second step.
    text = random.Random(0).randbytes(6 << 20).hex()
    hub.files[FILE] = parquet_bytes({"id": ["a", "b", "c"], "text": [text, "", ""], "answer": ["1", "2", "3"]})
    hub.breaks[FILE] = 11 << 20
    answer = fetch(grue_online, plugin(**source))
    assert answer.returncode == 0, answer.stderr
    assert f"bytes={10 << 20}-" in [asked for _, _, asked in hub.requests]


def test_a_file_that_changed_since_it_was_fetched_is_noticed(
    hub: Any, grue_online: Grue, plugin: Callable[..., Path], source: dict[str, Any], content: bytes, tmp_path: Path
) -> None:
    hub.files[FILE] = content
    folder = plugin(**source)
    assert fetch(grue_online, folder).returncode == 0
    (blob,) = (path for path in (tmp_path / "hf/hub").glob("datasets--*/snapshots/*/default/test/*"))
    blob.resolve().write_bytes(content + b" ")
    again = fetch(grue_online, folder)
    assert again.returncode == 2
    assert "SHA-256" in again.stderr
    verified = grue_online("--include", folder, "data", "verify")
    assert verified.returncode == 1
    assert "changed" in verified.stdout
