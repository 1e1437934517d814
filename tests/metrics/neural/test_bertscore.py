"""BERTScore equals the package bert-score on the same checkpoint and layer."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from grue.metrics.api import metric

bert_score = pytest.importorskip("bert_score", reason="the package bert-score is not installed")
Tiny = Callable[[str], Path]
WORDS = (
    *("the", "a", "film", "was", "good", "bad", "great", "dull", "and", "not", "cat", "dog", "runs", "old", "grey"),
    *("bridge", "naïve", "1987", "don't", "story"),
)


def rows(n: int, seed: int, longest: int = 12) -> tuple[list[str], list[list[str]]]:
    rng = random.Random(seed)

    def text() -> str:
        return " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, longest)))

    return [text() for _ in range(n)], [[text() for _ in range(rng.randint(1, 3))] for _ in range(n)]


def package(folder: Path, predictions: list[str], references: list[list[str]], **options: Any) -> np.ndarray:
    """F1 of the package, on layer 2."""
    _, _, f1 = bert_score.score(
        predictions, references, model_type=str(folder), num_layers=2, device="cpu", nthreads=0, **options
    )
    return f1.numpy()


@pytest.mark.parametrize("kind", ["bert", "roberta"])
@pytest.mark.parametrize("layer", [1, 2, 3])
def test_f1_equals_the_package(tiny: Tiny, kind: str, layer: int) -> None:
    predictions, references = rows(12, seed=layer)
    wanted = bert_score.score(predictions, references, model_type=str(tiny(kind)), num_layers=layer, device="cpu")[2]
    score = metric("bertscore", model=str(tiny(kind)), layer=layer).compute(predictions, references)
    np.testing.assert_allclose(score.row_values, wanted.numpy(), atol=1e-6)
    assert score.value == pytest.approx(float(wanted.double().mean()), abs=1e-6)
    assert f"layer:{layer}" in str(score.signature)


def test_idf_weights_are_those_of_the_package(tiny: Tiny) -> None:
    predictions, references = rows(15, seed=9)
    wanted = package(tiny("bert"), predictions, references, idf=True)
    score = metric("bertscore", model=str(tiny("bert")), layer=2, idf=True).compute(predictions, references)
    np.testing.assert_allclose(score.row_values, wanted, atol=1e-6)
    plain = metric("bertscore", model=str(tiny("bert")), layer=2).compute(predictions, references)
    assert not np.allclose(plain.row_values, score.row_values, atol=1e-4)
    assert plain.signature != score.signature


@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable:UserWarning")  # the package's own
def test_a_baseline_file_rescales_as_in_the_package(tiny: Tiny, tmp_path: Path) -> None:
    file = tmp_path / "baseline.tsv"
    file.write_text("LAYER,P,R,F\n0,0.1,0.1,0.1\n1,0.2,0.3,0.25\n2,0.4,0.5,0.45\n3,0.5,0.5,0.5\n")
    predictions, references = rows(8, seed=3)
    wanted = package(
        tiny("bert"), predictions, references, rescale_with_baseline=True, baseline_path=str(file), lang="en"
    )
    score = metric("bertscore", model=str(tiny("bert")), layer=2, baseline=str(file)).compute(predictions, references)
    np.testing.assert_allclose(score.row_values, wanted, atol=1e-6)
    assert "baseline:0.45" in str(score.signature)


@pytest.mark.parametrize("content", ["", "LAYER,P,R,F\n0,0.1,0.1,0.1\n", "LAYER,P,R,F\n2,x,y,z\n", "a,b\n2,1\n"])
def test_a_baseline_that_does_not_fit_is_named(tiny: Tiny, tmp_path: Path, content: str) -> None:
    file = tmp_path / "baseline.tsv"
    file.write_text(content)
    score = metric("bertscore", model=str(tiny("bert")), layer=2, baseline=str(file)).compute(["a"], [["b"]])
    assert score.value is None
    assert str(file) in str(score.reason)


def test_long_texts_are_cut_as_in_the_package(tiny: Tiny) -> None:
    predictions, references = rows(4, seed=5, longest=120)
    wanted = package(tiny("bert"), predictions, references)
    score = metric("bertscore", model=str(tiny("bert")), layer=2).compute(predictions, references)
    np.testing.assert_allclose(score.row_values, wanted, atol=1e-6)


def test_empty_texts_score_zero_as_in_the_package(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    # The package asks its tokenizer for the marks of an empty text by a method that transformers 5 dropped.
    monkeypatch.setattr(
        PreTrainedTokenizerFast,
        "build_inputs_with_special_tokens",
        lambda self, ids: self("")["input_ids"],
        raising=False,
    )
    predictions, references = ["", "a good film", "  ", "a cat"], [["a film"], ["", "a film"], [""], [" "]]
    wanted = package(tiny("bert"), predictions, references)
    score = metric("bertscore", model=str(tiny("bert")), layer=2).compute(predictions, references)
    np.testing.assert_allclose(score.row_values, wanted, atol=1e-6)
    assert [score.row_values[0], *score.row_values[2:]] == [0, 0, 0]


def test_a_blank_before_each_text_is_a_setting_of_its_own(tiny: Tiny) -> None:
    # The slow RoBERTa tokenizers of transformers 4 put it there: the same as a text that begins behind a blank.
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny("roberta"))
    assert tokenizer.tokenize(" the film")[0] != tokenizer.tokenize("the film")[0]
    plain = metric("bertscore", model=str(tiny("roberta")), layer=2).compute(["the film"], [["film"]])
    blank = metric("bertscore", model=str(tiny("roberta")), layer=2, prefix_space=True).compute(
        ["the film"], [["film"]]
    )
    assert plain.value != pytest.approx(blank.value, abs=1e-4)
    assert "prefix:yes" in str(blank.signature)


def test_the_layer_of_an_unknown_encoder_is_three_quarters_up(tiny: Tiny) -> None:
    score = metric("bertscore", model=str(tiny("bert"))).compute(["a"], [["b"]])
    assert "layer:2" in str(score.signature)  # round(0.75 * 3)


def test_a_layer_that_is_not_there_is_named(tiny: Tiny) -> None:
    score = metric("bertscore", model=str(tiny("bert")), layer=4).compute(["a"], [["b"]])
    assert "layer 4 is asked for, the encoder has 3" in str(score.reason)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=30), min_size=1, max_size=4))
def test_a_text_is_never_more_like_another_than_like_itself(tiny: Tiny, found: list[str]) -> None:
    made = metric("bertscore", model=str(tiny("bert")), layer=2)
    own = made.compute(found, [[text] for text in found]).row_values
    for text, value in zip(found, own, strict=True):
        assert value == pytest.approx(1.0, abs=1e-5) or value == 0.0, text
    ordered = made.compute(["a good film"], [found]).value
    assert made.compute(["a good film"], [found[::-1]]).value == pytest.approx(ordered, abs=1e-6)
    alone = [made.compute(["a good film"], [[text]]).value for text in found]
    assert ordered == pytest.approx(max(alone), abs=1e-6)
