"""Reading run directories: values, frames, and each way in which one can be broken."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from grue.core.errors import RunDirectoryError
from grue.core.run import Manifest, TaskResult, checksum
from grue.runs.frames import load_run
from grue.runs.identity import new_run_id
from grue.runs.read import Broken, RunSummary, find_runs, read_run

Finish = Callable[..., Path]


@pytest.fixture
def path(tmp_path: Path, manifest: Manifest, write_run: Finish) -> Path:
    return write_run(tmp_path / "runs" / "r", manifest)


def edit(path: Path, **changes: object) -> None:
    """Change keys of results.json and mend its checksum."""
    document = {**json.loads((path / "results.json").read_text()), **changes}
    document = {key: value for key, value in document.items() if value is not ...}
    document["checksum"] = checksum(document)
    (path / "results.json").write_text(json.dumps(document))


def test_stored_run_gives_documents_and_tables(path: Path, manifest: Manifest) -> None:
    stored = read_run(path)
    assert stored.manifest == json.loads((path / "manifest.json").read_text())
    assert stored.results["run_id"] == manifest.run_id
    assert stored.samples("toy").num_rows == 3
    assert stored.statistics("toy").column_names == ["id", "sample", "sacrebleu"]
    with pytest.raises(RunDirectoryError, match=r"holds no samples/other\.parquet") as caught:
        stored.samples("other")
    assert "toy" in caught.value.fix


def test_values_come_back_as_they_were_written(path: Path, manifest: Manifest, result: TaskResult) -> None:
    run = load_run(path)
    assert run.manifest == manifest
    assert run.results.tasks == {"toy": result}
    assert run.results.status == "finished"


def test_frames_hold_what_the_results_hold(path: Path) -> None:
    run = load_run(str(path))
    metrics = run.metrics().set_index("metric")
    assert metrics.loc["rouge1", "value"] == 1 / 3
    assert metrics.loc["rouge1", ["ci95_low", "ci95_high"]].tolist() == [0.1, 0.7]
    assert metrics["primary"].tolist() == [True, False]
    assert math.isnan(metrics.loc["meteor", "value"])
    assert metrics.loc["meteor", "reason"] == "no stemmer here"
    samples = run.samples("toy")
    assert samples["id"].tolist() == ["1", "10", "2"]
    assert math.isnan(samples["rouge1"][0])
    assert run.scores()["score"].tolist() == ["quality", "naturalness", "grue", "naturalness"]
    assert run.scores()["value"].isna().all()
    assert run.rewards().empty


def test_unknown_keys_are_ignored(path: Path) -> None:
    edit(path, colour="blue")
    manifest = json.loads((path / "manifest.json").read_text())
    assert read_run(path).results["colour"] == "blue"
    assert load_run(path).manifest.run_id == manifest["run_id"]


def test_infinite_and_missing_numbers_never_reach_the_documents(path: Path) -> None:
    text = (path / "results.json").read_text()
    assert "NaN" not in text
    assert "Infinity" not in text
    # 1/3 at full precision, as Python's shortest exact form.
    assert "0.3333333333333333" in text


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("manifest.json", "{", "no valid JSON"),
        ("manifest.json", "[]", "should hold a JSON object"),
        ("manifest.json", "{}", "schema_version should be a whole number: the key is missing"),
        ("manifest.json", '{"schema_version": 1, "run_id": 7}', "run_id should be a string: found 7"),
        ("manifest.json", b"\xff\xfe\x00", "no valid JSON"),
        ("manifest.json", '{"schema_version": 2}', "reads up to 1"),
        ("manifest.json", '{"schema_version": true}', "schema_version should be a whole number"),
        ("results.json", '{"schema_version": 99}', "reads up to 1"),
        ("results.json", "", "no valid JSON"),
        ("results.json", '{"schema_version": 1, "checksum": "x"}', "checksum does not fit"),
        ("results.json", '{"schema_version": 1}', "checksum should be a string"),
        ("results.json", '{"schema_version": 1, "checksum": "x", "v": NaN}', "value that no run writes"),
        ("results.json", "[" * 100_000, "no valid JSON"),
        ("samples/toy.parquet", "short", "was changed after the run"),
        ("statistics/toy.parquet", None, "cannot be read"),
        ("manifest.json", None, "is no run directory"),
        ("results.json", None, "is an unfinished run"),
    ],
)
def test_broken_file_is_named(path: Path, name: str, content: str | bytes | None, message: str) -> None:
    if content is None:
        (path / name).unlink()
    else:
        (path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(RunDirectoryError, match=message) as caught:
        read_run(path)
    assert caught.value.place.startswith(str(path))
    assert caught.value.exit_code == 2
    (broken,) = find_runs(path.parent)
    assert isinstance(broken, Broken)
    assert broken.path == path
    assert broken.is_unfinished == ("unfinished" in message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"run_id": "another"}, "run_id is another"),
        ({"status": "done"}, "status should be finished or partial"),
        ({"status": ...}, "status should be a string: the key is missing"),
        ({"tasks": []}, "tasks should be an object"),
        ({"tasks": {"toy": {"status": "finished"}}}, "expected should be a whole number"),
        ({"files": {"../../secret": "0"}}, "does not lie in the run directory"),
        ({"files": {"/etc/passwd": "0"}}, "does not lie in the run directory"),
        ({"files": {"a": 1}}, "files: a should be a string|a should be a string"),
    ],
)
def test_wrong_field_is_named_even_where_the_checksum_fits(
    path: Path, changes: dict[str, object], message: str
) -> None:
    edit(path, **changes)
    with pytest.raises(RunDirectoryError, match=message) as caught:
        read_run(path)
    assert str(path / "results.json") in caught.value.place


def test_changed_number_is_noticed(path: Path) -> None:
    text = (path / "results.json").read_text()
    (path / "results.json").write_text(text.replace("0.3333333333333333", "0.9333333333333333"))
    with pytest.raises(RunDirectoryError, match="checksum does not fit the content"):
        read_run(path)


def test_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError, match="no such folder"):
        read_run(tmp_path / "nowhere")
    with pytest.raises(RunDirectoryError, match="no such folder"):
        find_runs(tmp_path / "nowhere")


def test_runs_are_found_anywhere_in_order_of_creation(tmp_path: Path, manifest: Manifest, write_run: Finish) -> None:
    def made(folder: str, day: int) -> str:
        one = replace(manifest, run_id=new_run_id(), created_at=f"2026-01-0{day}T00:00:00Z")
        write_run(tmp_path / folder, one)
        return one.run_id

    third, first, second = made("a", 3), made("b/deep/er", 1), made("c", 2)
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "results.json").write_text("{}")
    found = find_runs(tmp_path)
    assert [run.run_id for run in found if isinstance(run, RunSummary)] == [first, second, third]
    assert [run.path.name for run in found if isinstance(run, Broken)] == ["d"]
    assert find_runs(tmp_path / "a", tmp_path)[2].path.name == "a"
    assert len(find_runs(tmp_path / "a", tmp_path)) == 4
    assert [run.path for run in find_runs(tmp_path / "a")] == [tmp_path / "a"]
