"""The share of greedy texts that change in batches and number types is what separate runs show."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grue.cli.main import run
from grue.core.decoding import Decoding
from grue.core.errors import CheckpointError
from grue.core.rows import Generation, Row
from grue.core.task import Truncation
from grue.engine.drift import finding, measure, wilson
from grue.engine.protocol import Failure, Job, Portion

Z = 1.959964


@dataclass
class Engine:
    """Writes what a table says: (number type, alone) -> row id -> text; its tokens are words."""

    dtype: str
    table: dict[tuple[str, bool], dict[str, str]]
    closed: list[str]
    reader: SimpleNamespace = field(
        default_factory=lambda: SimpleNamespace(tokenizer=lambda text, **_: {"input_ids": text.split()})
    )

    def prompt_limit(self, job: Job) -> int:
        if job.truncation.max_tokens > 100:
            raise CheckpointError("No prompt fits.")
        return 64

    def generate(self, requests, job):
        assert not job.decoding.do_sample
        assert job.decoding.num_beams == 1
        for request in requests:
            text = self.table[self.dtype, job.batch_rows == 1].get(request.row.id)
            if text is None:
                yield Portion((), [Failure(request.row.id, 0, "it did not fit")])
            else:
                yield Portion([Generation(request.row.id, 0, text)])

    def close(self) -> None:
        self.closed.append(self.dtype)


def job(ids: str, tokens: int = 64) -> Job:
    decoding = Decoding(max_new_tokens=8, num_beams=4)
    rows = tuple(Row(one, "p") for one in ids)
    return Job(decoding=decoding, truncation=Truncation("right", tokens), seed=0, rows=rows)


def test_shares_places_and_examples_are_those_of_the_texts():
    exact = {"a": "one two three", "b": "one two", "c": "one", "d": "one"}
    table = {
        ("float32", False): exact,
        ("float32", True): exact,
        ("bfloat16", False): {"a": "one two four", "b": "one", "c": "one", "d": "two"},
        ("bfloat16", True): {"a": "one two four", "b": "one", "c": "one"},
    }
    closed: list[str] = []
    jobs = {"first": job("abcd"), "too_long": job("xyz", tokens=1000)}
    found = list(measure(lambda dtype: Engine(dtype, table, closed), jobs, ["bfloat16"]))
    assert [(one.way, one.against) for one in found] == [
        ("float32 in batches", "float32 alone"),
        ("bfloat16 in batches", "bfloat16 alone"),
        ("bfloat16 in batches", "float32 alone"),
    ]
    assert [(one.differing, one.rows) for one in found] == [(0, 4), (0, 3), (3, 4)]
    assert found[2].share == 0.75
    assert found[2].equal_tokens_median == 1  # of 2, 1 and 0 equal tokens
    assert (found[2].example.task, found[2].example.id) == ("first", "a")
    assert (found[2].example.text, found[2].example.other) == ("one two four", "one two three")
    assert closed == ["float32", "bfloat16"]
    assert [finding(one).status for one in found] == ["ok", "ok", "warn"]
    assert "3 of 4 greedy texts differ (75.0 %" in finding(found[2]).message
    assert "--dtype float32" in finding(found[2]).fix


def test_an_example_shows_where_long_texts_part():
    table = {
        ("float32", False): {"a": "x" * 500 + " end" + "y" * 500},
        ("float32", True): {"a": "x" * 500 + " other"},
    }
    [one] = measure(lambda dtype: Engine(dtype, table, []), {"t": job("a")}, [])
    message = finding(one).message
    assert " end" in message
    assert " other" in message
    assert len(message) < 400
    assert "-b 1" in finding(one).fix


# R: prop.test(x, n, correct = FALSE)$conf.int, four digits.
@pytest.mark.parametrize(
    ("count", "n", "low", "high"), [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0)]
)
def test_intervals_are_wilsons(count, n, low, high):
    assert wilson(count, n) == pytest.approx((low, high), abs=5e-5)


@given(n=st.integers(1, 10**6), data=st.data())
def test_an_interval_holds_the_shares_that_the_count_does_not_refute(n, data):
    count = data.draw(st.integers(0, n))
    low, high = wilson(count, n)
    assert 0 <= low <= count / n <= high <= 1
    for bound in {low, high} - {0.0, 1.0}:
        # Wilson's definition: the bound is as far from the count as its own normal approximation allows.
        assert (count / n - bound) ** 2 == pytest.approx(Z * Z * bound * (1 - bound) / n, rel=1e-4)


def test_nothing_counted_refutes_nothing():
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.long
def test_the_doctor_counts_what_separate_runs_show(capsys, tmp_path):
    rows = ("-m", "demo:causal", "-t", "cnn_dailymail", "--data", "mini", "-L", "12")
    assert run(["doctor", *rows, "--drift", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    found = {(one["way"], one["against"]): one for one in document["drift"]}
    drifts = [one for one in document["findings"] if one["check"] == "drift"]
    assert [one["status"] for one in drifts] == ["ok" if one["differing"] == 0 else "warn" for one in document["drift"]]

    def texts(name: str, *flags: str) -> list[str]:
        folder = tmp_path / name
        assert run(["eval", *rows, "--decoding", "greedy", "--quiet", "-o", str(folder), *flags]) == 0
        return pq.read_table(folder / "samples" / "cnn_dailymail.parquet").column("prediction").to_pylist()

    exact, rounded = texts("exact", "-b", "1"), texts("rounded", "--dtype", "bfloat16")
    differing = sum(one != other for one, other in zip(exact, rounded, strict=True))
    assert differing > 0, "rows on which rounding is seen are what this test needs"
    assert found["bfloat16 in batches", "float32 alone"]["differing"] == differing
    assert found["bfloat16 in batches", "float32 alone"]["rows"] == 12
    assert found["float32 in batches", "float32 alone"]["differing"] == 0


def test_encoder_decoder_models_and_named_types(checkpoints, capsys):
    call = ("doctor", "-m", str(checkpoints["t5"]), "-t", "commongen", "-L", "3", "--data", "mini", "--json")
    assert run([*call, "--drift", "--dtypes", "bf16,float32"]) == 0
    ways = [one["way"] for one in json.loads(capsys.readouterr().out)["drift"]]
    assert ways == ["float32 in batches", "bfloat16 in batches", "bfloat16 in batches"]


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--drift",), "-m MODEL"),
        (("-m", "demo:causal", "--dtypes", "bfloat16"), "--drift"),
        (("-m", "demo:causal", "--drift", "--dtypes", "int8"), "int8"),
    ],
)
def test_flags_that_do_not_go_together_are_refused(flags, told, capsys):
    assert run(["doctor", *flags]) == 2
    assert told in capsys.readouterr().err


def test_a_system_without_a_model_has_no_drift(capsys):
    assert run(["doctor", "-m", "null:empty", "--drift", "--data", "mini", "-t", "imdb", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["drift"] == []
    [fault] = [one for one in document["findings"] if one["status"] == "fail"]
    assert "null:empty is no checkpoint" in fault["message"]
