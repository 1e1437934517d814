"""Perplexity agrees with a plain transformers computation, one text at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from grue.checkpoints.hashing import weights_sha256
from grue.checkpoints.weights import find_weights
from grue.core.errors import MetricUnavailableError
from grue.core.judging import Judging
from grue.core.task import MetricSpec
from grue.metrics.api import metric
from grue.metrics.build import build

Tiny = Callable[[str], Path]


def losses(folder: Path, ids: list[int]) -> list[float]:
    """Negative log-likelihood of every token but the first."""
    model = AutoModelForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        chances = model(torch.tensor([ids])).logits[0].double().log_softmax(-1)
    return [-float(chances[place, token]) for place, token in enumerate(ids[1:])]


def test_a_text_has_the_perplexity_of_hugging_face_evaluate(tiny: Tiny, texts: list[str]) -> None:
    folder = tiny("gpt2")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    short = [text for text in texts if len(tokenizer(text)["input_ids"]) < 64]
    # evaluate's metric "perplexity", add_start_token=True: the begin token, then the text without other specials.
    per_text = [losses(folder, [tokenizer.bos_token_id, *tokenizer(text)["input_ids"]]) for text in short]
    score = metric("perplexity", model=str(folder)).compute(short)
    np.testing.assert_allclose(score.row_values, [math.exp(np.mean(own)) for own in per_text], rtol=1e-5)
    total, count = sum(map(sum, per_text)), sum(map(len, per_text))
    assert score.value == pytest.approx(math.exp(total / count), rel=1e-6)


def test_the_prompt_is_read_and_not_scored(tiny: Tiny) -> None:
    folder = tiny("gpt2")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    prompt, prediction = tokenizer("the old film")["input_ids"], tokenizer(" was good")["input_ids"]
    own = losses(folder, [tokenizer.bos_token_id, *prompt, *prediction])[-len(prediction) :]
    inputs = [{"prompt": "the old film"}, {}]
    score = metric("perplexity", model=str(folder), prompt=True).compute([" was good", "x"], None, inputs)
    assert score.row_values[0] == pytest.approx(math.exp(np.mean(own)), rel=1e-5)
    assert np.isnan(score.row_values[1])


def test_a_long_prompt_loses_its_beginning(tiny: Tiny) -> None:
    folder = tiny("gpt2")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    long = "the old film was dull " * 40
    prediction = tokenizer(" was good")["input_ids"]
    kept = tokenizer(long)["input_ids"][-(63 - len(prediction)) :]
    own = losses(folder, [tokenizer.bos_token_id, *kept, *prediction])[-len(prediction) :]
    score = metric("perplexity", model=str(folder), prompt=True).compute([" was good"], None, [{"prompt": long}])
    assert score.value == pytest.approx(math.exp(np.mean(own)), rel=1e-5)


def test_a_text_beyond_the_context_is_scored_by_its_beginning(tiny: Tiny) -> None:
    folder = tiny("gpt2")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    long = "the old grey bridge " * 50
    own = losses(folder, [tokenizer.bos_token_id, *tokenizer(long)["input_ids"][:63]])
    score = metric("perplexity", model=str(folder)).compute([long])
    assert score.value == pytest.approx(math.exp(np.mean(own)), rel=1e-5)
    assert "ctx:64" in str(score.signature)


def test_empty_outputs_are_left_out(tiny: Tiny) -> None:
    made = metric("perplexity", model=str(tiny("gpt2")))
    both, one = made.compute(["", "a good film"]), made.compute(["a good film"])
    assert np.isnan(both.row_values[0])
    assert (both.value, both.n) == (one.value, 1)
    nothing = made.compute(["", ""])
    assert nothing.value is None
    assert "no output has a token" in str(nothing.reason)


def paper(folder: Path, references: list[str], context: int, stride: int) -> float:
    """RL4LMs' causal perplexity: each window's mean loss times its new tokens, over all tokens."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    ids = torch.tensor([tokenizer("\n\n".join(references))["input_ids"]])
    total = 0.0
    for start in range(0, ids.shape[1], stride):
        begin, end = max(start + stride - context, 0), min(start + stride, ids.shape[1])
        labels = ids[:, begin:end].clone()
        labels[:, : -(end - start)] = -100
        with torch.no_grad():
            total += float(model(ids[:, begin:end], labels=labels).loss) * (end - start)
    return math.exp(total / ids.shape[1])


@pytest.mark.parametrize("stride", [5, 16, 64])
def test_perplexity_of_references_is_the_papers(tiny: Tiny, texts: list[str], stride: int) -> None:
    folder = tiny("gpt2")
    references = [[text] for text in texts]
    wanted = paper(folder, texts, 64, stride)
    score = metric("perplexity_references", model=str(folder), stride=stride).compute([""] * len(texts), references)
    assert score.value == pytest.approx(wanted, rel=1e-5)


def test_the_evaluated_model_is_asked_where_none_is_named(tiny: Tiny, texts: list[str]) -> None:
    folder = tiny("gpt2")
    judging = Judging(device="cpu", offline=True, evaluated=folder)
    made = build(MetricSpec("perplexity_references", {"stride": 32}), {}, judging)
    assert made.signature() == "perplexity_references|model:evaluated|stride:32|ctx:64|impl:rl4lms|v:1"
    named = metric("perplexity_references", model=str(folder), stride=32)
    assert "evaluated" not in str(named.compute(texts, [[text] for text in texts]).signature)


def test_weights_that_did_not_write_the_outputs_are_not_asked(tiny: Tiny) -> None:
    folder = tiny("gpt2")
    own = find_weights(folder, allow_pickle=False)
    for digest, is_asked in ((weights_sha256(own), True), ("0" * 64, False)):
        judging = Judging(device="cpu", offline=True, evaluated=folder, evaluated_sha256=digest)
        if is_asked:
            build(MetricSpec("perplexity_references", {"stride": 32}), {}, judging)
        else:
            with pytest.raises(MetricUnavailableError, match="does not hold the weights"):
                build(MetricSpec("perplexity_references", {"stride": 32}), {}, judging)


def test_several_samples_of_a_row_count_its_references_once(tiny: Tiny) -> None:
    made = metric("perplexity_references", model=str(tiny("gpt2")), stride=32)
    rows = [("p1", ["a good film"]), ("p2", ["the dog runs", "a cat"])]
    twice = [row for row in rows for _ in range(2)]
    once = made.compute(["", ""], [r for _, r in rows], [{"prompt": p} for p, _ in rows])
    again = made.compute([""] * 4, [r for _, r in twice], [{"prompt": p} for p, _ in twice])
    assert once.value == again.value


@pytest.mark.parametrize(
    ("kind", "settings", "words"),
    [
        ("t5", {}, "not a causal language model"),
        ("gpt2", {"stride": 65}, "reads 64 tokens"),
        ("two", {}, "not a causal language model"),
    ],
)
def test_a_model_that_cannot_read_windows_is_named(tiny: Tiny, kind: str, settings: dict, words: str) -> None:
    score = metric("perplexity_references", model=str(tiny(kind)), **settings).compute([""], [["a"]])
    assert score.value is None
    assert words in str(score.reason)


def test_without_an_evaluated_checkpoint_there_is_no_value() -> None:
    assert "no checkpoint is evaluated" in str(metric("perplexity_references").compute([""], [["a"]]).reason)
