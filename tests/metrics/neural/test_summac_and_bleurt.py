"""SummaC, BLEURT and the preference judge, worked out beside them with the library's own model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSeq2SeqLM, AutoModelForSequenceClassification, AutoTokenizer

from grue.core.errors import MetricUnavailableError
from grue.core.judging import Judging
from grue.core.metric import Texts
from grue.core.task import MetricSpec
from grue.metrics.api import metric
from grue.metrics.build import build
from grue.metrics.neural.preference import PreferenceJudge

CPU = Judging(device="cpu", offline=True)
Tiny = Callable[[str], Path]
SOURCE = ["The old film was good and dull.", "Short one.", "The dog runs over the grey bridge."]
SUMMARY = ["A dog runs over it.", "The acting was never great.", "No."]


def entailment(folder: Path, premise: str, hypothesis: str) -> float:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    with torch.no_grad():
        return float(model(**tokenizer(premise, hypothesis, return_tensors="pt")).logits.softmax(-1)[0, 2])


def test_summac_is_the_mean_over_sentences_of_the_best_entailment(tiny: Tiny) -> None:
    folder = tiny("nli")
    # "Short one." has ten letters and "No." three: both are dropped.
    source, summary = [SOURCE[0], SOURCE[2]], SUMMARY[:2]
    table = np.array([[entailment(folder, premise, own) for premise in source] for own in summary])
    assert np.ptp(table) > 1e-3
    score = metric("summac_zs", model=str(folder)).compute([" ".join(SUMMARY)], None, [{"source": " ".join(SOURCE)}])
    assert score.value == pytest.approx(table.max(axis=1).mean(), abs=1e-6)
    assert "label:2" in str(score.signature)


def test_summac_reads_the_prompt_in_the_paper(tiny: Tiny) -> None:
    inputs = [{"source": "The dog runs over it.", "prompt": "Summarize: The dog runs over it."}]
    plain = metric("summac_zs", model=str(tiny("nli"))).compute([SUMMARY[1]], None, inputs)
    paper = metric("summac_zs", model=str(tiny("nli")), paper=True).compute([SUMMARY[1]], None, inputs)
    wanted = entailment(tiny("nli"), "Summarize: The dog runs over it.", SUMMARY[1])
    assert paper.value == pytest.approx(wanted, abs=1e-6)
    assert plain.value != pytest.approx(paper.value, abs=1e-5)


def test_summac_without_sentences_is_zero_and_without_a_source_undefined(tiny: Tiny) -> None:
    made = metric("summac_zs", model=str(tiny("nli")))
    score = made.compute(["", "Yes.", SUMMARY[1], SUMMARY[1]], None, [{"source": SOURCE[0]}] * 2 + [{"source": ""}, {}])
    assert list(score.row_values[:3]) == [0, 0, 0]
    assert np.isnan(score.row_values[3])


def test_summac_reads_a_hundred_source_sentences(tiny: Tiny) -> None:
    made = metric("summac_zs", model=str(tiny("nli")))
    first = " ".join(f"The dog runs over bridge {number}." for number in range(100))
    more = first + " The acting was never great."
    one, other = made.compute([SUMMARY[1]] * 2, None, [{"source": first}, {"source": more}]).row_values
    assert one == other


def test_summac_says_which_sentences_are_supported(tiny: Tiny) -> None:
    made = build(MetricSpec("summac_zs", {"model": str(tiny("nli"))}), {}, CPU)
    texts = Texts([" ".join(SUMMARY), "", "x"], [[]] * 3, [{"source": " ".join(SOURCE)}, {"source": "a"}, {}])
    first, empty, without = made.explain(texts)
    assert first.value == pytest.approx(made.pooled(_digests(made, texts))[0])
    assert sorted((*first.parts[0].matched, *first.parts[0].extra)) == sorted(SUMMARY[:2])
    assert (empty.value, without.value) == (0.0, None)


def _digests(made, texts):
    from grue.core.metric import Digests

    return Digests(made.digest(texts))


def test_bleurt_reads_the_reference_first(tiny: Tiny) -> None:
    folder = tiny("bleurt")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder)

    def rating(reference: str, candidate: str) -> float:
        with torch.no_grad():
            return float(model(**tokenizer([reference], [candidate], return_tensors="pt")).logits[0, 0])

    predictions, references = ["a good film", ""], [["the film was good", "a great story"], ["the dog"]]
    per = [[rating(one, text) for one in row] for text, row in zip(predictions, references, strict=True)]
    mean = metric("bleurt", model=str(folder)).compute(predictions, references)
    np.testing.assert_allclose(mean.row_values, [np.mean(own) for own in per], atol=1e-6)
    best = metric("bleurt", model=str(folder), references="max").compute(predictions, references)
    np.testing.assert_allclose(best.row_values, [max(own) for own in per], atol=1e-6)
    assert "refs:mean" in str(mean.signature)


def test_bleurt_needs_one_output(tiny: Tiny) -> None:
    assert "one output" in str(metric("bleurt", model=str(tiny("two"))).compute(["a"], [["b"]]).reason)


def test_a_model_type_that_needs_its_own_code_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    shutil.copytree(tiny("bleurt"), folder)
    config = json.loads((folder / "config.json").read_text()) | {"model_type": "bleurt"}
    (folder / "config.json").write_text(json.dumps(config))
    assert "Unknown model type 'bleurt'" in str(metric("bleurt", model=str(folder)).compute(["a"], [["b"]]).reason)


def test_a_preference_is_the_chance_of_good_against_bad_at_the_first_position(tiny: Tiny, texts: list[str]) -> None:
    folder = tiny("t5")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSeq2SeqLM.from_pretrained(folder)
    words = [tokenizer(word, add_special_tokens=False)["input_ids"][0] for word in ("good", "bad")]
    wanted = []
    for text in texts:
        with torch.no_grad():
            logits = model(**tokenizer(text, return_tensors="pt"), decoder_input_ids=torch.tensor([[0]])).logits
        wanted.append(float(logits[0, 0, words].softmax(-1)[0]))
    assert np.ptp(wanted) > 0.01
    np.testing.assert_allclose(PreferenceJudge(folder, CPU).probabilities(texts), wanted, atol=1e-6)
    assert PreferenceJudge(folder, CPU).probabilities([]).shape == (0,)


def test_a_preference_judge_is_an_encoder_decoder_model(tiny: Tiny) -> None:
    with pytest.raises(MetricUnavailableError, match="not an encoder-decoder model"):
        PreferenceJudge(tiny("gpt2"), CPU)
    with pytest.raises(MetricUnavailableError, match="does not tell"):
        PreferenceJudge(tiny("t5"), CPU, good="good", bad="good").probabilities(["a"])
