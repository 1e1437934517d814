"""Portions: any cutting of a file gives the numbers of the whole, and one faulty metric leaves the others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import grue
from grue.core.errors import MetricUnavailableError, UsageError
from grue.core.metric import Floats, Texts
from grue.metrics import rows_file
from grue.metrics.api import Scorer
from grue.metrics.rows_file import read_portions, read_rows
from grue.metrics.several import compute, scorers

NAMES = ("rouge1", "sacrebleu", "chrf", "cider_d", "bleu_4", "distinct_2", "msttr", "mean_length", "coverage", "f1")
WORDS = st.lists(st.sampled_from(["the", "cat", "cats", "sat", "ran", "a", "."]), min_size=1, max_size=8).map(" ".join)
ROWS = st.lists(st.tuples(WORDS, st.lists(WORDS, max_size=2)), min_size=1, max_size=12)


def texts_of(rows: list[tuple[str, list[str]]]) -> Texts:
    return Texts([row[0] for row in rows], [row[1] for row in rows], [{"concepts": ["cat", "run"]}] * len(rows))


@settings(max_examples=40, deadline=None)
@given(ROWS, st.integers(1, 5))
def test_any_cutting_gives_the_numbers_of_the_whole(rows: list[tuple[str, list[str]]], size: int) -> None:
    portions = [texts_of(rows[start : start + size]) for start in range(0, len(rows), size)]
    found = compute(scorers(NAMES, {}), portions)
    whole = texts_of(rows)
    for name in NAMES:
        alone = grue.metric(name).compute(whole.predictions, whole.references, whole.inputs)
        score = found.scores[name]
        assert score.n == alone.n
        assert score.reason == alone.reason
        assert score.value == (None if alone.value is None else pytest.approx(alone.value, abs=1e-9)), name
        if alone.per_sample is not None:
            assert score.per_sample == pytest.approx(alone.per_sample, abs=1e-9), name
    assert not found.failed


@dataclass(frozen=True)
class Fussy:
    """Raises, or finds something missing, where a text says so."""

    word: str
    error: type[Exception]
    name: str = "fussy"
    scale: float | None = 1.0
    higher_is_better: bool | None = True
    needs_references: bool = False
    kind: ClassVar[str] = "mean"

    def signature(self) -> str:
        return "fussy|v:1"

    def per_sample(self, texts: Texts) -> Floats:
        if self.word in texts.predictions:
            raise self.error("cannot do this one")
        return np.ones(len(texts))


@pytest.mark.parametrize(("error", "fails"), [(RuntimeError, True), (MetricUnavailableError, False)])
def test_a_metric_that_raises_in_a_later_portion_stops_alone(error: type[Exception], fails: bool) -> None:
    portions = [texts_of([("good", ["good"])]), texts_of([("bad", ["bad"])]), texts_of([("good", ["good"])])]
    found = compute([Scorer("fussy", Fussy("bad", error)), *scorers(["rouge1"], {})], portions)
    assert found.scores["fussy"].value is None
    assert "cannot do this one" in str(found.scores["fussy"].reason)
    assert found.failed == (("fussy",) if fails else ())
    assert (found.scores["rouge1"].value, found.scores["rouge1"].n) == (1.0, 3)


def write(path: Path, rows: list[object]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def test_a_file_comes_in_portions_of_bounded_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_file, "PORTION", 3)
    rows = [{"prediction": str(index), "references": ["x"], "id": index} for index in range(8)]
    portions = list(read_portions(write(tmp_path / "rows.jsonl", rows)))
    assert [len(portion) for portion in portions] == [3, 3, 2]
    assert [text for portion in portions for text in portion.predictions] == [str(index) for index in range(8)]
    assert portions[2].inputs[1] == {"id": 7}
    assert len(read_rows(tmp_path / "rows.jsonl")) == 8


def test_a_fault_in_the_last_line_is_found_before_anything_is_handed_out(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", [{"prediction": "a"}] * 5 + [{"prediction": 3}])
    with pytest.raises(UsageError, match=r"rows\.jsonl:6"):
        read_portions(path)


def test_rows_come_from_a_pipe_too(tmp_path: Path) -> None:
    pipe = tmp_path / "rows.jsonl"
    os.mkfifo(pipe)
    line = json.dumps({"prediction": "a cat", "references": ["a cat"]})
    writer = threading.Thread(target=lambda: pipe.write_text(f"{line}\n{line}\n"))
    writer.start()
    call = "run(['metrics', 'compute', 'rouge1', sys.argv[1], '--json'])"
    code = f"import sys; from grue.cli.main import run; sys.exit({call})"
    done = subprocess.run([sys.executable, "-c", code, str(pipe)], capture_output=True, text=True, timeout=60)
    writer.join()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["metrics"]["rouge1"]["n"] == 2


@pytest.mark.long
def test_a_hundred_thousand_rows_hold_no_texts(tmp_path: Path) -> None:
    """The peak grows by numbers a row, not by texts: 400 bytes of text a row would be 40 MB more."""
    small, large = (tmp_path / f"{n}.jsonl" for n in ("small", "large"))
    text = "the cat sat on the mat and looked at the dog that ran through the park all day long " * 5
    for path, n in ((small, 4_000), (large, 104_000)):
        with path.open("w") as file:
            for index in range(n):
                file.write(json.dumps({"prediction": f"{text} {index}", "references": [f"{text} {index % 7}"]}) + "\n")
    program = (
        "import resource, sys; from grue.cli.main import run; "
        "run(['metrics', 'compute', 'exact_match,f1,rouge1,sacrebleu', sys.argv[1]]); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = []
    for path in (small, large):
        done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout.split()[-1]))
    assert peaks[1] - peaks[0] < 40_000  # kilobytes
