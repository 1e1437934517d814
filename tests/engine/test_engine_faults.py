"""A model that never ends, writes no numbers or loses its device: rows fail one by one, and what is done stays."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch

from grue.core.decoding import Decoding
from grue.core.task import Truncation
from grue.engine.hf import HFEngine
from grue.engine.protocol import Job, Request
from tests.engine.families import FOUR, POSITIONS, opened_once, prompts
from tests.engine.reference import Alone, failures, fitting, rows_of, run, written
from tests.long_marks import long_except

NEW = 12
NO_NUMBERS = "the model wrote logits that are no numbers"
WAYS = {
    "greedy": Decoding(max_new_tokens=NEW),
    "sampled": Decoding(max_new_tokens=NEW, do_sample=True, temperature=1.2),
    "beams": Decoding(max_new_tokens=8, num_beams=3),
    "weighed": Decoding(max_new_tokens=NEW, min_new_tokens=2, repetition_penalty=1.3, no_repeat_ngram_size=2),
}
LOST = "CUDA error: unspecified launch failure"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], HFEngine]:
    return opened_once(tmp_path_factory.mktemp("families"))


def rows_for(engine: HFEngine, n: int, seed: int = 3):
    return rows_of(fitting(Alone(engine), prompts(n, seed=seed, longest=20), POSITIONS - NEW))


@contextmanager
def no_numbers_after(model: torch.nn.Module, token: int) -> Iterator[None]:
    """Wherever a token is read, its embedding and so all that follows from it is no number."""

    def spoil(module, args, out):
        return torch.where((args[0] == token)[..., None], math.nan, out)

    words = [
        module for module in model.modules() if isinstance(module, torch.nn.Embedding) and module.num_embeddings > 300
    ]
    handles = [module.register_forward_hook(spoil) for module in words]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("family", long_except(FOUR, ("gpt2", "t5")))
def test_rows_whose_logits_are_no_numbers_fail_alone(engine, family, way):
    """A prompt holds a token whose embedding is not a number; its neighbours in the batch know nothing of it."""
    one, decoding = engine(family), WAYS[way]
    alone = Alone(one)
    rows = rows_for(one, 40)
    expected = written(run(one, rows, decoding))
    counts: dict[int, int] = {}
    for row in rows:
        for token in set(alone.ids(row.prompt)):
            counts[token] = counts.get(token, 0) + 1
    # A token that few prompts hold.
    for token in sorted(counts, key=lambda token: (counts[token], token)):
        spoiled = {row.id for row in rows if token in alone.ids(row.prompt)}
        if len(spoiled) <= 4 and token > 2:
            break
    with no_numbers_after(one.model, token):
        portions = run(one, rows, decoding, batch_rows=8)
    failed = {failure.id: failure.reason for failure in failures(portions)}
    assert spoiled <= set(failed)
    assert set(failed.values()) == {NO_NUMBERS}
    made = written(portions)
    # A row that writes the token itself reads it afterwards, and fails too; no other does.
    assert len(made) > 20
    assert made == {key: expected[key] for key in made}
    for row in rows:
        if row.id in failed and row.id not in spoiled:
            assert one.reader.decode([token]).strip() in expected[row.id, 0][0] or decoding.num_beams > 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("family", long_except(FOUR, ("gpt2", "t5")))
def test_a_model_that_writes_no_numbers_at_all_fails_every_row(engine, family, way):
    one = engine(family)
    rows = rows_for(one, 7)
    handle = one.model.lm_head.register_forward_hook(lambda module, args, out: out * math.nan)
    try:
        portions = run(one, rows, WAYS[way])
    finally:
        handle.remove()
    assert not written(portions)
    assert {failure.reason for failure in failures(portions)} == {NO_NUMBERS}
    assert len(failures(portions)) == 7
    assert len(written(run(one, rows, WAYS[way]))) == 7


def test_forbidden_tokens_of_the_model_itself_are_no_fault(engine):
    """A model may write minus infinity for tokens that it never writes."""
    one = engine("gpt2")
    rows = rows_for(one, 6)

    def never(module, args, out):
        out[..., 100:] = -math.inf
        return out

    handle = one.model.lm_head.register_forward_hook(never)
    try:
        for way in WAYS:
            portions = run(one, rows, WAYS[way])
            assert not failures(portions)
            assert len(written(portions)) == 6
    finally:
        handle.remove()


@pytest.mark.parametrize("family", long_except(FOUR, ("gpt2", "t5")))
@pytest.mark.parametrize("beams", [1, 3])
def test_a_model_that_never_ends_is_ended_at_the_length(engine, family, beams, monkeypatch):
    one = engine(family)
    monkeypatch.setattr(one, "tokens", replace(one.tokens, ends=()))
    portions = run(one, rows_for(one, 12), Decoding(max_new_tokens=NEW, num_beams=beams), batch_rows=5)
    assert {(tokens, reason) for _, tokens, reason in written(portions).values()} == {(NEW, "length")}
    assert len(written(portions)) == 12


@pytest.mark.parametrize("family", ["gpt2", "t5"])
def test_a_lost_device_ends_the_task_and_keeps_what_was_handed_out(engine, family):
    one = engine(family)
    rows = rows_for(one, 30)
    decoding = Decoding(max_new_tokens=NEW)
    expected = written(run(one, rows, decoding))
    job = Job(decoding=decoding, truncation=Truncation("right", 512), seed=0, rows=rows, batch_rows=3)
    calls = iter(range(10**9))

    def lost(*_):
        if next(calls) >= 45:
            raise RuntimeError(LOST)

    portions = []
    handle = one.model.register_forward_pre_hook(lost)
    try:
        generating = one.generate([Request(row, 0) for row in rows], job)
        with pytest.raises(RuntimeError, match="unspecified launch failure"):
            portions.extend(generating)
    finally:
        handle.remove()
    assert 0 < len(written(portions)) < 30
    assert written(portions).items() <= expected.items()


@pytest.mark.parametrize("way", WAYS)
def test_a_caller_that_stops_taking_ends_the_decoding(engine, way):
    import threading

    one = engine("gpt2")
    rows = rows_for(one, 30)
    job = Job(decoding=WAYS[way], truncation=Truncation("right", 512), seed=0, rows=rows, batch_rows=2)
    taken = one.generate([Request(row, 0) for row in rows], job)
    next(taken)
    taken.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "grue-decoding"]
    assert len(written(run(one, rows[:3], WAYS[way]))) == 3
