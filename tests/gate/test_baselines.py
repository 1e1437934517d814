"""Baseline files: made on purpose, whole or not at all, equal content in equal bytes, nothing believed unread."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grue.comparison.columns import all_metric_rows
from grue.core.run import checksum
from grue.gate.baseline import read_baseline
from grue.gate.baseline_rows import sha256_of
from grue.runs.read import read_run

Grue = Callable[..., Any]


@pytest.fixture
def baseline(grue: Grue, random: Path, tmp_path: Path) -> Path:
    path = tmp_path / "gates" / "baseline.json"
    assert grue("gate", "--baseline", path, "--candidate", random, "--update-baseline").code == 0
    return path


def _rows_file(baseline: Path) -> Path:
    (found,) = baseline.parent.glob("*.json.gz")
    return found


def _resealed(baseline: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """An edit by someone who mends the checksum too."""
    document = json.loads(baseline.read_text())
    change(document)
    document["checksum"] = checksum(document)
    baseline.write_text(json.dumps(document))


def test_the_first_gate_says_how_to_make_a_baseline(grue: Grue, random: Path, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    answer = grue("gate", "--baseline", path, "--candidate", random, "--junit", tmp_path / "x.xml")
    assert answer.code == 2
    assert f"--baseline {path} --candidate {random} --update-baseline" in answer.err
    assert list(tmp_path.iterdir()) == []


def test_a_baseline_answers_as_the_run_it_was_made_of(grue: Grue, baseline: Path, random: Path, constant: Path) -> None:
    from_file = grue("gate", "--baseline", baseline, "--candidate", constant, "--json")
    from_run = grue("gate", "--baseline", random, "--candidate", constant, "--json")
    assert from_file.code == from_run.code == 1
    assert from_file.document["checks"] == from_run.document["checks"]


def test_every_directed_metric_keeps_its_rows(baseline: Path, random: Path) -> None:
    side, run = read_baseline(baseline), read_run(random)
    n_compared = 0
    for task in run.results["tasks"]:
        for name, rows in all_metric_rows(run, task).items():
            if rows.higher_is_better is None:
                continue
            stored = side.rows_of(task, name)
            assert stored is not None
            assert stored.ids == rows.ids
            assert stored.column.statistics.tolist() == rows.column.statistics.tolist()
            assert stored.column.value() == pytest.approx(rows.column.value(), rel=1e-12)
            n_compared += 1
    assert n_compared > 30


def test_equal_runs_give_equal_bytes_and_one_rows_file(grue: Grue, baseline: Path, random: Path) -> None:
    before = {path.name: path.read_bytes() for path in baseline.parent.iterdir()}
    assert grue("gate", "--baseline", baseline, "--candidate", random, "--update-baseline").code == 0
    assert {path.name: path.read_bytes() for path in baseline.parent.iterdir()} == before
    assert len(before) == 2


def test_an_update_takes_the_place_of_both_files(grue: Grue, baseline: Path, constant: Path) -> None:
    old_rows = _rows_file(baseline)
    answer = grue("gate", "--baseline", baseline, "--candidate", constant, "--update-baseline", "--json")
    assert answer.code == 0
    assert answer.document["schema_version"] == 1
    assert not old_rows.exists()
    (line,) = [one for one in answer.document["changes"] if one.startswith("commongen: ")]
    assert "numbers moved: cider_d: 0.0715558 → 0.00700957" in line
    assert _rows_file(baseline) == Path(answer.document["rows"])
    assert grue("gate", "--baseline", baseline, "--candidate", constant).code == 0


def test_git_shows_one_line_for_each_number_that_moved(grue: Grue, baseline: Path) -> None:
    lines = baseline.read_text().splitlines()
    assert sum('"cider_d": {"value":' in line for line in lines) == 1
    document = json.loads(baseline.read_text())
    assert document["schema_version"] == 1
    assert "environment" not in document["manifest"]


def test_a_kill_while_writing_leaves_a_baseline_that_can_be_read(
    grue: Grue, baseline: Path, random: Path, constant: Path
) -> None:
    """Killed before the new JSON takes the old one's place: the new rows are there, and harm nobody."""
    code = """
import os, sys
from grue.gate import baseline
first = baseline.write_atomic
def killed(path, content):
    if path.suffix == ".json":
        os._exit(9)
    first(path, content)
baseline.write_atomic = killed
from grue.cli.main import main
main()
"""
    call = ("gate", "--baseline", baseline, "--candidate", constant, "--update-baseline")
    done = subprocess.run([sys.executable, "-c", code, *map(str, call)], check=False, env={**os.environ})
    assert done.returncode == 9
    assert len(list(baseline.parent.glob("*.json.gz"))) == 2
    assert grue("gate", "--baseline", baseline, "--candidate", random).code == 0


def test_nothing_but_a_baseline_is_replaced(grue: Grue, random: Path, tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    path.write_text('{"schema_version": 1, "mine": true}')
    answer = grue("gate", "--baseline", path, "--candidate", random, "--update-baseline")
    assert answer.code == 2
    assert "holds something else" in answer.err
    assert path.read_text() == '{"schema_version": 1, "mine": true}'
    assert grue("gate", "--baseline", tmp_path, "--candidate", random, "--update-baseline").code == 2
    assert [one.name for one in tmp_path.iterdir()] == ["notes.json"]


def test_a_baseline_with_marks_of_a_merge_is_refused_and_mended_by_an_update(
    grue: Grue, baseline: Path, random: Path
) -> None:
    baseline.write_text(f"<<<<<<< HEAD\n{baseline.read_text()}=======\n")
    answer = grue("gate", "--baseline", baseline, "--candidate", random)
    assert answer.code == 2
    assert str(baseline) in answer.err
    assert "--update-baseline" in answer.err
    assert grue("gate", "--baseline", baseline, "--candidate", random, "--update-baseline").code == 0
    assert grue("gate", "--baseline", baseline, "--candidate", random).code == 0


def test_no_baseline_is_made_of_a_run_that_is_not_whole(
    grue: Grue,
    random: Path,
    copied: Callable[[Path], Path],
    edited: Callable[[Path, Callable[[dict[str, Any]], None]], None],
    tmp_path: Path,
) -> None:
    path = tmp_path / "baseline.json"
    run = copied(random)
    edited(run, lambda document: document.update(status="partial"))
    assert grue("gate", "--baseline", path, "--candidate", run, "--update-baseline").code == 3
    (run / "results.json").unlink()
    assert grue("gate", "--baseline", path, "--candidate", run, "--update-baseline").code == 3
    assert grue("gate", "--baseline", path, "--candidate", tmp_path / "none", "--update-baseline").code == 2
    assert not path.exists()


def _rewrite_rows(baseline: Path, content: bytes) -> None:
    """Other rows, under a hash and name that fit."""
    _rows_file(baseline).unlink()
    sha256 = sha256_of(content)
    (baseline.parent / f"baseline.rows-{sha256[:12]}.json.gz").write_bytes(content)
    _resealed(baseline, lambda document: document.update(rows_sha256=sha256))


def _change_rows(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def spoil(baseline: Path) -> None:
        document = json.loads(gzip.decompress(_rows_file(baseline).read_bytes()))
        change(document["tasks"]["commongen"])
        _rewrite_rows(baseline, gzip.compress(json.dumps(document).encode()))

    return spoil


def _set_column(value: object) -> Callable[[Path], None]:
    def change(task: dict[str, Any]) -> None:
        task["numbers"]["cider_d"]["columns"] = value

    return _change_rows(change)


def _edit_value(baseline: Path) -> None:
    baseline.write_text(baseline.read_text().replace('"n": 48', '"n": 47', 1))


def _other_value(baseline: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        document["results"]["tasks"]["commongen"]["metrics"]["cider_d"]["value"] = 0.5

    _resealed(baseline, change)


def _flip_byte(baseline: Path) -> None:
    path = _rows_file(baseline)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda one: one.write_text(one.read_text()[:500]), "JSON"),
        (lambda one: one.write_text("[]"), "object"),
        (lambda one: one.write_text("[" * 100_000), "JSON"),
        (lambda one: one.write_bytes(b"\xff\xfe"), "JSON"),
        (_edit_value, "checksum"),
        (lambda one: _resealed(one, lambda d: d.update(schema_version=2)), "Upgrade grue"),
        (lambda one: _resealed(one, lambda d: d.update(kind="other")), "kind"),
        (lambda one: _resealed(one, lambda d: d.update(rows_sha256="../../etc/passwd")), "rows_sha256"),
        (lambda one: _resealed(one, lambda d: d["manifest"].pop("tasks")), "manifest.tasks"),
        (lambda one: _resealed(one, lambda d: d["manifest"].pop("identity")), "identity"),
        (_other_value, "tasks.commongen.cider_d"),
        (lambda one: _rows_file(one).unlink(), "is missing"),
        (_flip_byte, "SHA-256"),
        (lambda one: _rewrite_rows(one, b"no gzip"), "damaged"),
        (lambda one: _rewrite_rows(one, gzip.compress(b'{"tasks": ')), "damaged"),
        (lambda one: _rewrite_rows(one, _rows_file(one).read_bytes()[:-30]), "ends too early"),
        (lambda one: _rewrite_rows(one, gzip.compress(b'{"schema_version": 1, "tasks": []}')), "'tasks'"),
        (lambda one: _rewrite_rows(one, gzip.compress(b'{"schema_version": 2, "tasks": {}}')), "schema_version"),
        (_set_column([[1.0]]), "columns"),
        (_set_column([]), "columns"),
        (_set_column("x"), "columns"),
        (_set_column([["a"] * 48]), "finite"),
        (_set_column([[True] * 48]), "finite"),
        (_set_column([[10**400] * 48]), "finite"),
        (_set_column([[float("nan")] * 48]), "finite"),
        (_change_rows(lambda task: task.update(ids=list(reversed(task["ids"])))), "ids"),
        (_change_rows(lambda task: task["numbers"]["cider_d"].update(rows=[-1] * 48)), "rows"),
        (_change_rows(lambda task: task["numbers"]["cider_d"].update(rows=[1, 0])), "rows"),
        (_change_rows(lambda task: task.update(numbers=[])), "numbers"),
    ],
)
def test_a_damaged_baseline_is_a_named_error_and_writes_nothing(
    grue: Grue, baseline: Path, constant: Path, spoil: Callable[[Path], None], named: str, tmp_path: Path
) -> None:
    spoil(baseline)
    junit = tmp_path / "gate.xml"
    answer = grue("gate", "--baseline", baseline, "--candidate", constant, "--junit", junit)
    assert answer.code == 2
    assert named in answer.err
    assert str(baseline.parent) in answer.err
    assert "Traceback" not in answer.err
    assert not junit.exists()
