"""The shell around the commands, through the function behind the `grue` entry point and as a process."""

from __future__ import annotations

import subprocess
import sys

import pytest

from grue import __version__
from grue.cli import main
from grue.core.errors import GrueError, NotComparableError, TaskDataError

HEAVY = ("torch", "transformers", "datasets", "pandas", "fastapi", "pyarrow", "sacrebleu", "nltk")


def loaded_after(*arguments: str) -> set[str]:
    """Heavy modules in ``sys.modules`` of a fresh interpreter that ran this command line."""
    code = (
        "import sys; from grue.cli.main import run\n"
        f"code = run({list(arguments)!r})\n"
        f"print('LOADED', code, *[m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    words = done.stdout.strip().splitlines()[-1].split()
    assert words[:2] == ["LOADED", "0"], done.stderr
    return set(words[2:])


@pytest.mark.parametrize("command", sorted(main.COMMANDS))
def test_the_help_of_a_command_loads_nothing_heavy(command: str) -> None:
    assert loaded_after(command, "--help") == set()


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_load_nothing_heavy(argument: str) -> None:
    assert loaded_after(argument) == set()


def test_importing_grue_loads_nothing_heavy() -> None:
    code = f"import sys, grue; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--version"]) == 0
    assert capsys.readouterr().out == f"grue {__version__}\n"


def test_every_command_is_listed_with_a_line_of_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for command in main.COMMANDS:
        entry = [line.split(maxsplit=1) for line in lines if line.startswith(f"  {command} ")]
        assert entry, command
        assert len(entry[0]) == 2, f"{command} has no help text"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evla"], "Did you mean 'eval'?"),
        (["eval", "--lmit", "3"], "--limit"),
        (["eval", "--max_rows", "3"], "No such option: --max"),
        (["tasks", "shwo", "imdb"], "show"),
    ],
)
def test_an_unknown_name_gets_a_suggestion_and_exit_code_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


def test_flags_take_underscores(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["eval", "--no_model_metrics", "--model", "nowhere-at-all", "-t", "imdb", "--data", "mini"]) == 2
    assert "nowhere-at-all" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["tasks", "list", "--include", "p"], ["--include", "p", "tasks", "list"]),
        (["tasks", "--include=p", "list"], ["--include=p", "tasks", "list"]),
        (["--include", "a", "eval", "--include", "b"], ["--include", "a", "--include", "b", "eval"]),
        (["eval", "--", "--include", "p"], ["eval", "--", "--include", "p"]),
    ],
)
def test_include_is_taken_anywhere(arguments: list[str], expected: list[str]) -> None:
    assert main._include_first(arguments) == expected


@pytest.mark.parametrize(
    ("error", "code", "shown"),
    [
        (TaskDataError("cause", "mend it", place="f:3"), 2, "error: f:3: cause\n  fix: mend it\n"),
        (NotComparableError("cause"), 4, "error: cause\n"),
        (KeyboardInterrupt(), 130, "error: Interrupted.\n  fix: The same command goes on where it stopped.\n"),
    ],
)
def test_errors_become_messages_and_exit_codes(
    error: BaseException,
    code: int,
    shown: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(main, "_include_first", fail)
    assert main.run([]) == code
    captured = capsys.readouterr()
    assert captured.err == shown
    assert "Traceback" not in captured.err or not isinstance(error, GrueError)


def test_a_bug_shows_its_traceback_and_where_to_report_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(main, "_include_first", fail)
    assert main.run([]) == 70
    shown = capsys.readouterr().err
    assert "ZeroDivisionError: planted" in shown
    assert main.REPORT in shown


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "grue", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"grue {__version__}\n"
