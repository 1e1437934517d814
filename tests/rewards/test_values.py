"""Rewards against hand-worked values and values of the libraries that the metrics equal."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import grue
from grue.rewards import REWARDS

PROMPT = "generate a sentence with: coral fish island."
R1, R2 = "a dog runs in the park", "the dog is running through a park"


def values(name: str, predictions: list[str], given: list[list[str]], /, **settings: Any) -> list[float | None]:
    score = grue.reward(name, **settings).compute(predictions=predictions, references=given)
    assert score.reason is None
    return score.values


def test_ter_is_one_less_the_rate() -> None:
    # SacreBLEU's TER: one substitution in four words is 25; a tokenised copy in another case has 2 edits in 5 words.
    assert values("ter", ["a b c d"], [["a b x d"]]) == [0.75]
    german = values("ter", ["DER hund läuft im Park ."], [["Der Hund läuft im Park."]])
    assert german == pytest.approx([0.6])


def test_ter_may_be_negative() -> None:
    # Eleven insertions for one reference word.
    assert values("ter", ["x " * 11 + "a"], [["a"]]) == [-10.0]


def test_sacre_bleu_is_the_corpus_score_of_the_single_row_over_a_hundred() -> None:
    assert values(
        "sacre_bleu", ["Sie hat zwei Katzen."], [["Sie hat zwei schwarze Katzen."]], tokenize="intl"
    ) == pytest.approx([0.409365], abs=5e-7)


def test_sacre_bleu_does_not_use_effective_order() -> None:
    # "a b" of "a b": orders 3 and 4 have no n-grams. Without effective order the score is 0, with it 100.
    assert values("sacre_bleu", ["a b"], [["a b"]]) == [0.0]
    assert values("sacre_bleu", ["a b"], [["a b"]], effective_order=True) == [1.0]


def test_bleu_takes_white_space_tokens_and_all_references() -> None:
    # Of 7 words one "the" is too many for either reference; all pairs, triples and quadruples are in one of the two.
    texts = ["the dog runs fast in the park"]
    got = values("bleu", texts, [["the dog runs fast in a park", "dog runs fast in the park"]])
    assert got == pytest.approx([(6 / 7) ** 0.25])
    assert values("bleu", ["a b c d e f g"], [["a b c d e g f"]]) == pytest.approx([(4 / 6 * 3 / 5 * 2 / 4) ** 0.25])


def test_bleu_of_a_short_generation_is_zero_unless_smoothed() -> None:
    assert values("bleu", ["fish swim near coral"], [["fish swim close to coral"]]) == [0.0]
    # Lin's smoothing adds 1 to matches and totals: (4/5 * 2/4 * 1/3 * 1/2) ** 0.25, brevity exp(1 - 5/4).
    smoothed = (4 / 5 * 2 / 4 * 1 / 3 * 1 / 2) ** 0.25 * math.exp(-0.25)
    assert values("bleu", ["fish swim near coral"], [["fish swim close to coral"]], smooth=True) == pytest.approx(
        [smoothed]
    )


def test_rouge_takes_the_best_reference_and_the_first_where_told() -> None:
    # 3 of 3 words of the second, 1 of 3 of the first.
    texts, references = ["red green blue"], [["red one two", "blue green red"]]
    assert values("rouge", texts, references) == [1.0]
    assert values("rouge", texts, references, references="first") == pytest.approx([1 / 3])
    assert values("rouge", texts, references, paper=True) == pytest.approx([1 / 3])
    assert values("rouge", texts, references, type="rougeL") == pytest.approx([1 / 3])


def test_rouge_against_the_printed_list() -> None:
    references = [["in 2016 al appeared in two episodes.", "al had two episodes in 2016."]]
    texts = ["al appeared in two episodes in 2016."]
    assert values("rouge", texts, references) == [1.0]
    assert values("rouge", texts, references, printed_list=True) == pytest.approx([0.7])


def test_rouge_combined_is_the_mean_of_three_types() -> None:
    texts, references = ["red green blue"], [["red green yellow"]]
    # ROUGE-1 2/3, ROUGE-2 1/2, ROUGE-L 2/3.
    assert values("rouge_combined", texts, references) == pytest.approx([(2 / 3 + 1 / 2 + 2 / 3) / 3])


@pytest.mark.usefixtures("punkt")
def test_meteor_and_its_printed_list() -> None:
    texts = [R1, "the dog runs across a park"]
    assert values("meteor", texts, [[R1], [R1, R2]]) == pytest.approx([0.997685, 0.646377], abs=1e-6)
    printed = values("meteor", texts, [[R1], [R1]], printed_list=True, tokenize="nltk")
    assert printed == pytest.approx([0.623553, 0.3875], abs=1e-6)


@pytest.mark.parametrize("shaped", ["meteor", "rouge", "rouge_combined"])
def test_shaping_adds_the_penalty(shaped: str) -> None:
    given: dict[str, Any] = {
        "prompts": [PROMPT] * 2,
        "predictions": ["A coral fish island.", "Fish swim near coral."],
        "references": [["A coral fish island."], ["Fish swim near the coral."]],
    }
    plain = grue.reward(shaped).compute(**given)
    with_penalty = grue.reward(shaped, shaping="common_gen_repeat_penalty").compute(**given)
    added = grue.reward(f"{shaped} + common_gen_repeat_penalty").compute(**given)
    assert np.subtract(with_penalty.values, plain.values) == pytest.approx([-1, 0])
    assert added.values == with_penalty.values
    assert (with_penalty.low, with_penalty.high) == (-1, 1)


@pytest.mark.parametrize(
    ("name", "file", "variant", "column", "unit"),
    [
        ("chrf", "chrf", "chrf", None, 100),
        ("sacre_bleu", "sacrebleu_sentence", "exp_noeff", None, 100),
        ("ter", "ter", "default", "score", 100),
        ("rouge_l_max", "rouge_l_max", "narrativeqa", None, 1),
    ],
    ids=lambda value: str(value),
)
def test_rewards_equal_the_reference_libraries(
    golden: Callable[[str], Any], name: str, file: str, variant: str, column: str | None, unit: float
) -> None:
    scorer = grue.reward(name)
    if scorer.built is None:
        pytest.skip(f"{name}: {scorer.reason}")
    compared = 0
    for case in golden(file):
        expected = case.expected.get("per_sample", {}).get(variant)
        expected = expected[column] if column and isinstance(expected, dict) and column in expected else expected
        if not isinstance(expected, list) or any(isinstance(value, (str, dict)) for value in expected):
            continue
        got = scorer.compute(predictions=case.predictions, references=case.references).values[: len(expected)]
        wanted = [1 - value / unit if name == "ter" else value / unit for value in expected]
        assert got == pytest.approx(wanted, abs=1e-9), case.id
        compared += len(wanted)
    assert compared >= 100


@pytest.mark.parametrize("name", REWARDS)
def test_values_lie_in_the_range_that_is_named(name: str, golden: Callable[[str], Any]) -> None:
    scorer = grue.reward(name)
    if scorer.built is None:
        assert scorer.reason
        pytest.skip(f"{name}: {scorer.reason}")
    case = next(case for case in golden("chrf") if case.id == "commongen_human")
    meta = [{"concepts": ["dog", "run"], "prompt": "generate a sentence with: dog run."}] * len(case.predictions)
    score = scorer.compute(predictions=case.predictions, references=case.references, meta=meta)
    assert (score.low, score.high) == (REWARDS[name].low, REWARDS[name].high)
    for value in score.values:
        if value is not None:
            assert score.low is None or value >= score.low
            assert score.high is None or value <= score.high
