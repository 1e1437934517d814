"""Short memory at any step makes batches smaller for a while, and changes no text."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from grue.core.decoding import Decoding
from grue.engine.hf import HFEngine
from grue.engine.memory import is_out_of_memory
from tests.engine.families import FOUR, POSITIONS, opened_once, prompts
from tests.engine.reference import Alone, events, failures, fitting, rows_of, run, written
from tests.engine.short_memory import hooked, short, short_allocations, short_layers
from tests.long_marks import long_except

NEW = 12
WAYS = {
    "greedy": (Decoding(max_new_tokens=NEW), 1),
    "sampled": (Decoding(max_new_tokens=NEW, do_sample=True, temperature=1.3, top_k=50), 2),
    "beams": (Decoding(max_new_tokens=8, num_beams=3, length_penalty=0.8), 1),
    "weighed": (Decoding(max_new_tokens=NEW, min_new_tokens=3, repetition_penalty=1.3, no_repeat_ngram_size=2), 1),
}


# A smaller seed is no simpler example.
RANDOM = settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], HFEngine]:
    return opened_once(tmp_path_factory.mktemp("families"))


def rows_for(engine: HFEngine, n: int, seed: int = 3):
    return rows_of(fitting(Alone(engine), prompts(n, seed=seed, longest=24), POSITIONS - NEW))


_undisturbed: dict[tuple[str, str], dict] = {}


def undisturbed(family: str, way: str, engine: HFEngine, rows) -> dict:
    decoding, samples = WAYS[way]
    if (family, way) not in _undisturbed:
        _undisturbed[family, way] = written(run(engine, rows, decoding, samples=samples))
    return _undisturbed[family, way]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("family", long_except(FOUR, ("t5",)))
@RANDOM
@given(
    seed=st.integers(0, 10**6), share=st.sampled_from([0.02, 0.2, 0.6]), batch_rows=st.sampled_from([None, 1, 4, 30])
)
def test_layers_short_of_memory_at_random_steps_change_no_text(engine, family, way, seed, share, batch_rows):
    """A layer raises after others have written keys and values of the same step."""
    one, (decoding, samples) = engine(family), WAYS[way]
    rows = rows_for(one, 14)
    expected = undisturbed(family, way, one, rows)
    with short_layers(one.model, seed, share, most=25) as count:
        portions = run(one, rows, decoding, samples=samples, batch_rows=batch_rows)
    # One row alone may be short of memory twice in a row, and then it has failed.
    lost = {(failure.id, failure.sample) for failure in failures(portions)}
    assert written(portions) == {key: value for key, value in expected.items() if key not in lost}
    assert all("memory" in failure.reason for failure in failures(portions))
    assert count.calls > 0
    told = [event for event in events(portions) if event["kind"] in ("memory_short", "static_batches")]
    assert bool(told) == bool(count.raised)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("family", long_except(FOUR, ("gpt2",)))
@RANDOM
@given(seed=st.integers(0, 10**6), share=st.sampled_from([0.0005, 0.003, 0.02]))
def test_any_allocation_may_fail_and_changes_no_text(engine, family, way, seed, share):
    """Logits copied, scores weighed, tokens drawn, caches grown: a step that half happened leaves nothing behind."""
    one, (decoding, samples) = engine(family), WAYS[way]
    rows = rows_for(one, 14)
    expected = undisturbed(family, way, one, rows)
    with short_allocations(one.model, seed, share) as count:
        portions = run(one, rows, decoding, samples=samples)
    lost = {(failure.id, failure.sample) for failure in failures(portions)}
    assert len(lost) <= count.raised // 2 * samples
    assert written(portions) == {key: value for key, value in expected.items() if key not in lost}


def tokens_read(kwargs) -> int:
    return next(
        int(kwargs[name].numel()) for name in ("decoder_input_ids", "input_ids") if kwargs.get(name) is not None
    )


@pytest.mark.parametrize("way", ["greedy", "sampled", "beams"])
@pytest.mark.parametrize("family", long_except(FOUR, ("gpt2", "t5")))
def test_only_large_steps_are_too_much_and_all_rows_are_finished(engine, family, way):
    one, (decoding, samples) = engine(family), WAYS[way]
    rows = rows_for(one, 20)
    longest = max(len(Alone(one).ids(row.prompt)) for row in rows)
    # A prompt alone is always read; several together are not.
    bound = 6 if one.checkpoint.is_encoder_decoder else longest
    with hooked(one.model, lambda args, kwargs: tokens_read(kwargs) > bound) as count:
        portions = run(one, rows, decoding, samples=samples)
    assert count.raised
    assert not failures(portions)
    assert written(portions) == written(run(one, rows, decoding, samples=samples))
    told = [event for event in events(portions) if event["kind"] == "memory_short"]
    assert told
    assert all(event["rows"] >= 1 for event in told)


def test_the_trace_says_how_the_batch_shrank_and_grew_again(engine):
    one = engine("gpt2")
    rows = rows_for(one, 60, seed=8)
    decoding = Decoding(max_new_tokens=24)
    calls = iter(range(10**9))
    with hooked(one.model, lambda args, kwargs: next(calls) in (12, 14, 16)) as count:
        portions = run(one, rows, decoding, batch_rows=12)
    assert count.raised == 3
    assert not failures(portions)
    assert written(portions) == written(run(one, rows, decoding))
    trace = [event for event in events(portions) if event["kind"] in ("memory_short", "batch_grown")]
    shrunk = [event["rows"] for event in trace if event["kind"] == "memory_short"]
    grown = [(event["rows_before"], event["rows"]) for event in trace if event["kind"] == "batch_grown"]
    assert len(shrunk) == 3
    assert min(shrunk) < 12
    assert grown
    assert all(before < after <= 12 for before, after in grown)
    assert [event["kind"] for event in trace].index("batch_grown") > 0


@pytest.mark.parametrize("way", ["greedy", "sampled", "beams"])
@pytest.mark.parametrize("family", long_except(FOUR, ("gpt2", "t5")))
def test_rows_that_never_fit_fail_alone_with_a_reason(engine, family, way):
    one, (decoding, samples) = engine(family), WAYS[way]
    rows = rows_for(one, 20, seed=6)
    lengths = {row.id: len(Alone(one).ids(row.prompt)) for row in rows}
    bound = sorted(lengths.values())[-4]
    too_long = {row_id for row_id, length in lengths.items() if length >= bound}
    assert 4 <= len(too_long) < 20
    # The encoder reads the whole prompt; a decoder-only model itself does.
    reader = one.model.get_encoder() if one.checkpoint.is_encoder_decoder else one.model
    expected = written(run(one, rows, decoding, samples=samples))

    def is_short(args, kwargs) -> bool:
        ids = kwargs["input_ids"] if "input_ids" in kwargs else args[0]
        positions = kwargs.get("position_ids")
        width = ids.shape[1] if positions is None else int(positions.max()) + 1 if ids.shape[1] > 3 else 0
        return width >= bound

    with hooked(reader, is_short):
        portions = run(one, rows, decoding, samples=samples)
    failed = {(failure.id, failure.sample): failure.reason for failure in failures(portions)}
    assert {row_id for row_id, _ in failed} == too_long
    assert len(failed) == len(too_long) * samples
    assert all("did not fit into the memory" in reason for reason in failed.values())
    assert written(portions) == {key: value for key, value in expected.items() if key[0] not in too_long}


@pytest.mark.parametrize("family", ["gpt2", "t5"])
def test_a_device_with_no_memory_at_all_fails_every_row_and_ends(engine, family):
    one = engine(family)
    rows = rows_for(one, 9)
    with hooked(one.model, lambda args, kwargs: True):
        portions = run(one, rows, Decoding(max_new_tokens=NEW))
    assert not written(portions)
    assert len(failures(portions)) == 9
    assert all("memory" in failure.reason for failure in failures(portions))
    assert len(written(run(one, rows, Decoding(max_new_tokens=NEW)))) == 9  # and it is well afterwards


@pytest.mark.parametrize("family", ["gpt2", "bart"])
@pytest.mark.parametrize("beams", [1, 3])
def test_a_budget_smaller_than_any_prompt_still_decodes_each_alone(engine, family, beams):
    one = engine(family)
    rows = rows_for(one, 9)
    decoding = Decoding(max_new_tokens=NEW, num_beams=beams)
    portions = run(one, rows, decoding, batch_tokens=1)
    assert not failures(portions)
    assert written(portions) == written(run(one, rows, decoding))
    assert max(work.rows for portion in portions for work in portion.work) <= beams


def test_the_simulated_error_is_what_a_device_raises():
    assert is_out_of_memory(short())
    assert isinstance(short(), torch.cuda.OutOfMemoryError)
