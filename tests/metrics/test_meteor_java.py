"""METEOR 1.5 through Java: the real jar where there is one, and its protocol and messages against a stand-in."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import grue
from grue.core.errors import GrueError
from grue.core.metric import Texts
from grue.metrics import meteor_java
from grue.metrics.meteor_java import MeteorJava, make
from grue.metrics.settings import resolve

# Read before the fixture that takes the caller's settings away.
_NAMED = os.environ.get("GRUE_METEOR_JAR")

# Answers as the program does: the numbers are those that METEOR 1.5 gave for two requests.
STAND_IN = """
import os, sys, time
open(os.environ["SAW"], "w").write(repr(sys.argv[1:]) + "\\n" + os.getcwd())
lines = sys.stdin.buffer.read().decode("utf-8").split("\\n")[:-1]
open(os.environ["SAW"] + ".lines", "w").write("\\n".join(lines))
mode = os.environ.get("MODE")
if mode == "dies":
    sys.exit("Error: Could not reserve enough space for object heap\\nmore")
if mode == "hangs":
    time.sleep(60)
if mode == "other":
    print("Usage: something else")
    sys.exit(0)
for line in lines:
    words = line.split(" ||| ")
    assert words[0] == "SCORE" and len(words) >= 3, line
    if words[1] == words[-1]:
        print("2.0 2.0 1.0 1.0 1.0 1.0 1.0 1.0 0 0 0 0 0 0 0 0 0 0 0 0 1.0 2.0 2.0")
    else:
        print("6.0 6.0 2.0 3.0 3.0 3.0 2.0 2.0 0 0 0 0 0 0 0 0 0 0 0 0 4.0 5.0 5.0")
"""


def real_jar() -> Path | None:
    found = importlib.util.find_spec("pycocoevalcap")
    places = [Path(_NAMED)] if _NAMED else []
    if found and found.submodule_search_locations:
        places.append(Path(found.submodule_search_locations[0]) / "meteor" / "meteor-1.5.jar")
    return next((path for path in places if path.is_file()), None)


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ``java`` that is a script, and a jar with its paraphrase table; returns the jar."""
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!{sys.executable}\n{STAND_IN}")
    java.chmod(0o755)
    jar = tmp_path / "program" / "meteor-1.5.jar"
    (jar.parent / "data").mkdir(parents=True)
    jar.write_bytes(b"jar")
    (jar.parent / "data" / "paraphrase-en.gz").write_bytes(b"table")
    monkeypatch.setenv("PATH", f"{java.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("SAW", str(tmp_path / "saw"))
    monkeypatch.setenv("GRUE_METEOR_JAR", str(jar))
    return jar


def test_the_program_is_called_as_its_readme_says(stand_in: Path, tmp_path: Path) -> None:
    score = grue.metric("meteor_java").compute(
        ["a dog", "two\nlines ||| here  \ud800", ""], [["a dog"], ["one", "an\rother"], ["x"]]
    )
    assert score.n == 3
    arguments, folder = (tmp_path / "saw").read_text().split("\n")
    assert arguments == repr(["-Xmx2G", "-jar", str(stand_in), "-", "-", "-stdio", "-l", "en", "-norm"])
    assert folder == str(stand_in.parent)
    assert (tmp_path / "saw.lines").read_text() == (
        "SCORE ||| a dog ||| a dog\nSCORE ||| one ||| an other ||| two lines here ?\nSCORE ||| x ||| "
    )


def test_the_formula_is_the_authors_on_a_hand_worked_row() -> None:
    # 6 words against 6, of them 2 and 3 function words; matched by form: 2 content words and 1 function word.
    row = np.zeros(23)
    row[[0, 1, 2, 3]] = 6, 6, 2, 3
    row[[4, 5, 6, 7]] = 2, 2, 1, 1
    row[[20, 21, 22]] = 2, 3, 3
    precision = (0.75 * 2 + 0.25 * 1) / (0.75 * 4 + 0.25 * 2)
    recall = (0.75 * 2 + 0.25 * 1) / (0.75 * 3 + 0.25 * 3)
    mean = 1 / (0.15 / precision + 0.85 / recall)
    expected = mean * (1 - 0.6 * (2 / 3) ** 0.2)
    metric = MeteorJava(None, "", "raw")  # type: ignore[arg-type]
    assert float(metric.corpus_value(row)) == pytest.approx(expected, abs=1e-12)
    assert metric.corpus_value(np.stack([row, np.zeros(23)])) == pytest.approx([expected, 0.0])
    assert np.isnan(metric.corpus_value(np.full(23, np.nan)))


def test_the_corpus_value_is_of_sums_where_whole_matches_have_no_chunks(stand_in: Path) -> None:
    metric = make("meteor_java", resolve("meteor_java", {"jar": str(stand_in)}))
    stats = metric.statistics(Texts(["a dog", "b"], [["a dog"], ["c"]], [{}, {}]))
    # The first row is matched whole in one piece: METEOR leaves its chunk out of the sums.
    assert list(stats[:, 20]) == [0.0, 4.0]
    # Content words weigh 0.75 and function words 0.25. Second row: 3 content and 2 function words match, of 4 and 2
    # in the prediction and 3 and 3 in the reference, in 4 chunks. The first row adds one of each to all.
    second = 1 / (0.15 / (2.75 / 3.5) + 0.85 / (2.75 / 3.0)) * (1 - 0.6 * (4 / 5) ** 0.2)
    assert metric.sample_values(stats) == pytest.approx([1.0, second], abs=1e-12)
    both = 1 / (0.15 / (3.75 / 4.5) + 0.85 / (3.75 / 4.0)) * (1 - 0.6 * (4 / 7) ** 0.2)
    assert float(metric.corpus_value(stats.sum(axis=0))) == pytest.approx(both, abs=1e-12)


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("dies", ["ended with exit code 1", "Could not reserve enough space"]),
        ("hangs", ["no answer within 1 seconds"]),
        ("other", ["answered 1 lines for 1 rows", "Usage: something else", "23 numbers"]),
    ],
)
def test_a_program_that_fails_says_why(
    stand_in: Path, mode: str, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stand_in.is_file()
    monkeypatch.setenv("MODE", mode)
    monkeypatch.setattr(meteor_java, "_START_SECONDS", 1.0)
    monkeypatch.setattr(meteor_java, "_SECONDS_PER_WORD", 0.0)
    with pytest.raises(GrueError) as caught:
        grue.metric("meteor_java").compute(["a"], [["a"]])
    for word in words:
        assert word in str(caught.value)


def test_what_is_missing_makes_it_absent_with_the_fix(
    stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reason(**settings: str) -> str:
        score = grue.metric("meteor_java", **settings).compute(["a"], [["a"]])
        assert score.value is None
        return str(score.reason)

    assert "there is no file" in reason(jar=str(tmp_path / "none.jar"))
    (stand_in.parent / "data/paraphrase-en.gz").unlink()
    assert "paraphrase table" in reason()
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    assert "needs Java" in reason()
    monkeypatch.delenv("GRUE_METEOR_JAR")
    assert "GRUE_METEOR_JAR" in reason()
    assert "meteor_java.jar=PATH" in reason()


def test_a_text_beyond_the_programs_reach_is_refused_by_name(stand_in: Path) -> None:
    assert stand_in.is_file()
    with pytest.raises(ValueError, match="meteor_java: a text has 10,000 words"):
        grue.metric("meteor_java").compute(["a " * 9_999 + "a"], [["a"]])


def test_the_signature_names_jar_and_table(stand_in: Path) -> None:
    signature = grue.metric("meteor_java").compute(["a"], [["a"]]).signature
    (stand_in.parent / "data/paraphrase-en.gz").write_bytes(b"another table")
    other = grue.metric("meteor_java").compute(["a"], [["a"]]).signature
    assert signature != other
    assert str(signature).startswith("meteor_java|lang:en|norm:yes|tok:raw|refs:best|jar:")


def test_the_explanation_counts_stages(stand_in: Path) -> None:
    metric = make("meteor_java", resolve("meteor_java", {"jar": str(stand_in)}))
    (found,) = metric.explain(Texts(["b"], [["c"]], [{}]))
    assert found.summary == (
        "6 words against 6 of the reference; matched: 5 by form, 0 by stem, 0 by synonym, 0 by paraphrase; 4 chunks."
    )


@pytest.mark.long
@pytest.mark.skipif(real_jar() is None, reason="no meteor-1.5.jar: set GRUE_METEOR_JAR or install pycocoevalcap")
@pytest.mark.skipif(shutil.which("java") is None, reason="no java on the PATH")
@pytest.mark.parametrize("tokenize", ["raw", "ptb"])
def test_values_equal_the_programs_own(golden: Callable[[str], Any], tokenize: str) -> None:
    _, cases = golden("meteor_java")
    cases = [case for case in cases if tokenize in case.expected["corpus"]]
    metric = make("meteor_java", resolve("meteor_java", {"jar": str(real_jar()), "tokenize": tokenize}))
    predictions = [text for case in cases for text in case.predictions]
    references = [row for case in cases for row in case.references]
    stats = metric.statistics(Texts(predictions, references, [{}] * len(predictions)))
    start = 0
    for case in cases:
        own = stats[start : start + len(case.predictions)]
        start += len(case.predictions)
        assert float(metric.corpus_value(own.sum(axis=0))) == pytest.approx(
            case.expected["corpus"][tokenize], abs=1e-9
        ), case.id
        rows = case.expected["per_sample"][tokenize]
        assert metric.sample_values(own)[: len(rows)] == pytest.approx(rows, abs=1e-9), case.id
    assert len(cases) >= 36
