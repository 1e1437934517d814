"""``pytest --grue-gate``: checks of a gate as tests of somebody's session."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

MODULE = "grue.gate.pytest_plugin"


@pytest.fixture
def session(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs pytest on a folder with one test of its own."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "test_own.py").write_text("def test_own():\n    assert True\n")
    # Installed, pytest finds the plugin by its entry point; a checkout that is not, names it. Others take time to load.
    installed = entry_points(group="pytest11")
    named = () if any(one.value == MODULE for one in installed) else ("-p", MODULE)
    others = [f"-pno:{one.name}" for one in installed if one.value != MODULE]

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        call = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", *named, *others, *map(str, arguments)]
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "COV_"))}
        return subprocess.run(call, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    return run


def _config(tmp_path: Path, baseline: Path, candidate: Path, more: str = "") -> Path:
    path = tmp_path / "gate.toml"
    path.write_text(f'[gate]\nbaseline = "{baseline}"\ncandidate = "{candidate}"\n{more}')
    return path


def test_each_check_is_a_test_beside_the_projects_own(
    session: Callable[..., subprocess.CompletedProcess[str]], random: Path, constant: Path, tmp_path: Path
) -> None:
    config = _config(tmp_path, random, constant)
    junit = tmp_path / "pytest.xml"
    done = session("--grue-gate", config, f"--junit-xml={junit}")
    assert done.returncode == 1, done.stdout
    assert "gate.toml::commongen cider_d" in done.stdout
    assert "beyond the tolerance and beyond noise" in done.stdout
    assert "Traceback" not in done.stdout
    assert "1 passed" not in done.stdout.splitlines()[-1] or "failed" in done.stdout.splitlines()[-1]
    (suite,) = ET.parse(junit).getroot().findall("testsuite")
    assert suite.get("tests") == "4"
    assert int(suite.get("failures", "")) >= 1
    assert suite.get("errors") == "0"


def test_an_unchanged_run_passes_without_any_test_file(
    session: Callable[..., subprocess.CompletedProcess[str]], random: Path, tmp_path: Path
) -> None:
    config = _config(tmp_path, random, random)
    empty = tmp_path / "nothing"
    empty.mkdir()
    done = session("--grue-gate", config, empty)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def test_cannot_tell_is_skipped_with_its_reason_or_fails_when_asked(
    session: Callable[..., subprocess.CompletedProcess[str]], random: Path, constant: Path, tmp_path: Path
) -> None:
    done = session("--grue-gate", _config(tmp_path, constant, random, "[gate.tasks.narrativeqa]\n"))
    assert done.returncode == 0
    assert "cannot tell" in done.stdout
    assert "1 passed, 1 skipped" in done.stdout
    more = 'uncertain = "fail"\n[gate.tasks.narrativeqa]\n'
    assert session("--grue-gate", _config(tmp_path, constant, random, more)).returncode == 1


def test_no_answer_about_quality_is_an_error_and_no_failure(
    session: Callable[..., subprocess.CompletedProcess[str]],
    random: Path,
    constant: Path,
    constant_short: Path,
    copied: Callable[[Path], Path],
    tmp_path: Path,
) -> None:
    done = session("--grue-gate", _config(tmp_path, random, constant_short))
    assert done.returncode == 1
    assert "1 passed, 3 errors" in done.stdout
    assert "not comparable" in done.stdout
    assert "data_sha256" in done.stdout
    crashed = copied(constant)
    (crashed / "results.json").unlink()
    done = session("--grue-gate", _config(tmp_path, random, constant), "--grue-candidate", crashed)
    assert "1 passed, 3 errors" in done.stdout
    assert "results.json" in done.stdout
    done = session("--grue-gate", _config(tmp_path, crashed, constant))
    assert "1 passed, 1 error" in done.stdout


@pytest.mark.parametrize("text", ["[gate]\nlevle = 1\n", "[gate]\n", "[gate.tasks.comongen]\n"])
def test_a_faulty_gate_file_is_a_wrong_call(
    session: Callable[..., subprocess.CompletedProcess[str]], random: Path, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "gate.toml"
    path.write_text(text)
    sides = ("--grue-baseline", random, "--grue-candidate", random) if text != "[gate]\n" else ()
    done = session("--grue-gate", path, *sides)
    assert done.returncode == 4
    assert str(path) in done.stderr
    assert "Traceback" not in done.stderr


def test_without_the_option_nothing_heavy_is_imported(tmp_path: Path) -> None:
    code = f"import sys, {MODULE}; print([name for name in ('numpy', 'torch', 'pandas') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
