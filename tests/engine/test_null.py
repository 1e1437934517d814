"""Null systems and the oracle need no model, and no torch."""

from __future__ import annotations

import subprocess
import sys

import pytest

from grue.core.decoding import Decoding
from grue.core.errors import UsageError
from grue.core.rows import Row
from grue.core.task import Truncation
from grue.engine.open import EngineOptions, open_engine
from grue.engine.protocol import Job, Request

ROWS = [
    Row(id="a", prompt="summarise: one", references=("r1", "r2", "r3"), inputs={"source": "one"}),
    Row(id="b", prompt="summarise: two", references=("s1",), inputs={"source": ["no", "text"]}),
    Row(id="c", prompt="summarise: three", references=(), inputs={}),
    Row(id="d", prompt="summarise: four", references=("t1", "t2")),
]


def write(model: str, rows=ROWS, *, seed=0, samples=1) -> dict[tuple[str, int], str]:
    engine = open_engine(model, EngineOptions())
    rows = engine.covered(rows)
    job = Job(decoding=Decoding(max_new_tokens=1), truncation=Truncation("left", 1), seed=seed, rows=rows)
    assert engine.settings(job) == {}
    assert engine.environment() == {}
    engine.load()
    requests = [Request(row, sample) for row in rows for sample in range(samples)]
    made = [one for portion in engine.generate(requests, job) for one in portion.generations]
    for generation in made:
        assert generation.prompt is generation.finish_reason is generation.prompt_cut is None
        assert generation.prompt_tokens is generation.generated_tokens is generation.latency_seconds is None
    return {(generation.id, generation.sample): generation.prediction for generation in made}


def test_empty_writes_nothing():
    assert set(write("null:empty").values()) == {""}


def test_constant_writes_one_text_for_all_rows_of_any_data():
    texts = set(write("null:constant").values())
    assert len(texts) == 1
    assert texts == set(write("null:constant", [Row(id="z", prompt="anything else")]).values())
    assert texts.pop().strip()


def test_copy_input_writes_the_source_text_else_the_prompt():
    assert write("null:copy-input") == {
        ("a", 0): "one",
        ("b", 0): "summarise: two",
        ("c", 0): "summarise: three",
        ("d", 0): "summarise: four",
    }


def test_random_reference_is_another_rows_and_depends_on_seed_row_and_sample_alone():
    first = write("null:random-reference", samples=40)
    for (row_id, _), text in first.items():
        own = next(row for row in ROWS if row.id == row_id).references
        assert text not in own
        assert text in {"r1", "r2", "r3", "s1", "t1", "t2"}
    assert write("null:random-reference", samples=40) == first
    assert write("null:random-reference", samples=40, seed=1) != first
    assert {text for (row_id, _), text in first.items() if row_id == "b"} == {"r1", "r2", "r3", "t1", "t2"}


def test_random_reference_of_a_single_row_is_empty():
    assert write("null:random-reference", ROWS[:1]) == {("a", 0): ""}


def test_oracle_writes_the_last_reference_and_leaves_the_others():
    engine = open_engine("oracle:reference", EngineOptions())
    covered = engine.covered(ROWS)
    assert [(row.id, row.references) for row in covered] == [("a", ("r1", "r2")), ("d", ("t1",))]
    assert write("oracle:reference") == {("a", 0): "r3", ("d", 0): "t2"}
    assert engine.info.kind == "oracle"
    assert engine.info.weights_sha256 is None


def test_oracle_refuses_a_row_it_did_not_hand_out():
    engine = open_engine("oracle:reference", EngineOptions())
    job = Job(decoding=Decoding(max_new_tokens=1), truncation=Truncation("left", 1), seed=0, rows=ROWS)
    with pytest.raises(UsageError, match="row 'a'"):
        list(engine.generate([Request(ROWS[0], 0)], job))


def test_a_name_is_for_show():
    info = open_engine("null:empty", EngineOptions(name="Floor", meta={"a": "b"})).info
    assert (info.name, info.source, info.kind, dict(info.meta)) == ("Floor", "null:empty", "null", {"a": "b"})


def test_no_heavy_library_is_imported():
    code = (
        "import sys; from grue.engine.open import open_engine, EngineOptions\n"
        "for m in ('null:empty', 'null:random-reference', 'oracle:reference'): open_engine(m, EngineOptions()).load()\n"
        "sys.exit(','.join({'torch', 'transformers', 'huggingface_hub'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
