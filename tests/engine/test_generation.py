"""Texts are those of one prompt alone through the library's own generate, whatever the batch."""

from __future__ import annotations

import random

import pytest
import torch
from transformers import GenerationConfig

from grue.core.decoding import Decoding
from grue.core.rows import Row
from grue.core.task import Truncation
from grue.engine.hf import HFEngine
from grue.engine.memory import is_out_of_memory
from grue.engine.protocol import Job, Request
from tests.long_marks import long_except

KINDS = ("gpt2", "llama", "t5", "bart")
END_IDS = [1, *range(60, 78)]


def alone(engine: HFEngine, prompt: str, decoding: Decoding) -> list[int]:
    """New tokens of one unpadded prompt by the library, up to the first end token."""
    ids = torch.tensor([engine.reader.tokenizer(prompt)["input_ids"]])
    encoder = engine.checkpoint.is_encoder_decoder
    config = GenerationConfig(
        max_new_tokens=decoding.max_new_tokens,
        min_new_tokens=decoding.min_new_tokens or None,
        num_beams=decoding.num_beams,
        length_penalty=decoding.length_penalty,
        early_stopping=decoding.early_stopping,
        repetition_penalty=decoding.repetition_penalty,
        no_repeat_ngram_size=decoding.no_repeat_ngram_size or None,
        do_sample=False,
        eos_token_id=END_IDS,
        pad_token_id=0,
        decoder_start_token_id=getattr(engine.checkpoint.config, "decoder_start_token_id", None),
        forced_bos_token_id=2 if engine.checkpoint.architecture.startswith("Bart") else None,
    )
    own = engine.model.generation_config
    engine.model.generation_config = GenerationConfig(pad_token_id=0)
    try:
        out = engine.model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)[0].tolist()
    finally:
        engine.model.generation_config = own
    new = out[1 if encoder else ids.shape[1] :]
    ends = [place for place, token in enumerate(new) if token in END_IDS]
    return new[: ends[0] + 1] if ends else new


def check_equal_to_alone(engine, rows, decoding, generate, **batch) -> tuple[int, int]:
    """Compare, and count the different lengths and texts that were compared."""
    made = generate(engine, rows, decoding, **batch)
    lengths, texts = set(), set()
    for row in rows:
        expected = alone(engine, row.prompt, decoding)
        generation = made[row.id, 0]
        assert generation.generated_tokens == len(expected)
        text = engine.reader.tokenizer.decode(expected, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        assert generation.prediction == text
        assert generation.finish_reason == ("stop" if expected[-1] in END_IDS else "length")
        lengths.add(len(expected))
        texts.add(text)
    return len(lengths), len(texts)


@pytest.mark.parametrize("kind", KINDS)
def test_greedy_texts_in_batches_are_those_of_one_prompt_alone(kind, engines, make_rows, generate):
    rows = make_rows(24, seed=1)
    lengths, texts = check_equal_to_alone(engines[kind], rows, Decoding(max_new_tokens=24), generate, batch_rows=8)
    assert texts > 12
    assert lengths > (0 if kind == "bart" else 4)


@pytest.mark.parametrize("kind", long_except(KINDS, ("t5",)))
@pytest.mark.parametrize(
    "settings",
    [
        {"min_new_tokens": 6},
        {"repetition_penalty": 1.7},
        {"no_repeat_ngram_size": 2},
        {"min_new_tokens": 3, "repetition_penalty": 1.3, "no_repeat_ngram_size": 3},
    ],
    ids=["min", "penalty", "ngram", "all"],
)
def test_greedy_settings_in_batches_do_what_they_do_for_one_prompt_alone(kind, settings, engines, make_rows, generate):
    decoding = Decoding(max_new_tokens=14, **settings)
    check_equal_to_alone(engines[kind], make_rows(7, seed=2), decoding, generate, batch_rows=7)


@pytest.mark.parametrize("kind", long_except(KINDS, ("t5",)))
@pytest.mark.parametrize(
    "settings",
    [
        {"num_beams": 4},
        {"num_beams": 3, "length_penalty": 0.6, "min_new_tokens": 5},
        {"num_beams": 2, "early_stopping": True, "repetition_penalty": 1.5, "no_repeat_ngram_size": 2},
    ],
    ids=["plain", "penalty-min", "early-repetition"],
)
def test_beam_texts_in_batches_are_those_of_one_prompt_alone(kind, settings, engines, make_rows, generate):
    check_equal_to_alone(
        engines[kind], make_rows(6, seed=3), Decoding(max_new_tokens=12, **settings), generate, batch_rows=6
    )


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_greedy_texts_do_not_depend_on_batch_size_order_or_length(kind, engines, make_rows, generate):
    for seed in range(12):
        rng = random.Random(seed)
        rows = make_rows(rng.randint(1, 60), seed=seed + 100, longest=rng.choice([2, 12, 45]))
        rng.shuffle(rows)
        decoding = Decoding(max_new_tokens=rng.choice([1, 5, 30]), min_new_tokens=rng.choice([0, 1]))
        batch = {"batch_rows": rng.choice([1, 2, 5, 64]), "batch_tokens": rng.choice([None, 90, 700])}
        check_equal_to_alone(engines[kind], rows, decoding, generate, **batch)


@pytest.mark.parametrize("kind", long_except(KINDS, ("gpt2", "bart")))
def test_a_row_draws_the_same_sample_whatever_the_batch_and_order(kind, engines, make_rows, generate):
    rows = make_rows(12, seed=4)
    decoding = Decoding(max_new_tokens=16, do_sample=True, temperature=1.5, top_k=40, top_p=0.95)
    first = generate(engines[kind], rows, decoding, samples=2, batch_rows=24)
    again = generate(engines[kind], rows[::-1][:5], decoding, samples=2, batch_rows=3)
    assert {key: value.prediction for key, value in again.items()} == {key: first[key].prediction for key in again}
    assert any(first[row.id, 0].prediction != first[row.id, 1].prediction for row in rows)
    other = generate(engines[kind], rows, decoding, samples=2, seed=1)
    assert any(other[key].prediction != first[key].prediction for key in first)


def test_draws_follow_the_models_own_probabilities(engines, generate):
    scipy_stats = pytest.importorskip("scipy.stats")
    engine = engines["gpt2"]
    prompt = "the old grey cat"
    with torch.inference_mode():
        logits = engine.model(torch.tensor([engine.reader.tokenizer(prompt)["input_ids"]])).logits[0, -1]
    top = torch.topk(logits / 4.0, 12)
    expected = torch.softmax(top.values.double(), 0).numpy()
    n = 4000
    decoding = Decoding(max_new_tokens=1, do_sample=True, temperature=4.0, top_k=12)
    rows = [Row(id=f"x{i}", prompt=prompt) for i in range(n)]
    made = generate(engine, rows, decoding, seed=3, batch_rows=500)
    texts = [engine.reader.decode([token]) for token in top.indices.tolist()]
    counts = dict.fromkeys(texts, 0)
    assert len(counts) > 8
    for generation in made.values():
        counts[generation.prediction] += 1
    assert (
        scipy_stats.chisquare(
            list(counts.values()), [n * expected[[text == seen for text in texts]].sum() for seen in counts]
        ).pvalue
        > 1e-4
    )


def test_top_k_one_is_greedy(engines, make_rows, generate):
    rows = make_rows(5, seed=5)
    greedy = generate(engines["gpt2"], rows, Decoding(max_new_tokens=10))
    sampled = generate(engines["gpt2"], rows, Decoding(max_new_tokens=10, do_sample=True, top_k=1))
    assert [greedy[key].prediction for key in greedy] == [sampled[key].prediction for key in greedy]


def test_greedy_samples_of_a_row_are_equal(engines, make_rows, generate):
    rows = make_rows(3, seed=5)
    made = generate(engines["t5"], rows, Decoding(max_new_tokens=10), samples=3)
    assert all(made[row.id, 0].prediction == made[row.id, 2].prediction for row in rows)


@pytest.mark.parametrize("kind", ["gpt2", "t5"])
@pytest.mark.parametrize("beams", [1, 2])
def test_text_ends_before_the_first_stop_string(kind, beams, engines, make_rows, generate):
    rows = make_rows(8, seed=6)
    whole = generate(engines[kind], rows, Decoding(max_new_tokens=20, num_beams=beams))
    texts = [generation.prediction for generation in whole.values() if len(generation.prediction) > 6]
    mark = texts[0][3:5]
    cut = generate(engines[kind], rows, Decoding(max_new_tokens=20, num_beams=beams, stop=(mark,)))
    for key, generation in whole.items():
        assert cut[key].prediction == generation.prediction.split(mark)[0]
        if mark in generation.prediction:
            assert cut[key].finish_reason == "stop"


class Short:
    """A model whose memory is short at random: it raises what the library raises, and else is the model itself."""

    def __init__(self, model, seed: int, *, always_for: int | None = None, message: str = "CUDA out of memory. Tried"):
        self.__dict__.update(model=model, rng=random.Random(seed), raised=0, always_for=always_for, message=message)

    def __getattr__(self, name):
        return getattr(self.model, name)

    def __call__(self, *args, **kwargs):
        ids = kwargs.get("decoder_input_ids", kwargs.get("input_ids"))
        too_many = ids.shape[1] > 3 and self.rng.random() < 0.1
        if too_many or (self.always_for is not None and ids.shape[1] >= self.always_for):
            self.__dict__["raised"] += 1
            raise RuntimeError(self.message)
        return self.model(*args, **kwargs)

    def get_encoder(self):
        return self.model.get_encoder()

    @property
    def forward(self):
        return self.model.forward

    def get_base_model(self):
        return self.model


@pytest.mark.parametrize("kind", ["gpt2", "t5"])
@pytest.mark.parametrize("sampled", [False, True], ids=["greedy", "sampled"])
def test_short_memory_splits_batches_and_changes_no_text(kind, sampled, engines, make_rows, generate, monkeypatch):
    rows = make_rows(20, seed=7)
    decoding = Decoding(max_new_tokens=12, do_sample=sampled)
    expected = generate(engines[kind], rows, decoding)
    short = Short(engines[kind].model, seed=1)
    monkeypatch.setattr(engines[kind], "model", short)
    made = generate(engines[kind], rows, decoding)
    assert short.raised > 0
    assert {key: value.prediction for key, value in made.items()} == {
        key: value.prediction for key, value in expected.items()
    }


def test_rows_that_never_fit_fail_alone_and_all_others_are_done(engines, make_rows, monkeypatch):
    engine = engines["gpt2"]
    rows = make_rows(10, seed=8, longest=20)
    monkeypatch.setattr(engine, "model", Short(engine.model, seed=2, always_for=30))
    job = Job(decoding=Decoding(max_new_tokens=4), truncation=Truncation("right", 64), seed=0, rows=rows)
    too_long = {row.id for row in rows if len(engine.reader.tokenizer(row.prompt)["input_ids"]) >= 30}
    assert 0 < len(too_long) < 10
    portions = list(engine.generate([Request(row, 0) for row in rows], job))
    done = [generation.id for portion in portions for generation in portion.generations]
    failed = {failure.id: failure.reason for portion in portions for failure in portion.failures}
    assert sorted(done) == sorted({row.id for row in rows} - too_long)
    assert failed.keys() == too_long
    assert all("memory" in reason for reason in failed.values())


def test_another_fault_is_not_taken_for_short_memory(engines, make_rows, generate, monkeypatch):
    monkeypatch.setattr(
        engines["gpt2"], "model", Short(engines["gpt2"].model, 3, always_for=1, message="shapes differ")
    )
    with pytest.raises(RuntimeError, match="shapes differ"):
        generate(engines["gpt2"], make_rows(2), Decoding(max_new_tokens=3))


@pytest.mark.parametrize(
    ("error", "short"),
    [
        (torch.cuda.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 1 bytes"), True),
        (MemoryError(), True),
        (RuntimeError("expected scalar type Float"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_only_true_out_of_memory_counts(error, short):
    assert is_out_of_memory(error) is short


def test_generations_say_what_they_cost(engines, make_rows, generate):
    made = generate(engines["t5"], make_rows(5, seed=9), Decoding(max_new_tokens=6))
    for generation in made.values():
        assert generation.latency_seconds is not None
        assert generation.latency_seconds > 0
        assert generation.raw is None
        assert 1 <= generation.generated_tokens <= 6
