"""Starting, resuming, finishing and refusing run directories."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from grue.core.errors import RunDirectoryError
from grue.core.rows import Generation
from grue.core.run import Manifest
from grue.runs.directory import RunDirectory
from grue.runs.identity import new_run_id
from grue.runs.read import read_run

Finish = Callable[..., Path]


def test_manifest_is_there_before_the_first_generation(tmp_path: Path, manifest: Manifest) -> None:
    with RunDirectory.open(tmp_path / "runs" / "r", manifest) as run:
        assert run.status == "new"
        assert json.loads((run.path / "manifest.json").read_text())["identity"] == manifest.identity
        assert run.stored("toy") == {}


def test_same_identity_resumes_with_the_first_id_and_all_generations(
    tmp_path: Path, manifest: Manifest, generations: list[Generation]
) -> None:
    with RunDirectory.open(tmp_path / "r", manifest) as run:
        run.append("toy", generations[:1])
        run.append("toy", generations[1:])
    again = replace(manifest, run_id=new_run_id(), created_at="2099-01-01T00:00:00Z")
    with RunDirectory.open(tmp_path / "r", again) as run:
        assert run.status == "resumed"
        assert run.manifest.run_id == manifest.run_id
        assert run.manifest.created_at == manifest.created_at
        assert run.stored("toy") == {(g.id, g.sample): g for g in generations}


def test_finished_run_is_said_to_be_finished_and_not_rewritten(
    tmp_path: Path, manifest: Manifest, write_run: Finish
) -> None:
    path = write_run(tmp_path / "r", manifest)
    before = {file: file.stat().st_mtime_ns for file in path.rglob("*") if file.is_file()}
    with RunDirectory.open(path, manifest) as run:
        assert run.status == "finished"
        assert run.previous is not None
        assert run.previous.run_id == manifest.run_id
    assert {file: file.stat().st_mtime_ns for file in path.rglob("*") if file.is_file()} == before


def test_folder_of_a_finished_run_holds_exactly_the_contract_s_files(
    tmp_path: Path, manifest: Manifest, write_run: Finish
) -> None:
    path = write_run(tmp_path / "r", manifest)
    names = sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
    assert names == [
        "events.jsonl",
        "manifest.json",
        "results.json",
        "samples/toy.parquet",
        "statistics/toy.parquet",
    ]
    files = json.loads((path / "results.json").read_text())["files"]
    assert files == {
        name: hashlib.sha256((path / name).read_bytes()).hexdigest()
        for name in names
        if name not in ("events.jsonl", "results.json")
    }


def test_other_identity_is_refused_and_names_the_fields(
    tmp_path: Path, manifest: Manifest, other_identity: Manifest
) -> None:
    RunDirectory.open(tmp_path / "r", manifest).close()
    with pytest.raises(RunDirectoryError, match=r"weights_sha256: stored w+…, now x+…") as caught:
        RunDirectory.open(tmp_path / "r", other_identity)
    assert caught.value.exit_code == 2
    assert "--fresh" in caught.value.fix


def test_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path, manifest: Manifest) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    for fresh in (False, True):
        with pytest.raises(RunDirectoryError, match=r"other files.*notes\.txt"):
            RunDirectory.open(tmp_path, manifest, fresh=fresh)
    assert [entry.name for entry in tmp_path.iterdir()] == ["notes.txt"]


def test_file_in_the_place_of_the_folder_is_refused(tmp_path: Path, manifest: Manifest) -> None:
    (tmp_path / "r").write_text("")
    with pytest.raises(RunDirectoryError, match="is a file"):
        RunDirectory.open(tmp_path / "r", manifest)
    with pytest.raises(RunDirectoryError, match=r"cannot be written.*bytes are free"):
        RunDirectory.open(tmp_path / "r" / "below", manifest)


def test_empty_folder_is_taken(tmp_path: Path, manifest: Manifest) -> None:
    with RunDirectory.open(tmp_path, manifest) as run:
        assert run.status == "new"


def test_partial_run_goes_on_with_what_its_tables_hold(
    tmp_path: Path, manifest: Manifest, generations: list[Generation], write_run: Finish
) -> None:
    path = write_run(tmp_path / "r", manifest, status="partial")
    (path / "samples" / "toy.partial.jsonl").unlink()
    with RunDirectory.open(path, manifest) as run:
        assert run.status == "resumed"
        assert run.previous is not None
        assert run.previous.status == "partial"
        expected = {(g.id, g.sample): replace(g, latency_seconds=None) for g in generations}
        # A raw text that equals the prediction is not stored twice.
        expected["10", 0] = replace(expected["10", 0], raw=None)
        assert run.stored("toy") == expected
    assert write_run(path, manifest) == path
    assert read_run(path).results["status"] == "finished"


def test_finished_run_with_a_changed_file_is_not_called_finished(
    tmp_path: Path, manifest: Manifest, write_run: Finish
) -> None:
    path = write_run(tmp_path / "r", manifest)
    (path / "samples" / "toy.parquet").write_bytes(b"")
    with pytest.raises(RunDirectoryError, match="was changed after the run"):
        RunDirectory.open(path, manifest)


def test_same_input_gives_the_same_bytes(tmp_path: Path, manifest: Manifest, write_run: Finish) -> None:
    first, second = (write_run(tmp_path / name, manifest) for name in ("a", "b"))
    for name in ("manifest.json", "results.json", "samples/toy.parquet", "statistics/toy.parquet"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_parquet_columns_are_the_contract_s(tmp_path: Path, manifest: Manifest, write_run: Finish) -> None:
    path = write_run(tmp_path / "r", manifest)
    table = pq.read_table(path / "samples" / "toy.parquet")
    assert [(field.name, str(field.type).replace("element", "item")) for field in table.schema] == [
        ("id", "string"),
        ("sample", "int64"),
        ("prompt", "string"),
        ("references", "list<item: string>"),
        ("prediction", "string"),
        ("raw", "string"),
        ("finish_reason", "string"),
        ("prompt_tokens", "int64"),
        ("generated_tokens", "int64"),
        ("prompt_cut", "bool"),
        ("inputs", "string"),
        ("rouge1", "double"),
        ("reward_length", "double"),
    ]
    # Rows by id as text: "1", "10", "2"; scores and statistics move with their row.
    assert table.column("id").to_pylist() == ["1", "10", "2"]
    assert table.column("references").to_pylist() == [[], ["ä", "ae"], ["b"]]
    assert table.column("prediction").to_pylist() == ["", "ö\u2028x", "b"]
    assert table.column("raw").to_pylist() == [None, None, "b<EOU>"]
    assert table.column("rouge1").to_pylist() == [None, 0.25, 1.0]
    assert table.column("reward_length").to_pylist() == [0.0, 2.0, 1.0]
    assert table.column("inputs").to_pylist()[1] == '{"concepts":["ä"],"prompt":"say ä"}'
    statistics = pq.read_table(path / "statistics" / "toy.parquet")
    assert statistics.column_names == ["id", "sample", "sacrebleu"]
    assert statistics.column("sacrebleu").to_pylist() == [[None, None], [3.0, 4.0], [1.0, 2.0]]


def test_fresh_keeps_the_old_run_until_the_new_one_is_finished(
    tmp_path: Path, manifest: Manifest, generations: list[Generation], write_run: Finish, other_identity: Manifest
) -> None:
    path = write_run(tmp_path / "r", manifest)
    with RunDirectory.open(path, other_identity, fresh=True) as run:
        assert run.status == "new"
        assert run.path != path
        beside = run.path
        run.append("toy", generations[:1])
        assert read_run(path).manifest["run_id"] == manifest.run_id
    assert read_run(path).manifest["run_id"] == manifest.run_id
    # The same command again goes on with the one beside, then takes the place.
    with RunDirectory.open(path, other_identity, fresh=True) as run:
        assert (run.status, run.path) == ("resumed", beside)
        assert len(run.stored("toy")) == 1
    assert write_run(path, other_identity, fresh=True) == path
    assert read_run(path).manifest["identity"] == other_identity.identity
    assert [entry.name for entry in tmp_path.iterdir()] == ["r"]


def test_fresh_start_of_the_same_identity_is_a_new_run(tmp_path: Path, manifest: Manifest, write_run: Finish) -> None:
    path = write_run(tmp_path / "r", manifest)
    again = replace(manifest, run_id=new_run_id())
    write_run(path, again, fresh=True)
    assert read_run(path).manifest["run_id"] == again.run_id
    assert [entry.name for entry in tmp_path.iterdir()] == ["r"]


def test_fresh_run_that_ends_partial_leaves_the_old_one(tmp_path: Path, manifest: Manifest, write_run: Finish) -> None:
    path = write_run(tmp_path / "r", manifest)
    again = replace(manifest, run_id=new_run_id())
    new = write_run(path, again, fresh=True, status="partial")
    assert new != path
    assert read_run(path).manifest["run_id"] == manifest.run_id
    assert read_run(new).manifest["run_id"] == again.run_id


@pytest.mark.parametrize("stage", ["before", "between", "after"])
def test_swap_that_was_killed_is_completed_at_the_next_start(
    tmp_path: Path, manifest: Manifest, write_run: Finish, stage: str
) -> None:
    path = write_run(tmp_path / "r", manifest)
    again = replace(manifest, run_id=new_run_id())
    new = write_run(tmp_path / f"r.fresh-{new_run_id()}", again)
    if stage != "before":
        path.rename(tmp_path / f"r.old-{new_run_id()}")
    if stage == "after":
        new.rename(path)
    with RunDirectory.open(path, manifest) as run:
        assert run.status == "finished"
        assert run.manifest.run_id == again.run_id
    assert [entry.name for entry in tmp_path.iterdir()] == ["r"]


def test_events_are_objects_with_time_and_kind(tmp_path: Path, manifest: Manifest) -> None:
    with RunDirectory.open(tmp_path / "r", manifest) as run:
        run.event("started", rows=3)
    with (tmp_path / "r" / "events.jsonl").open("a") as stream:
        stream.write('{"time": "torn')
    with RunDirectory.open(tmp_path / "r", manifest) as run:
        run.event("resumed")
    events = [json.loads(line) for line in (tmp_path / "r" / "events.jsonl").read_text().splitlines()]
    assert [(event["kind"], event["time"][-1]) for event in events] == [("started", "Z"), ("resumed", "Z")]


def test_failed_scores_of_the_wrong_shape_are_not_written(
    tmp_path: Path, manifest: Manifest, rows: dict, generations: list[Generation]
) -> None:
    import numpy as np

    with RunDirectory.open(tmp_path / "r", manifest) as run:
        with pytest.raises(ValueError, match="does not fit 3 generations"):
            run.write_task("toy", rows, generations, {"rouge1": np.zeros(2)}, {}, {})
        assert not (run.path / "samples").exists()
