"""SPICE's protocol and messages against a stand-in for the program, whose models are not to be had."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import grue
from grue.core.errors import GrueError
from grue.metrics import spice

STAND_IN = """
import json, os, sys, time
arguments = sys.argv[1:]
assert arguments[:2] == ["-Xmx8G", "-jar"] and arguments[4] == "-out" and arguments[6:] == ["-subset", "-silent"]
captions = json.load(open(arguments[3], encoding="utf-8"))
json.dump({"captions": captions, "folder": os.getcwd()}, open(os.environ["SAW"], "w"))
mode = os.environ.get("MODE")
if mode == "no-models":
    sys.exit('Exception in thread "main" java.lang.NoClassDefFoundError: edu/stanford/nlp/X\\n  at a\\n  at b\\n  at c')
if mode == "dies":
    sys.exit("out of memory")
scores = []
for caption in reversed(captions):
    f = {"same": 1.0, "none": None, "text": "NaN"}.get(caption["test"], 0.25)
    scores.append({"image_id": caption["image_id"], "scores": {"All": {"pr": 1.0, "re": 1.0, "f": f}}})
if mode == "short":
    scores.pop()
json.dump(scores if mode != "broken" else {"x": 1}, open(arguments[5], "w"))
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ``java`` that is a script, and a jar; returns the jar."""
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!{sys.executable}\n{STAND_IN}")
    java.chmod(0o755)
    jar = tmp_path / "program" / "spice-1.0.jar"
    jar.parent.mkdir()
    jar.write_bytes(b"jar")
    monkeypatch.setenv("PATH", f"{java.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("SAW", str(tmp_path / "saw.json"))
    monkeypatch.setenv("GRUE_SPICE_JAR", str(jar))
    return jar


def test_rows_go_to_the_program_as_captions_and_come_back_in_order(stand_in: Path, tmp_path: Path) -> None:
    import json

    score = grue.metric("spice", tokenize="whitespace").compute(
        ["a  dog\nruns \ud800", "same", "none", "text"], [["x", "y z"], ["x"], ["x"], ["x"]]
    )
    assert score.per_sample == [0.25, 1.0, None, None]
    assert (score.value, score.n) == (0.625, 2)
    saw = json.loads((tmp_path / "saw.json").read_text())
    assert saw["captions"][0] == {"image_id": 0, "test": "a dog runs ?", "refs": ["x", "y z"]}
    assert saw["folder"] == str(stand_in.parent)
    assert str(score.signature).startswith("spice|tok:whitespace|jar:")


def test_all_rows_without_a_value_give_a_reason(stand_in: Path) -> None:
    assert stand_in.is_file()
    score = grue.metric("spice", tokenize="whitespace").compute(["none"], [["x"]])
    assert (score.value, score.reason) == (
        None,
        "the program finds no objects in any prediction and its references",
    )


@pytest.mark.parametrize(
    ("mode", "words"), [("dies", "out of memory"), ("short", "no score for caption"), ("broken", "no scores that can")]
)
def test_a_program_that_fails_says_why(stand_in: Path, mode: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stand_in.is_file()
    monkeypatch.setenv("MODE", mode)
    with pytest.raises(GrueError, match=words):
        grue.metric("spice", tokenize="whitespace").compute(["a", "b"], [["x"], ["y"]])


def test_missing_models_jar_and_java_make_it_absent_with_the_fix(
    stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reason(**settings: str) -> str:
        score = grue.metric("spice", tokenize="whitespace", **settings).compute(["a"], [["a"]])
        assert score.value is None
        return str(score.reason)

    monkeypatch.setenv("MODE", "no-models")
    assert f"stanford-corenlp-3.6.0-models.jar into {stand_in.parent / 'lib'}" in reason()
    assert "there is no file" in reason(jar=str(tmp_path / "none.jar"))
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    assert "needs Java" in reason()
    monkeypatch.delenv("GRUE_SPICE_JAR")
    assert "spice.jar=PATH" in reason()


def test_a_text_beyond_the_programs_reach_is_refused_by_name(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stand_in.is_file()
    monkeypatch.setattr(spice, "MAX_WORDS", 3)
    with pytest.raises(ValueError, match="spice: a text has 4 words"):
        grue.metric("spice", tokenize="whitespace").compute(["a b c d"], [["a"]])
