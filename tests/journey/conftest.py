"""A board as its users start it: `grue serve` in a process of its own, runs, accounts, and a real browser."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journey.visits import PICTURES, Board, Visitor, accounts, started

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session")
def predictions(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes a prediction file for every row of CommonGen and IMDB: ``predictions(name, answer=…)``."""
    folder = tmp_path_factory.mktemp("predictions")
    prompts = folder / "prompts.jsonl"
    _grue("prompts", "-t", "commongen,imdb", "--data", "mini", "--split", "test", "-o", str(prompts))
    rows = [json.loads(line) for line in prompts.read_text(encoding="utf-8").splitlines()]

    def write(name: str, answer: Callable[[dict[str, str]], str]) -> Path:
        path = folder / name
        lines = [json.dumps({"task": row["task"], "id": row["id"], "prediction": answer(row)}) for row in rows]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def rival(tmp_path_factory: pytest.TempPathFactory, predictions: Callable[..., Path]) -> Path:
    """A folder with runs that stand on the board before anybody submits: the floor and one that repeats prompts."""
    folder = tmp_path_factory.mktemp("runs")
    tasks = ("-t", "commongen,imdb", "--data", "mini", "--split", "test")
    _grue("eval", "-m", "null:random-reference", *tasks, "-o", str(folder / "floor"))
    told = predictions("rival.jsonl", lambda row: row["prompt"][-60:])
    _grue("score", str(told), *tasks, "--name", "the rival", "-o", str(folder / "rival"))
    return folder


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory, rival: Path) -> Iterator[Board]:
    """`grue serve` with its worker, on the mini rows, with a host and a submitter."""
    home = tmp_path_factory.mktemp("home")
    accounts(home, {"hanna": "host", "sam": "submitter"}, PASSWORD)
    with started(home, "--results", str(rival)) as found:
        yield found


@pytest.fixture
def visitor(board: Board, browser: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., Visitor]]:
    """Opens a browser window of its own: ``visitor(width=390, color_scheme="dark")``; says what the console said."""
    contexts = []

    def open_window(width: int = 1024, **options: Any) -> Visitor:
        context = browser.new_context(viewport={"width": width, "height": 900}, base_url=board.address, **options)
        context.set_default_timeout(30_000)
        contexts.append(context)
        return Visitor.of(context)

    yield open_window
    for number, context in enumerate(contexts):
        if PICTURES:  # of where a journey ended, which tells why
            context.pages[0].screenshot(path=str(Path(PICTURES) / f"last-{request.node.name}-{number}.png"))
        context.close()


def _grue(*words: str) -> None:
    done = subprocess.run([sys.executable, "-m", "grue", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
