"""Classifiers as judges give what transformers gives for one text at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from grue.core.errors import MetricUnavailableError
from grue.core.judging import Judging
from grue.metrics.api import metric
from grue.metrics.neural.classifier import ClassifierJudge

CPU = Judging(device="cpu", offline=True)
Tiny = Callable[[str], Path]


def plainly(folder: Path, texts: list[str], pairs: list[str] | None = None) -> np.ndarray:
    """Softmax of the library's model, one text at a time, cut on the left by hand."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    out = []
    for index, text in enumerate(texts):
        if pairs:
            batch = tokenizer(text, pairs[index], return_tensors="pt")
        else:
            whole = tokenizer(text)["input_ids"]
            extra = len(whole) - tokenizer.model_max_length
            ids = [whole[0], *whole[1 + max(0, extra) :]]
            batch = {"input_ids": torch.tensor([ids]), "attention_mask": torch.ones(1, len(ids), dtype=torch.long)}
        with torch.no_grad():
            out.append(model(**batch).logits.double().softmax(-1)[0].numpy())
    return np.array(out)


@pytest.mark.parametrize("kind", ["two", "distilbert", "roberta classifier", "four"])
def test_probabilities_are_those_of_transformers(tiny: Tiny, texts: list[str], kind: str) -> None:
    folder = tiny(kind)
    long = " ".join(texts)  # far more tokens than fit: the end is read
    wanted = plainly(folder, [*texts, long])
    seen = ClassifierJudge(folder, 0, CPU).label_probabilities([*texts, long])
    assert seen.shape == wanted.shape
    assert np.ptp(wanted[:, 0]) > 0.05, "the checkpoint does not look at the text"
    np.testing.assert_allclose(seen, wanted, atol=1e-6)


@pytest.mark.parametrize("batch_tokens", [1, 40, 100_000])
def test_batches_and_order_change_nothing(tiny: Tiny, texts: list[str], batch_tokens: int) -> None:
    folder = tiny("roberta classifier")
    wanted = ClassifierJudge(folder, 1, CPU).probabilities(texts)
    backwards = ClassifierJudge(folder, 1, CPU, batch_tokens=batch_tokens).probabilities(texts[::-1])[::-1]
    np.testing.assert_allclose(backwards, wanted, atol=1e-6)


def test_pairs_are_those_of_transformers(tiny: Tiny, texts: list[str]) -> None:
    folder = tiny("nli")
    first, second = texts[:20], [text[:40] for text in texts[20:40]]
    short = [(a, b) for a, b in zip(first, second, strict=True) if len(a.split()) + len(b.split()) < 20]
    wanted = plainly(folder, [a for a, _ in short], [b for _, b in short])
    seen = ClassifierJudge(folder, 2, CPU).pair_probabilities(short)
    np.testing.assert_allclose(seen, wanted, atol=1e-6)


def test_a_pair_that_is_too_long_loses_the_end_of_its_first_text(tiny: Tiny) -> None:
    folder = tiny("nli")
    judge = ClassifierJudge(folder, 2, CPU, max_tokens=20)
    seen = judge.pair_probabilities([("cat " * 300, "the dog"), ("cat " * 900, "the dog")])
    np.testing.assert_allclose(seen[0], seen[1], atol=1e-7)
    both = judge.pair_probabilities([("cat " * 300, "the dog " * 300)])
    assert np.isfinite(both).all()


def test_sentiment_reads_the_prediction_and_in_the_paper_the_prompt_before_it(tiny: Tiny) -> None:
    folder = str(tiny("two"))
    inputs = [{"prompt": "the film"}, {"prompt": "a dog"}]
    predictions = [" is good", "never runs"]
    plain = metric("sentiment", model=folder).compute(predictions, None, inputs)
    np.testing.assert_allclose(plain.row_values, plainly(Path(folder), predictions)[:, 1], atol=1e-6)
    assert plain.value == pytest.approx(np.mean(plain.row_values))
    paper = metric("sentiment", model=folder, paper=True).compute(predictions, None, inputs)
    joined = ["the film is good", "a dognever runs"]
    np.testing.assert_allclose(paper.row_values, plainly(Path(folder), joined)[:, 1], atol=1e-6)
    assert plain.signature != paper.signature


def test_a_label_is_an_index_or_a_name(tiny: Tiny) -> None:
    folder = str(tiny("two"))
    values = [
        metric("sentiment", model=folder, label=label).compute(["a good film"]).value
        for label in ("0", "NEGATIVE", "negative", "1", "POSITIVE")
    ]
    assert values[0] == values[1] == values[2]
    assert values[3] == values[4]
    assert values[0] + values[3] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("kind", "label", "words"),
    [
        ("two", "2", "no class 2"),
        ("two", "neutral", "no class named 'neutral'"),
        ("two", "-1", "no class named '-1'"),
        ("four", None, "4 classes"),
        ("bleurt", "0", "one output"),
        ("gpt2", "0", "not a sequence classifier"),
        ("bert", "0", "not a sequence classifier"),
    ],
)
def test_a_wrong_classifier_is_named(tiny: Tiny, kind: str, label: str | None, words: str) -> None:
    with pytest.raises(MetricUnavailableError, match=words):
        ClassifierJudge(tiny(kind), label, CPU)


def test_intent_accuracy_is_the_share_of_matching_acts(tiny: Tiny, texts: list[str]) -> None:
    folder = tiny("four")
    replies = texts[:12]
    last = [f" {text} " for text in texts[12:24]]
    acts = [1 + index % 4 for index in range(12)]
    prompts = [f" hm <EOU>{turn} <EOU>" for turn in last]
    inputs = [
        {"last_utterance": turn, "act": act, "prompt": prompt}
        for turn, act, prompt in zip(last, acts, prompts, strict=True)
    ]
    ours = metric("intent_accuracy", model=str(folder)).compute(replies, None, inputs)
    seen = plainly(folder, [turn + "<EOU>" + reply for turn, reply in zip(last, replies, strict=True)])
    assert list(ours.row_values) == [float(s.argmax() == act - 1) for s, act in zip(seen, acts, strict=True)]
    # The paper's input: the prompt's last piece, which ends in a space of its own, directly before the generation.
    paper = metric("intent_accuracy", model=str(folder), paper=True).compute(replies, None, inputs)
    seen = plainly(folder, [f"{turn} {reply}" for turn, reply in zip(last, replies, strict=True)])
    assert list(paper.row_values) == [float(s.argmax() == act - 1) for s, act in zip(seen, acts, strict=True)]


def test_rows_without_an_act_have_no_intent(tiny: Tiny) -> None:
    inputs = [
        {"last_utterance": "how ?", "act": 1},
        {"last_utterance": "how ?"},
        {"last_utterance": "how ?", "act": 0},
        {"last_utterance": "how ?", "act": "2"},
        {"last_utterance": "how ?", "act": True},
        {"act": 2},
    ]
    score = metric("intent_accuracy", model=str(tiny("four"))).compute(["good"] * 6, None, inputs)
    assert score.n == 1
    assert np.isnan(score.row_values[1:]).all()


def test_intent_needs_four_classes(tiny: Tiny) -> None:
    score = metric("intent_accuracy", model=str(tiny("two"))).compute(["good"], None, [{"act": 1}])
    assert score.value is None
    assert "2 classes, 4 are needed" in str(score.reason)
