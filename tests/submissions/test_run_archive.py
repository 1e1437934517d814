"""Run directories in archives: what the model said is taken, nothing is extracted by name."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grue.core.errors import UsageError
from grue.engine.resident import peak_resident_bytes
from grue.submissions.bounded import Bounds, in_child
from grue.submissions.check import CheckedUpload, UploadLimits, check_run_archive
from grue.submissions.expected import Expected
from grue.submissions.findings import Fault
from grue.submissions.member_names import checked_name
from tests.commands import Answer
from tests.hostile.inputs import ROWS
from tests.hostile.packing import NAMES, sound_files, tar_gz, zipped
from tests.hostile.parquets import sound_parquet

LIMITS = UploadLimits(unpacked_bytes=20 << 20)
Check = Callable[[bytes], CheckedUpload]


@pytest.fixture
def check(expected: Expected, tmp_path: Path) -> Check:
    """Checks an archive; its work goes to ``work``."""

    def checked(content: bytes) -> CheckedUpload:
        path = tmp_path / "upload"
        path.write_bytes(content)
        return check_run_archive(path, expected, LIMITS, tmp_path / "work")

    return checked


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "work" / "predictions.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("top", ["", "a run/", "./", "./run/"])
@pytest.mark.parametrize("pack", [tar_gz, zipped])
def test_a_run_at_the_top_or_in_a_folder(check: Check, tmp_path: Path, pack: Callable[..., bytes], top: str) -> None:
    checked = check(pack([(top + name, content) for name, content in sound_files(ROWS).items()]))
    assert checked.problems == ()
    assert {task: (one.rows, one.expected) for task, one in checked.tasks.items()} == {"toy": (8, 8), "tale": (3, 3)}
    # Of every second row the text before post-processing is stored, and that is what will be processed and scored.
    assert {(one["task"], one["id"]): one["prediction"] for one in lines(tmp_path)} == {
        **{("toy", f"r{number}"): "once" if number % 2 else "once upon a time" for number in range(8)},
        **{("tale", str(number)): "once upon a time" if number % 2 else "once" for number in range(1, 4)},
    }
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == ["predictions.jsonl"]


def test_several_samples_of_a_row_are_kept(check: Check, tmp_path: Path) -> None:
    files = sound_files({"tale": ROWS["tale"]})
    files["samples/tale.parquet"] = sound_parquet(tuple(ROWS["tale"]), 3)
    import hashlib

    results = json.loads(files["results.json"])
    results["files"]["samples/tale.parquet"] = hashlib.sha256(files["samples/tale.parquet"]).hexdigest()
    files["results.json"] = json.dumps(results).encode()
    checked = check(tar_gz(files.items()))
    assert checked.is_valid
    assert checked.tasks["tale"].samples == 3
    assert lines(tmp_path)[0]["predictions"] == ["once upon a time", "once", "once upon a time"]


def test_a_run_of_this_program_is_taken_and_scores_the_same(
    grue: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert grue("prompts", "-t", "commongen", "--data", "mini", "-L", "6", "-o", "prompts.jsonl").code == 0
    asked = [json.loads(line) for line in Path("prompts.jsonl").read_text().splitlines()]
    with Path("p.jsonl").open("w") as file:
        for number, row in enumerate(asked):
            file.write(
                json.dumps({"task": row["task"], "id": row["id"], "prediction": f"a dog number {number} runs"}) + "\n"
            )
    rows_asked = ("-t", "commongen", "--data", "mini", "-L", "6", "--metrics", "coverage,rougeL")
    assert grue("score", "p.jsonl", *rows_asked, "-o", "run").code == 0
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.add("run")
    Path("run.tar.gz").write_bytes(packed.getvalue())
    from grue.core.rows import Row

    rows = tuple(Row(row["id"], row["prompt"]) for row in asked)
    checked = check_run_archive(
        Path("run.tar.gz"), Expected("test", {"commongen": rows}, 6, ""), LIMITS, tmp_path / "work"
    )
    assert checked.problems == ()
    assert grue("score", "work/predictions.jsonl", *rows_asked, "-o", "again").code == 0
    values = [
        {
            name: one["value"]
            for name, one in json.loads(Path(run, "results.json").read_text())["tasks"]["commongen"]["metrics"].items()
        }
        for run in ("run", "again")
    ]
    assert values[0] == values[1]
    assert None not in values[0].values()


def test_tasks_of_other_boards_are_left_out_and_noted(check: Check) -> None:
    checked = check(tar_gz(sound_files({**ROWS, "imdb": ("1", "2")}).items()))
    assert checked.is_valid
    assert set(checked.tasks) == {"toy", "tale"}
    assert checked.notes == ("Left out: imdb, which this board does not score.",)


def test_a_run_of_another_split_says_so_first(check: Check) -> None:
    files = sound_files({"toy": ("x1", "x2")})
    files["manifest.json"] = files["manifest.json"].replace(b'"test"', b'"validation"')
    checked = check(tar_gz(files.items()))
    assert checked.problems[0].problem == "The run is of the split validation; this board scores test."
    assert checked.problem_count == 1 + 2 + 8
    assert all(problem.line is None for problem in checked.problems)


@pytest.mark.parametrize("pack", [tar_gz, zipped])
@pytest.mark.parametrize("name", [name for name in NAMES if "\0" not in name])
def test_names_that_lie_in_no_folder_are_refused_and_written_nowhere(
    check: Check, tmp_path: Path, pack: Callable[..., bytes], name: str
) -> None:
    checked = check(pack([*sound_files(ROWS).items(), (name, b"evil")]))
    assert checked.problem_count == 1
    assert "which lies in no folder" in checked.problems[0].problem
    found = {path.name for path in tmp_path.rglob("*")} | {path.name for path in tmp_path.parent.glob("*evil*")}
    assert found == {"upload", "work"}
    assert not Path("/tmp/grue-hostile-evil").exists()


@given(
    st.text(max_size=40) | st.lists(st.sampled_from(["..", ".", "a", "", "C:", "\\", "b c"]), max_size=6).map("/".join)
)
def test_a_name_that_is_taken_stays_in_its_folder(raw: str) -> None:
    try:
        name = checked_name(raw)
    except Fault:
        return
    joined = os.path.normpath(os.path.join("/srv/folder", name))
    assert joined == "/srv/folder" or joined.startswith("/srv/folder/")


def test_members_that_explode_are_stopped_at_the_bound(check: Check) -> None:
    before = peak_resident_bytes()
    assert before
    for name in ("samples/toy.parquet", "manifest.json"):
        packed = gzip.compress(gzip.decompress(tar_gz([(name, bytes(24 << 20))])), 9)
        assert len(packed) < 1 << 20
        checked = check(packed)
        assert checked.problem_count == 1
        assert checked.problems[0].problem in (
            "The archive unpacks to more than is allowed.",
            "manifest.json has more than 16,777,216 bytes.",
        )
    assert (peak_resident_bytes() or 0) - before < 400 << 20


def test_an_archive_that_is_larger_than_allowed_is_not_read(expected: Expected, tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(tar_gz(sound_files(ROWS).items()))
    checked = check_run_archive(path, expected, UploadLimits(file_bytes=100), tmp_path / "work")
    assert checked.problems[0].problem == "The archive has more than 100 bytes."
    with pytest.raises(UsageError):
        check_run_archive(tmp_path / "none", expected, LIMITS, tmp_path / "work")


def test_a_second_archive_takes_the_place_of_the_first(check: Check, tmp_path: Path) -> None:
    assert check(tar_gz(sound_files(ROWS).items())).is_valid
    assert check(tar_gz(sound_files({"tale": ROWS["tale"]}).items())).is_valid
    assert {one["task"] for one in lines(tmp_path)} == {"tale"}


def test_a_process_that_takes_too_much_ends_alone(tmp_path: Path) -> None:
    files = sound_files(ROWS)
    (tmp_path / "a").write_bytes(tar_gz(files.items()))
    request = {
        "path": str(tmp_path / "a"),
        "tasks": ["toy"],
        "folder": str(tmp_path),
        "out": str(tmp_path / "o"),
        "max_bytes": 1 << 30,
    }
    assert in_child("archive", request, Bounds(memory_bytes=64 << 20)) is None
    # Nobody writes into the pipe: reading it would never end.
    os.mkfifo(tmp_path / "pipe")
    assert in_child("archive", {**request, "path": str(tmp_path / "pipe")}, Bounds(wall_seconds=1)) is None


def test_the_process_has_no_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = tmp_path / "environment"
    package = tmp_path / "early"
    package.mkdir()
    (package / "sitecustomize.py").write_text(f"import os\nopen({str(seen)!r}, 'w').write(repr(dict(os.environ)))\n")
    monkeypatch.setenv("GRUE_SECRET_KEY", "secret-value")
    monkeypatch.setenv("HF_TOKEN", "secret-value")
    monkeypatch.syspath_prepend(str(package))
    in_child("archive", {}, Bounds())
    assert "PYTHONPATH" in seen.read_text()
    assert "secret-value" not in seen.read_text()
