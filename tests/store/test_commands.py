"""`grue db`: exit codes, documents on standard output, everything else on standard error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grue.cli.main import run as run_command


@pytest.fixture
def called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs a command on a database of its own: exit code, standard output, standard error."""
    monkeypatch.setenv("GRUE_DATABASE_URL", f"sqlite:///{tmp_path}/store.sqlite")

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        code = run_command([*map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_rebuild_check_and_list_as_documents(called: Callable[..., Any], runs: Any, tmp_path: Path) -> None:
    path = runs.write(name="é", grue=40.0)
    code, out, err = called("db", "rebuild", "--results", runs.folder, "--json")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert document == {
        "schema_version": 1, "database": f"sqlite:///{tmp_path}/store.sqlite", "runs": 1, "added": [path.name],
        "removed": [], "changed": [], "skipped": [], "refused": [],
    }  # fmt: skip
    code, out, _ = called("db", "check", "--results", runs.folder, "--json")
    assert (code, json.loads(out)["equal"]) == (0, True)
    code, out, _ = called("db", "list", "--json")
    (listed,) = json.loads(out)["runs"]
    assert (listed["name"], listed["setting"], listed["grue"]["value"]) == ("é", "mini-test", 40.0)
    assert path.name in called("db", "list")[1]


def test_exit_codes_of_rebuild_and_check(called: Callable[..., Any], runs: Any) -> None:
    good, bad = runs.write(weights="a"), runs.write(weights="b")
    (bad / "results.json").write_text("{")
    code, out, err = called("db", "rebuild", "--results", runs.folder)
    assert (code, "1 runs, 1 new" in out) == (3, True)
    assert f"skipped: {bad.resolve()}: results.json: is no valid JSON" in err
    assert called("db", "check", "--results", runs.folder)[0] == 3
    new = runs.write(weights="c")
    code, out, _ = called("db", "check", "--results", good, new)
    assert code == 1
    assert f"run {new.name}: the run is not in the database ({new.resolve()})" in out
    assert called("db", "rebuild", "--results", runs.folder / "nowhere")[0] == 2
    assert called("db", "rebuild", "--resluts", runs.folder)[0] == 2


def test_results_folder_of_the_settings_is_the_default(
    called: Callable[..., Any], runs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.write()
    monkeypatch.setenv("GRUE_RESULTS_DIR", str(runs.folder))
    assert "1 runs, 1 new" in called("db", "rebuild")[1]


def test_correction_from_the_command_line(called: Callable[..., Any], runs: Any) -> None:
    old, new = runs.write(weights="a"), runs.write(weights="b")
    assert called("db", "add", old, new)[0] == 0
    assert "was there already" in called("db", "add", old)[1]
    code, out, _ = called("db", "supersede", old.name, new.name, "--reason", "wrong split", "--json")
    assert (code, json.loads(out)["reason"]) == (0, "wrong split")
    assert f"{new.name}: wrong split" in called("db", "list")[1]
    code, _, err = called("db", "supersede", old.name, new.name, "--reason", "again")
    assert (code, "has a successor already" in err) == (2, True)
    assert called("db", "supersede", old.name, new.name)[0] == 2


def test_upgrade_says_what_it_did(called: Callable[..., Any]) -> None:
    assert "made now" in called("db", "upgrade")[1]
    assert json.loads(called("db", "upgrade", "--json")[1])["changed"] is False


def test_listing_goes_on_at_the_cursor(called: Callable[..., Any], runs: Any) -> None:
    paths = [runs.write(weights=weights) for weights in "abc"]
    called("db", "rebuild", "--results", runs.folder)
    page = json.loads(called("db", "list", "--limit", "2", "--json")[1])
    assert [run["run_id"] for run in page["runs"]] == [path.name for path in paths[:2]]
    rest = json.loads(called("db", "list", "--cursor", page["next_cursor"], "--json")[1])
    assert ([run["run_id"] for run in rest["runs"]], rest["next_cursor"]) == ([paths[2].name], None)
    assert called("db", "list", "--cursor", "x")[0] == 2


def test_help_needs_no_database(tmp_path: Path) -> None:
    code = (
        "import sys; from grue.cli.main import run; run(['db', '--help']); "
        "print([name for name in ('sqlalchemy', 'alembic', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=True)
    assert "rebuild" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_kill_in_the_middle_of_a_rebuild_leaves_the_old_index(
    called: Callable[..., Any], runs: Any, tmp_path: Path
) -> None:
    first = runs.write(weights="a")
    called("db", "rebuild", "--results", runs.folder)
    before = called("db", "list", "--json")[1]
    runs.write(weights="b")
    code = (
        "import os, sys; from pathlib import Path; from grue.store.database import open_store; "
        "from grue.store.rebuild import rebuild; "
        "rebuild(open_store(), [Path(sys.argv[1])], lambda *_: os.kill(os.getpid(), 9))"
    )
    done = subprocess.run([sys.executable, "-c", code, runs.folder], env=os.environ, check=False)
    assert done.returncode == -9
    assert called("db", "list", "--json")[1] == before
    assert first.name in before
    assert called("db", "rebuild", "--results", runs.folder)[0] == 0
