"""Prompts are tokenised once a task, beforehand where that is asked for, and read as they always are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grue.core.decoding import Decoding
from grue.core.errors import CheckpointError
from grue.core.rows import Row
from grue.core.task import Truncation
from grue.engine import ahead
from grue.engine.ahead import PromptsAhead, ReadsAhead
from grue.engine.hf import HFEngine
from grue.engine.open import EngineOptions, open_engine
from grue.engine.protocol import Job, Request
from grue.engine.tokenization import PromptReader

CPU = EngineOptions(device="cpu")


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of prompts of every call that tokenises."""
    calls: list[int] = []
    plain = PromptReader.encode

    def encode(self, prompts, truncation, limit):
        calls.append(len(prompts))
        return plain(self, prompts, truncation, limit)

    monkeypatch.setattr(PromptReader, "encode", encode)
    return calls


def _job(rows: list[Row]) -> Job:
    return Job(decoding=Decoding(max_new_tokens=4), truncation=Truncation("left", 12), seed=0, rows=rows)


def _texts(engine: HFEngine, requests: list[Request], job: Job) -> dict[str, str]:
    return {one.id: one.prediction for portion in engine.generate(requests, job) for one in portion.generations}


@pytest.mark.parametrize("kind", ["llama", "t5"])
def test_texts_are_the_same_and_prompts_are_read_once(kind, engines, make_rows, counted):
    engine, first, second = engines[kind], make_rows(9, seed=1), make_rows(5, seed=2)
    assert isinstance(engine, ReadsAhead)
    expected = [_texts(engine, [Request(row, 0) for row in rows], _job(rows)) for rows in (first, second)]
    counted.clear()
    asked = [[Request(row, 0) for row in rows] for rows in (first, second)]
    engine.read_ahead(asked[0], _job(first))
    engine.read_ahead(asked[0], _job(first))
    engine.read_ahead(asked[1], _job(second))
    assert [_texts(engine, requests, _job(rows)) for requests, rows in zip(asked, (first, second), strict=True)] == (
        expected
    )
    assert sorted(counted) == [5, 9]


def test_what_was_read_for_another_cut_is_not_taken(engines, make_rows):
    engine, rows = engines["gpt2"], make_rows(4, longest=40)
    requests = [Request(row, 0) for row in rows]
    engine.read_ahead(requests, _job(rows))
    shorter = replace(_job(rows), truncation=Truncation("right", 5))
    assert {item.n_tokens for item in engine.encode(rows, shorter)} <= {1, 2, 3, 4, 5}
    assert [item.prompt for item in engine.encode(rows, _job(rows))] == engine.reader.encode(
        [row.prompt for row in rows], Truncation("left", 12), 12
    )


def test_only_the_missing_rows_are_read(engines, make_rows, counted):
    engine, rows = engines["gpt2"], make_rows(8)
    requests = [Request(row, 0) for row in rows[5:]]
    engine.read_ahead(requests, _job(rows))
    assert set(_texts(engine, requests, _job(rows))) == {row.id for row in rows[5:]}
    assert counted == [3]


def test_a_prompt_that_cannot_be_read_is_told_when_it_is_asked_for(checkpoints, make_rows):
    engine = open_engine(str(checkpoints["llama"]), CPU)
    assert isinstance(engine, HFEngine)
    rows = [Row(id="double", prompt="<s> the river")]
    engine.read_ahead([Request(rows[0], 0)], _job(rows))
    with pytest.raises(CheckpointError, match="two begin-of-sequence tokens"):
        engine.encode(rows, _job(rows))


def test_very_many_prompts_are_read_when_they_are_asked_for(engines, counted, monkeypatch):
    monkeypatch.setattr(ahead, "MOST_PROMPTS", 3)
    prompts = PromptsAhead(engines["gpt2"].reader)
    prompts.start(["a", "b", "c", "d"], Truncation("right", 8), 8)
    assert counted == []
    assert [prompt.text for prompt in prompts.take(["a", "b", "c", "d"], Truncation("right", 8), 8)] == list("abcd")


def test_prompts_in_several_portions_keep_their_order(engines, make_rows, monkeypatch):
    reader, prompts = engines["gpt2"].reader, [row.prompt for row in make_rows(23)]
    whole = reader.encode(prompts, Truncation("right", 9), 9)
    monkeypatch.setattr("grue.engine.tokenization.PORTION", 7)
    assert reader.encode(prompts, Truncation("right", 9), 9) == whole
    assert len(whole) == 23
