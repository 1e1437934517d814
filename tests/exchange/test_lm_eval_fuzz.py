"""Whatever stands in the harness's files, an import is done or refused with a place: it is never a bug."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from grue.core.errors import GrueError
from grue.exchange.lm_eval.to_run import import_lm_eval
from grue.runs.read import read_run
from tests.exchange.conftest import HARNESS

ODD: tuple[Any, ...] = (
    *(
        None,
        True,
        0,
        -1,
        1.5,
        1e308,
        10**400,
        "",
        "x",
        "N/A",
        "\0",
        "../../x",
        "|",
        "a,b",
        [],
        [1],
        [[]],
        {},
        {"": None},
    ),
    *({"id": [1]}, [[["1", "False"]]], [["a", "b"]]),
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in _places(one, (*path, key)))]


def _spoilt(document: Any, chance: random.Random) -> Any:
    place = chance.choice(_places(document)[1:])
    value, new = json.loads(json.dumps(document)), chance.choice(ODD)
    at = value
    for key in place[:-1]:
        at = at[key]
    if chance.random() < 0.15:
        del at[place[-1]]
    elif chance.random() < 0.1 and isinstance(at, dict):
        at[chance.choice(["a/b", "", "x|y", "..", "a\nb"])] = at.pop(place[-1])
    else:
        at[place[-1]] = new
    return value


def _attempt(folder: Path, out: Path) -> bool:
    place = None
    try:
        import_lm_eval(folder, out, out.parent)
    except GrueError as error:
        place = error.place
    if place is None:
        read_run(out)
        return True
    assert place
    assert not out.exists()
    return False


def _fuzz(tmp_path: Path, seeds: range) -> int:
    done = 0
    for seed in seeds:
        chance = random.Random(seed)
        folder = shutil.copytree(HARNESS, tmp_path / f"in{seed}")
        path = chance.choice(sorted(folder.glob("*.json*")))
        if path.suffix == ".json":
            path.write_text(json.dumps(_spoilt(json.loads(path.read_text()), chance)))
        else:
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            place = chance.randrange(len(lines))
            lines[place] = _spoilt(lines[place], chance)
            path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        done += _attempt(folder, tmp_path / f"out{seed}")
        shutil.rmtree(folder)
        shutil.rmtree(tmp_path / f"out{seed}", ignore_errors=True)
    return done


def test_odd_values_are_read_or_refused(tmp_path: Path) -> None:
    assert 0 < _fuzz(tmp_path, range(60)) < 60


@pytest.mark.long
def test_many_odd_values_are_read_or_refused(tmp_path: Path) -> None:
    assert 0 < _fuzz(tmp_path, range(1000, 1300)) < 300
