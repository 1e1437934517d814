"""Texts are those that the library writes for one prompt without padding, whatever is decoded beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grue.cli.main import run as command_line
from grue.core.decoding import Decoding
from grue.core.errors import CheckpointError
from grue.engine.open import EngineOptions, open_engine
from tests.engine.families import FOUR, OTHERS, POSITIONS, REFUSED, build, opened_once, prompts
from tests.engine.reference import Alone, Comparison, events, fitting, rows_of, run
from tests.long_marks import long_except

NEW = 16
ENDS = {"many": None, "one": (1,), "none": ()}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Alone]:
    """Family -> its engine, and the library beside it; opened once."""
    once = opened_once(tmp_path_factory.mktemp("families"))
    return cache(lambda family: Alone(once(family)))


def check(found: Comparison, *, ties: int = 1) -> None:
    assert not found.wrong, "\n".join(found.wrong[:5])
    assert len(found.ties) <= ties, "\n".join(found.ties)


@pytest.mark.parametrize("family", FOUR)
def test_greedy_texts_of_varied_prompts_are_those_of_each_alone(alone, family):
    one = alone(family)
    rows = rows_of(fitting(one, prompts(80, seed=1, longest=40), POSITIONS - NEW))
    decoding = Decoding(max_new_tokens=NEW)
    found = one.compare(rows, decoding, run(one.engine, rows, decoding))
    assert found.rows == 80
    assert len(found.texts) > 40
    assert len(found.lengths) > 4
    check(found)


POOLS = {family: prompts(40, seed=2, longest=30) for family in FOUR}


@pytest.mark.parametrize("family", long_except(FOUR, ("gpt2",)))
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    chosen=st.lists(st.integers(0, 39), min_size=1, max_size=24),
    new=st.sampled_from([1, 2, 7, NEW]),
    least=st.sampled_from([0, 0, 3]),
    ends=st.sampled_from(list(ENDS)),
    stop=st.sampled_from([(), (), ("a",), ("e ", "th", "\ufffd")]),
    samples=st.sampled_from([1, 1, 3]),
    batch_rows=st.sampled_from([None, 1, 2, 3, 7, 64]),
    batch_tokens=st.sampled_from([None, 1, 80, 300, 2000]),
    deterministic=st.booleans(),
)
def test_no_length_budget_order_or_duplicate_changes_a_text(
    alone, family, chosen, new, least, ends, stop, samples, batch_rows, batch_tokens, deterministic
):
    one = alone(family)
    pool = fitting(one, POOLS[family], POSITIONS - NEW)
    rows = rows_of([pool[place] for place in chosen])
    decoding = Decoding(max_new_tokens=new, min_new_tokens=min(least, new), stop=stop)
    own = one.engine.tokens
    one.engine.tokens = own if ENDS[ends] is None else replace(own, ends=ENDS[ends])
    try:
        bounds = {"batch_rows": batch_rows, "batch_tokens": batch_tokens, "deterministic": deterministic}
        portions = run(one.engine, rows, decoding, samples=samples, **bounds)
        check(one.compare(rows, decoding, portions), ties=0)
    finally:
        one.engine.tokens = own


BEAMS = {
    "2": Decoding(max_new_tokens=10, num_beams=2),
    "3-short-min": Decoding(max_new_tokens=12, num_beams=3, length_penalty=0.6, min_new_tokens=4),
    "4-early": Decoding(max_new_tokens=10, num_beams=4, early_stopping=True, length_penalty=2.0),
    "5-ngram": Decoding(max_new_tokens=10, num_beams=5, no_repeat_ngram_size=2),
    "3-repetition": Decoding(
        max_new_tokens=8, num_beams=3, repetition_penalty=1.4, early_stopping=True, length_penalty=-0.5
    ),
}


@pytest.mark.parametrize("settings", BEAMS)
@pytest.mark.parametrize("family", long_except(FOUR, ("gpt2",)))
def test_beams_of_many_prompts_are_those_of_each_alone(alone, family, settings):
    one = alone(family)
    rows = rows_of(fitting(one, prompts(14, seed=5, longest=30), POSITIONS - NEW))
    portions = run(one.engine, rows, BEAMS[settings], batch_rows=4)
    check(one.compare(rows, BEAMS[settings], portions))


@pytest.mark.parametrize("family", long_except(OTHERS, ("gemma3", "mamba", "marian")))
def test_other_families_write_what_they_write_for_one_prompt_alone(alone, family):
    one = alone(family)
    texts = fitting(one, prompts(30, seed=7, longest=24), POSITIONS - 12)
    for decoding in (Decoding(max_new_tokens=12), Decoding(max_new_tokens=6, num_beams=3, length_penalty=0.7)):
        rows = rows_of(texts[: 30 if decoding.num_beams == 1 else 6])
        found = one.compare(rows, decoding, run(one.engine, rows, decoding, batch_rows=9))
        check(found)


def test_a_common_beginning_that_is_read_once_changes_no_text(alone):
    for family in ("gpt2", "llama"):
        one = alone(family)
        beginning = "the old grey cat jumps over a quiet stone bridge and runs to the market in the morning light of "
        rows = rows_of(fitting(one, [beginning + text for text in prompts(20, seed=4, longest=8)], POSITIONS - NEW))
        decoding = Decoding(max_new_tokens=NEW)
        check(one.compare(rows, decoding, run(one.engine, rows, decoding, batch_rows=6)))


@pytest.mark.long
@pytest.mark.parametrize("family", FOUR)
@pytest.mark.parametrize("what", ["position", "mask", "cache"])
def test_texts_of_the_tiny_models_tell_a_wrong_position_mask_or_cache(alone, family, what):
    """Else equal texts would prove little: the library's own step with one thing wrong writes something else."""
    one = alone(family)
    told = n = 0
    for prompt in fitting(one, prompts(40, seed=9, longest=20), POSITIONS - NEW):
        expected = one.text(prompt, Decoding(max_new_tokens=NEW))
        if len(expected.ids) < 6 or len(one.ids(prompt)) < 4:
            continue
        right, wrong = (_written(one, prompt, fault) for fault in (None, what))
        assert tuple(right) == expected.ids
        told += wrong != right
        n += 1
    assert n > 8
    assert told / n > 0.7, f"{told} of {n}"


def _written(one: Alone, prompt: str, fault: str | None) -> list[int]:
    from transformers.modeling_outputs import BaseModelOutput

    model, tokens = one.model, one.engine.tokens
    ids = torch.tensor([one.ids(prompt)])
    middle, encoder = ids.shape[1] // 2, one.engine.checkpoint.is_encoder_decoder
    mask = torch.ones_like(ids)
    given, cache, out = ids, None, []
    with torch.inference_mode():
        if encoder:
            shifted = torch.cat([ids[:, :1], ids], dim=1) if fault == "position" else ids
            states = model.get_encoder()(input_ids=shifted).last_hidden_state[:, shifted.shape[1] - ids.shape[1] :]
            mask[:, middle] = 0 if fault == "mask" else 1
            given = torch.tensor([[tokens.decoder_start]])
        for step in range(NEW):
            if encoder:
                extra = {"encoder_outputs": BaseModelOutput(last_hidden_state=states), "decoder_input_ids": given}
            else:
                first = ids.shape[1] + step - 1 if step else 0
                late = int(fault == "position" and step > 0)
                extra = {"input_ids": given, "position_ids": torch.arange(first, first + given.shape[1])[None] + late}
                if step:
                    mask = torch.cat([mask, mask[:, :1]], dim=1)
                    mask[:, middle] = 0 if fault == "mask" else 1
            answer = model(attention_mask=mask, past_key_values=cache, use_cache=True, **extra)
            cache = answer.past_key_values
            token = int(answer.logits[0, -1].argmax())
            token = tokens.forced_first if step == 0 and tokens.forced_first is not None else token
            out.append(token)
            if token in tokens.ends:
                break
            if fault == "cache" and step == 2:
                for layer in (cache.self_attention_cache if encoder else cache).layers:
                    layer.keys[:, :, 1], layer.values[:, :, 1] = layer.keys[:, :, 0], layer.values[:, :, 0]
            given = torch.tensor([[token]])
    return out


def test_the_four_families_are_decoded_in_slots(alone):
    for family in FOUR:
        one = alone(family)
        portions = run(one.engine, rows_of(["the cat", "a dog"]), Decoding(max_new_tokens=2))
        assert "static_batches" not in [event["kind"] for event in events(portions)]


@pytest.mark.parametrize("family", REFUSED)
def test_a_model_that_keeps_nothing_to_go_on_from_is_refused_before_its_weights_are_loaded(family, tmp_path):
    folder = build(family, tmp_path / family)
    with pytest.raises(CheckpointError, match="which --engine hf needs") as caught:
        open_engine(str(folder), EngineOptions(device="cpu"))
    assert caught.value.place == str(folder)
    assert "Mamba" in caught.value.fix
    call = [
        "eval",
        "-m",
        str(folder),
        "-t",
        "imdb",
        "--data",
        "mini",
        "-L",
        "2",
        "--quiet",
        "-o",
        str(tmp_path / "run"),
    ]
    assert command_line(call) == 2
    assert not (tmp_path / "run").exists()


def test_states_that_run_over_padding_are_kept_from_it(alone):
    """With biases before its convolution a Mamba's padding is no zero: only prompts of one length go together."""
    rows = rows_of(["the cat", "a", "the old grey cat jumps over"] * 2)
    together = {}
    for family in ("mamba", "mamba-bias"):
        portions = run(alone(family).engine, rows, Decoding(max_new_tokens=2), batch_rows=6)
        together[family] = max(work.rows for portion in portions for work in portion.work)
    assert together == {"mamba": 6, "mamba-bias": 2}
