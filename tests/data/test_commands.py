"""``grue data`` without any hub: bundles of local rows, and calls that are wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from grue.cli.main import run
from grue.data.location import locate
from grue.data.split import load_split


def test_a_bundle_gives_the_same_rows_as_its_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = tmp_path / "bundle"
    call = ["data", "export", "-t", "totto,commongen", "--data", "mini", "--split", "validation,test", "--json"]
    assert run([*call, "--out", str(bundle)]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert [one["file"] for one in files] == [
        f"{task}/{split}.jsonl" for task in ("totto", "commongen") for split in ("validation", "test")
    ]
    for name in ("totto", "commongen"):
        task = import_module(f"grue_tasks.{name}").TASK
        loaded = [
            load_split(task, task.profile("standard"), "test", locate(data, "hub"), home=tmp_path)
            for data in ("mini", str(bundle))
        ]
        assert loaded[0].rows == loaded[1].rows
        assert loaded[0].info.sha256 == loaded[1].info.sha256
    assert run(["data", "verify", str(bundle)]) == 0
    (bundle / "totto/test.jsonl").unlink()
    assert run(["data", "verify", str(bundle), "--json"]) == 1
    out = capsys.readouterr().out
    assert '"missing"' in out


def test_a_group_passes_over_what_a_folder_does_not_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "rows"
    (source / "imdb").mkdir(parents=True)
    (source / "imdb/test.jsonl").write_text('{"text": "a b c d", "label": 1}\n')
    call = ["data", "export", "--data", str(source), "--out", str(tmp_path / "bundle")]
    assert run([*call, "-t", "grue"]) == 0
    assert "totto: not in" in capsys.readouterr().err
    assert run([*call, "-t", "totto"]) == 2
    assert "It holds: imdb." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["verify"], "no data.lock"),
        (["fetch", "-t", "imbd"], "Did you mean 'imdb'"),
        (["fetch", "-t", "imdb", "--split", "tset", "--offline"], "Did you mean 'test'"),
        (["fetch", "-t", "imdb", "--offline"], "not on this machine"),
        (["fetch", "-t", "totto", "--offline"], "not on this machine"),
        (["export", "-t", "imdb", "--data", "mini", "--split", ",", "--out", "x"], "no split is named"),
    ],
)
def test_a_wrong_call_is_2_and_says_why(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("GRUE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert run(["data", *arguments]) == 2
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_lock_file_that_is_broken_or_newer_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for text, words in (("{", "no lock file"), ('{"schema_version": 2}', "version 2"), ('{"tasks": [1]}', "no lock")):
        (tmp_path / "data.lock").write_text(text)
        assert run(["data", "verify", str(tmp_path)]) == 2
        assert words in capsys.readouterr().err


def test_the_data_layer_loads_nothing_heavy_at_import() -> None:
    heavy = "pyarrow datasets huggingface_hub pandas torch"
    code = (
        "import sys, grue.data.split, grue.data.fetch, grue.data.export, grue.data.verify, grue.cli.data;"
        f"sys.exit(','.join(name for name in {heavy.split()!r} if name in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
