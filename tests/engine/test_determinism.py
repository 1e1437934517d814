"""``--deterministic``: who is decoded with whom is fixed by the job, so that rounding falls the same way every time."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from grue.core.decoding import Decoding
from grue.core.rows import Row
from grue.core.task import Truncation
from grue.engine import estimate
from grue.engine.hf import HFEngine
from grue.engine.open import EngineOptions, open_engine
from grue.engine.protocol import Job, Request

pytestmark = pytest.mark.long

# In bfloat16 rounding is coarse: of two tokens that are about as likely, company decides.
Text = tuple[str, int | None, str | None]


@pytest.fixture(scope="module", params=["gpt2", "llama", "t5", "bart"])
def rounded(request: pytest.FixtureRequest, checkpoints: dict[str, Path]) -> HFEngine:
    engine = open_engine(str(checkpoints[request.param]), EngineOptions(device="cpu", dtype="bfloat16"))
    assert isinstance(engine, HFEngine)
    engine.load()
    return engine


@pytest.fixture(scope="module")
def rows(make_rows) -> list[Row]:
    return make_rows(96, seed=3)


def job_of(rows: Sequence[Row], *, deterministic: bool = True, **decoding) -> Job:
    chosen = Decoding(max_new_tokens=24, **decoding)
    return Job(decoding=chosen, truncation=Truncation("right", 512), seed=0, rows=rows, deterministic=deterministic)


def decoded(engine: HFEngine, rows: Sequence[Row], job: Job) -> tuple[dict[str, Text], list[str]]:
    """Texts by row, and the batches that the events name, as JSON."""
    texts: dict[str, Text] = {}
    trace: list[str] = []
    for portion in engine.generate([Request(row, 0) for row in rows], job):
        texts |= {made.id: (made.prediction, made.generated_tokens, made.finish_reason) for made in portion.generations}
        trace += [json.dumps(event) for event in portion.events if event["kind"] == "fixed_batch"]
    return texts, trace


@pytest.mark.parametrize("decoding", [{}, {"num_beams": 3}, {"do_sample": True}], ids=["greedy", "beams", "sampled"])
def test_rows_that_are_left_get_the_texts_of_the_whole_job(rounded, rows, decoding):
    job = job_of(rows, **decoding)
    whole, trace = decoded(rounded, rows, job)
    assert decoded(rounded, rows, job) == (whole, trace)
    named = [row_id for line in trace for row_id in json.loads(line)["rows"]]
    assert sorted(named) == sorted(row.id for row in rows)
    for n_left in (40, 2):
        left = random.Random(n_left).sample(rows, n_left)
        again, part = decoded(rounded, left, job)
        assert again == {row.id: whole[row.id] for row in left}
        # The very batches of the whole job, in its order; those of which nothing is asked are left out.
        assert part == [line for line in trace if {row.id for row in left} & set(json.loads(line)["rows"])]


def test_an_instruction_that_only_a_batch_shares_changes_nothing(rounded, rows):
    """Where the other batches are stored already, what is left shares more than the whole job does."""
    instruction = "calls out price bread milk morning light falls through window seven eight nine the old grey river "
    long = [Row(f"long{row.id}", instruction * 2 + row.prompt) for row in rows[:32]]
    job = job_of([*long, *rows[32:64]])
    whole, _ = decoded(rounded, job.rows, job)
    left, _ = decoded(rounded, long, job)
    assert left == {row.id: whole[row.id] for row in long}


def test_order_of_requests_and_free_memory_change_nothing(rounded, rows, monkeypatch):
    job = job_of(rows)
    whole = decoded(rounded, rows, job)
    monkeypatch.setattr(estimate, "free_bytes", lambda device: 1)
    assert decoded(rounded, random.Random(0).sample(rows, len(rows)), job) == whole


def test_without_it_company_does_change_texts(checkpoints, rows):
    """Were there nothing to see here, the other tests would see nothing either."""
    rounded = open_engine(str(checkpoints["gpt2"]), EngineOptions(device="cpu", dtype="bfloat16"))
    free = job_of(rows, deterministic=False)
    whole, _ = decoded(rounded, rows, free)
    alone = {row.id: decoded(rounded, [row], free)[0][row.id] for row in rows[:40]}
    assert any(alone[row_id] != whole[row_id] for row_id in alone)
