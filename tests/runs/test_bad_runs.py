"""Real runs that were damaged or edited: readers name file and key, write nothing, and go on with the others."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import grue
from grue.core.errors import RunDirectoryError
from grue.core.run import checksum
from grue.runs.files import sha256_file
from grue.runs.read import Broken, RunSummary, find_runs, read_run
from grue.runs.rows import check_rows, row_faults
from grue.runs.tables import parquet_bytes

Damage = Callable[[Path], None]
TASK = "commongen"
SAMPLES = f"samples/{TASK}.parquet"


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a system that needs no model."""
    path = tmp_path_factory.mktemp("honest") / "run"
    return grue.evaluate("null:random-reference", TASK, data="mini", limit=6, metrics="coverage", output=path).path


@pytest.fixture
def path(honest: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(honest, tmp_path / "results" / "bad"))


def change(name: str, edit: Callable[[dict[str, Any]], None], *, hashes: bool = False) -> Damage:
    """Edit a JSON document; with ``hashes`` all hashes are made anew."""

    def damage(path: Path) -> None:
        document = json.loads((path / name).read_text())
        edit(document)
        (path / name).write_text(json.dumps(document))
        if hashes:
            rehash(path)

    return damage


def lines(edit: Callable[[list[dict[str, Any]]], None], *, hashes: bool) -> Damage:
    """Edit the lines of the samples."""

    def damage(path: Path) -> None:
        table = pq.read_table(path / SAMPLES, partitioning=None)
        found = table.to_pylist()
        edit(found)
        (path / SAMPLES).write_bytes(parquet_bytes(pa.Table.from_pylist(found, schema=table.schema)))
        if hashes:
            rehash(path)

    return damage


def cut(name: str) -> Damage:
    """Lose the second half of a file."""

    def damage(path: Path) -> None:
        content = (path / name).read_bytes()
        (path / name).write_bytes(content[: len(content) // 2])

    return damage


def rehash(path: Path) -> None:
    document = json.loads((path / "results.json").read_text())
    document["files"] = {name: sha256_file(path / name) for name in document["files"]}
    document["checksum"] = checksum(document)
    (path / "results.json").write_text(json.dumps(document))


def score(document: dict[str, Any]) -> None:
    document["tasks"][TASK]["metrics"]["coverage"]["value"] = 1.0


def newer(document: dict[str, Any]) -> None:
    document["schema_version"] = 2


SEEN_BY_HASH = [
    pytest.param(cut("manifest.json"), "manifest.json", "is no valid JSON", id="truncated manifest"),
    pytest.param(cut("results.json"), "results.json", "is no valid JSON", id="truncated results"),
    pytest.param(cut(SAMPLES), SAMPLES, "was changed after the run", id="truncated samples"),
    pytest.param(
        change("manifest.json", lambda d: d.update(schema_version=2)),
        "manifest.json",
        "schema_version is 2",
        id="newer",
    ),
    pytest.param(
        change("results.json", lambda d: d.update(schema_version=7)),
        "results.json",
        "schema_version is 7",
        id="newer too",
    ),
    pytest.param(change("results.json", score), "results.json", "checksum does not fit", id="edited score"),
    pytest.param(
        change("results.json", lambda d: d["files"].update({SAMPLES: "0" * 64})), "results.json", "checksum", id="files"
    ),
    pytest.param(lines(lambda found: found.pop(), hashes=False), SAMPLES, "was changed after the run", id="a row less"),
    pytest.param(
        change("manifest.json", lambda d: d["tasks"][TASK]["data"].update(sha256="0" * 64)),
        "manifest.json",
        "was changed after the run",
        id="edited fingerprint",
    ),
]


@pytest.mark.parametrize(("damage", "name", "message"), SEEN_BY_HASH)
def test_reader_names_the_file_and_others_go_on(
    path: Path, honest: Path, damage: Damage, name: str, message: str
) -> None:
    damage(path)
    with pytest.raises(RunDirectoryError, match=message) as caught:
        read_run(path)
    assert caught.value.exit_code == 2
    assert caught.value.place.startswith(str(path / name))
    found = find_runs(honest, path)
    assert [run.path for run in found if isinstance(run, RunSummary)] == [honest]
    (broken,) = [run for run in found if isinstance(run, Broken)]
    assert message.split(" ")[0] in broken.reason


@pytest.mark.parametrize(
    ("damage", "place", "message"),
    [
        pytest.param(
            lines(lambda found: found[0].update(references=["other"]), hashes=True),
            SAMPLES,
            f"tasks.{TASK}.data.sha256",
            id="references",
        ),
        pytest.param(
            lines(lambda found: found[0].update(inputs='{"prompt": "other"}'), hashes=True),
            SAMPLES,
            f"tasks.{TASK}.prompts_sha256",
            id="prompt",
        ),
        pytest.param(lines(lambda found: found.pop(), hashes=True), SAMPLES, "holds 5 rows", id="a row less"),
        pytest.param(lines(lambda found: found.reverse(), hashes=True), SAMPLES, "not in the order", id="order"),
        pytest.param(
            lines(lambda found: found[0].update(inputs="{"), hashes=True), SAMPLES, "no run writes", id="text"
        ),
        pytest.param(
            change("manifest.json", lambda d: d["tasks"][TASK]["data"].update(sha256="0" * 64), hashes=True),
            SAMPLES,
            "data.sha256 is 000000000000…",
            id="fingerprint",
        ),
        pytest.param(
            change("manifest.json", lambda d: d["tasks"][TASK].update(samples=2), hashes=True),
            SAMPLES,
            "has samples [0]; manifest.json says 2 a row",
            id="samples",
        ),
    ],
)
def test_other_rows_than_the_manifest_says_are_named_though_all_hashes_fit(
    path: Path, damage: Damage, place: str, message: str
) -> None:
    assert row_faults(read_run(path), TASK) == []
    damage(path)
    stored = read_run(path)
    assert any(message in fault.cause for fault in row_faults(stored, TASK))
    with pytest.raises(RunDirectoryError) as caught:
        check_rows(stored, TASK)
    assert caught.value.exit_code == 2
    assert caught.value.place.startswith(str(path / place))


def test_column_of_another_kind_is_named(path: Path) -> None:
    table = pq.read_table(path / SAMPLES, partitioning=None)
    at = table.column_names.index("prediction")
    for column, message in (
        (pa.array([1] * table.num_rows), "prediction should be string: found int64"),
        (pa.array([None] * table.num_rows, pa.string()), "prediction is null in 6 rows"),
    ):
        (path / SAMPLES).write_bytes(parquet_bytes(table.set_column(at, "prediction", column)))
        rehash(path)
        with pytest.raises(RunDirectoryError, match=message):
            check_rows(read_run(path), TASK)
    (path / SAMPLES).write_bytes(parquet_bytes(table.drop_columns(["prediction"])))
    rehash(path)
    with pytest.raises(RunDirectoryError, match="has no column prediction"):
        check_rows(read_run(path), TASK)


@pytest.mark.parametrize(("damage", "name", "message"), SEEN_BY_HASH)
def test_commands_refuse_the_run_and_write_nothing(
    path: Path,
    honest: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    damage: Damage,
    name: str,
    message: str,
) -> None:
    from grue.cli.main import run

    damage(path)
    out = tmp_path / "out"
    for arguments in (
        ("score", path, "-o", out, "--quiet"),
        ("samples", path),
        ("runs", "show", path),
        ("compare", honest, path),
    ):
        capsys.readouterr()
        assert run([str(argument) for argument in arguments]) == 2
        assert message in capsys.readouterr().err
    assert not out.exists()


def test_score_refuses_other_rows_whose_hashes_were_made_anew(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from grue.cli.main import run

    lines(lambda found: found[0].update(references=["other"]), hashes=True)(path)
    assert run(["score", str(path), "-o", str(tmp_path / "out"), "--quiet"]) == 2
    assert f"tasks.{TASK}.data.sha256" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_board_is_built_of_the_sound_runs_and_names_the_bad_one(
    path: Path, honest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from grue.cli.main import run

    shutil.copytree(honest, path.parent / "good")
    cut(SAMPLES)(path)
    board = tmp_path / "board"
    code = run(["leaderboard", "build", "--results", str(path.parent), "--out", str(board), "--json"])
    captured = capsys.readouterr()
    assert code == 3
    report = json.loads(captured.out)
    assert report["runs"] == 1
    assert [skipped["path"] for skipped in report["skipped"]] == [str(path)]
    assert SAMPLES in report["skipped"][0]["reason"]
    assert (board / "index.html").is_file()


def test_index_is_made_of_the_sound_runs_and_names_the_bad_one(
    path: Path, honest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from grue.cli.main import run

    monkeypatch.setenv("GRUE_HOME", str(tmp_path / "home"))
    shutil.copytree(honest, path.parent / "good")
    change("results.json", score)(path)
    assert run(["db", "rebuild", "--results", str(path.parent)]) == 3
    captured = capsys.readouterr()
    assert f"{path}: " in captured.err + captured.out
    assert "checksum does not fit" in captured.err + captured.out
