"""Thousands of hostile uploads at the level of functions: each is answered in bounded memory, with nothing left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grue.core.errors import GrueError
from tests.hostile.answering import answer, expected_rows, in_this_process
from tests.hostile.inputs import hostile_inputs

# What libraries and their stacks reserve is among it; 512 MiB of it may be resident.
BOUND_MIB = 1_024


def test_the_generator_is_seeded_and_of_every_kind() -> None:
    first, again, other = (
        [
            (one.kind, one.content, dict(one.files))
            for one in hostile_inputs(24, seed=seed, kinds=("predictions", "model", "text"))
        ]
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
    assert {kind for kind, _, _ in first} == {"predictions", "model", "text"}


@pytest.mark.parametrize("kind", ["predictions", "run", "model"])
def test_each_is_answered_and_nothing_is_written_elsewhere(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_this_process(monkeypatch)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    for number, hostile in enumerate(hostile_inputs(16, kinds=(kind,))):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        try:
            checked = answer(hostile, folder, expected_rows())
        except (GrueError, MemoryError):
            continue
        assert not (hostile.is_wrong and checked.is_valid), hostile.name
        assert checked.is_valid == (checked.problem_count == 0 and checked.problems == ())
        for problem in checked.problems:
            assert problem.problem
            assert problem.fix, hostile.name
            assert len(problem.problem) < 700, hostile.name
            json.dumps([problem.id, problem.problem, problem.fix], ensure_ascii=False).encode()
        assert set(os.listdir(folder)) <= {"upload", "model", "work"}
        assert set(os.listdir(folder / "work")) == (
            {"predictions.jsonl"} if kind == "run" and checked.is_valid else set()
        )
    assert list(home.iterdir()) == []
    assert not Path("/tmp/grue-hostile-evil").exists()


def test_some_are_read_in_a_process_of_their_own(tmp_path: Path) -> None:
    for number, hostile in enumerate(hostile_inputs(9, seed=3, kinds=("run", "model"))):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        checked = answer(hostile, folder, expected_rows())
        assert not (hostile.is_wrong and checked.is_valid), hostile.name


def answered(first: int, count: int) -> Iterator[dict[str, Any]]:
    """What a bounded process says of so many uploads; where it died, another goes on behind that one."""
    while count > 0:
        command = [sys.executable, "-m", "tests.hostile.answering", str(first), str(count), str(BOUND_MIB)]
        environment = {**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        said = [line for line in lines if "begun" not in line]
        yield from said
        if done.returncode:
            assert lines, done.stderr
            yield {**lines[-1], "died": done.returncode}
        first, count = first + len(said) + 1, count - len(said) - 1


@pytest.mark.long
def test_five_thousand_are_answered_in_bounded_memory() -> None:
    said = list(answered(0, 5_000))
    assert len(said) == 5_000
    assert [line for line in said if "raised" in line] == []
    assert [line for line in said if line.get("is_wrong") and line.get("problems") == 0] == []
    # A parser that dies, or asks for more than there is, takes nothing with it: strangers' files are read apart.
    apart = [line for line in said if "died" in line or "memory" in line]
    assert {line["name"].partition("/")[0] for line in apart} <= {"run"}
    assert len(apart) < 50
    assert max(line["seconds"] for line in said if "seconds" in line) < 60
    assert max(line["mib"] for line in said if "mib" in line) < 768


@pytest.mark.long
def test_hundreds_are_answered_as_a_server_asks(tmp_path: Path) -> None:
    for number, hostile in enumerate(hostile_inputs(400, seed=7)):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        try:
            checked = answer(hostile, folder, expected_rows())
        except GrueError:
            continue
        assert not (hostile.is_wrong and checked.is_valid), hostile.name
