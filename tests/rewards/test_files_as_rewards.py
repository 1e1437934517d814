"""``PATH.py:NAME``: rewards in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import grue
from grue.cli.main import run
from grue.core.errors import UsageError
from grue.rewards.combine import formula
from grue.rewards.parse import parse

SOURCE = """
def shout(prompts, predictions, references, meta, factor=1.0):
    return [factor * text.count("!") for text in predictions]

def with_meta(predictions, meta):
    return [row["bonus"] for row in meta]

def empty(predictions):
    return []

def words(predictions):
    return ["many" for _ in predictions]

def raises(predictions):
    raise RuntimeError("out of order")

def make(limit):
    return Reward(limit)

class Reward:
    name, low, high, needs_references = "limited", 0.0, None, False
    def __init__(self, limit=3):
        self.limit = limit
    def signature(self):
        return f"limited|{self.limit}"
    def rewards(self, texts):
        return [min(len(text), self.limit) for text in texts.predictions]

MADE = Reward(2)
NUMBER = 3

class Half:
    name = "half"
    def rewards(self, texts):
        return []
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "mine.py"
    path.write_text(SOURCE)
    return str(path)


def test_a_function_is_a_reward(file: str) -> None:
    score = grue.reward(f"{file}:shout", factor=2).compute(["p"] * 2, ["hey!!", "hey"], [[], []], [{}, {}])
    assert score.values == [4.0, 0.0]
    assert (score.low, score.high) == (None, None)
    assert grue.reward(f"{file}:with_meta").compute(predictions=["x"], meta=[{"bonus": 0.25}]).values == [0.25]


def test_objects_classes_and_makers_are_rewards(file: str) -> None:
    for text, expected in (("MADE", 2.0), ("Reward", 3.0), ("make", 4.0)):
        settings = {"limit": 4} if text == "make" else {}
        assert grue.reward(f"{file}:{text}", **settings).compute(predictions=["long text"]).values == [expected]


def test_a_file_joins_a_formula_and_is_read_back(file: str) -> None:
    text = f"0.5*load({file + ':shout'!r}, factor=2) + 1"
    reward = parse(text)
    assert formula(reward) == text
    assert parse(formula(reward)).signature() == reward.signature()
    assert grue.reward(text).compute(predictions=["hey!"]).values == [2.0]


def test_settings_change_the_signature_and_so_does_the_code(file: str) -> None:
    plain = grue.reward(f"{file}:shout").compute(predictions=["!"]).signature
    louder = grue.reward(f"{file}:shout", factor=2).compute(predictions=["!"]).signature
    Path(file).write_text(SOURCE.replace('count("!")', 'count("?")'))
    asking = grue.reward(f"{file}:shout").compute(predictions=["!"])
    assert asking.values == [0.0]
    assert len({plain, louder, asking.signature}) == 3


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nothing", "defines no 'nothing'"),
        ("NUMBER", "is a int, not a reward"),
        ("Half", "lacks low, high, needs_references, signature"),
        ("make", "cannot be made"),
    ],
)
def test_what_is_no_reward_is_named(file: str, name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        grue.reward(f"{file}:{name}")


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no file"):
        grue.reward(f"{tmp_path}/none.py:X")
    (tmp_path / "bad.py").write_text("import a_package_that_nobody_has\n")
    with pytest.raises(UsageError, match="a_package_that_nobody_has"):
        grue.reward(f"{tmp_path}/bad.py:X")
    (tmp_path / "syntax.py").write_text("def (\n")
    with pytest.raises(UsageError, match="SyntaxError"):
        grue.reward(f"{tmp_path}/syntax.py:X")


@pytest.mark.parametrize(("name", "words"), [("empty", "shape"), ("words", "many"), ("raises", "out of order")])
def test_a_function_that_fails_makes_the_command_partly_done(
    file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, words: str
) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"prediction": "a"}\n')
    assert run(["rewards", "compute", f"{file}:{name}", str(rows), "--json"]) == 3
    (found,) = json.loads(capsys.readouterr().out)["rewards"].values()
    assert found["value"] is None
    assert found["reason"].startswith("failed: ")
    assert words in found["reason"]
