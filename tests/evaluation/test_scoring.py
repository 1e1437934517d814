"""Scoring in portions: same numbers whatever the portions, their order, and the order of rows."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grue.core.decoding import Decoding
from grue.core.errors import UsageError
from grue.core.metric import Floats, Texts
from grue.core.rows import Row
from grue.core.task import MetricSpec, RewardSpec, Suite, Truncation
from grue.evaluation.chunks import Chunk, score_chunk
from grue.evaluation.scoring import TaskScores, finish
from grue.evaluation.suite import BuiltSuite, build_suite

NAMES = [
    "sacrebleu",
    "chrf",
    "chrf++",
    "ter",
    "rouge1",
    "rouge2",
    "rougeL",
    "rougeLsum",
    "exact_match",
    "f1",
    "distinct_2",
    "entropy_1",
    "msttr",
    "vocab_size",
    "mean_length",
    "repetition_rate",
    "copy_rate",
]
WORDS = st.lists(st.sampled_from(["the", "cat", "cats", "sat", "ran", "a", "."]), max_size=8).map(" ".join)
ROW = st.tuples(WORDS, st.lists(WORDS, max_size=2))


def no_rows(_: object) -> Iterator[Row]:
    yield from ()


def suite_of(*specs: MetricSpec, rewards: tuple[str, ...] = ()) -> Suite:
    return Suite(
        rows=no_rows,
        truncation=Truncation("right", 8),
        decoding=Decoding(max_new_tokens=1),
        metrics=specs,
        primary=(specs[0].name,),
        rewards=tuple(RewardSpec(name) for name in rewards),
    )


SUITE = build_suite(suite_of(*(MetricSpec(name) for name in NAMES)))


def texts_of(rows: list[tuple[str, list[str]]]) -> Texts:
    return Texts([row[0] for row in rows], [row[1] for row in rows], [{"source": "the cat sat a"}] * len(rows))


def score(
    rows: list[tuple[str, list[str]]], keys: list[tuple[str, int]], portions: list[list[int]], suite: BuiltSuite = SUITE
) -> TaskScores:
    chunks = [
        score_chunk(suite, Chunk([keys[i] for i in portion], texts_of([rows[i] for i in portion])))
        for portion in portions
    ]
    return finish(suite, chunks, keys, seed=4)


@settings(max_examples=30, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=9), st.randoms(), st.integers(1, 4))
def test_neither_portions_nor_the_order_of_rows_touch_a_number(
    rows: list[tuple[str, list[str]]], random: Any, size: int
) -> None:
    keys = [(str(index), 0) for index in range(len(rows))]
    whole = score(rows, keys, [list(range(len(rows)))])
    order = list(range(len(rows)))
    random.shuffle(order)
    portions = [order[start : start + size] for start in range(0, len(order), size)]
    assert score(rows, keys, portions).values == whole.values
    shuffled = score([rows[i] for i in order], [keys[i] for i in order], [list(range(len(rows)))])
    assert shuffled.values == whole.values
    for name, values in whole.per_sample.items():
        np.testing.assert_array_equal(shuffled.per_sample[name], values[order])
    for name, statistics in whole.statistics.items():
        np.testing.assert_array_equal(shuffled.statistics[name], statistics[order])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(WORDS, st.lists(WORDS, min_size=1, max_size=3)), min_size=1, max_size=8))
def test_summed_statistics_equal_the_librarys_call_on_the_whole_corpus(rows: list[tuple[str, list[str]]]) -> None:
    from sacrebleu.metrics import BLEU, CHRF, TER

    keys = [(f"{index:03}", 0) for index in range(len(rows))]
    scores = score(rows, keys, [[index] for index in range(len(rows))])
    widest = max(len(references) for _, references in rows)
    streams = [[row[1][i] if i < len(row[1]) else None for row in rows] for i in range(widest)]
    libraries = {"sacrebleu": BLEU(), "chrf": CHRF(), "chrf++": CHRF(word_order=2), "ter": TER()}
    for name, library in libraries.items():
        expected = library.corpus_score([row[0] for row in rows], streams).score
        assert scores.values[name].value == pytest.approx(expected, abs=1e-9), name
        low, high = scores.values[name].ci95 or (expected, expected)
        assert low - 1e-9 <= expected <= high + 1e-9


def test_several_samples_of_a_row_count_as_one_row_of_their_mean() -> None:
    rows = [("the cat", ["the cat"]), ("a dog", ["the cat"]), ("the cat", ["the cat"]), ("the cat", ["the cat"])]
    keys = [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    scores = score(rows, keys, [[2, 0], [3, 1]])
    value = scores.values["rouge1"]
    assert value.n == 2
    assert value.value == pytest.approx(0.75)  # rows 0.5 and 1
    assert value.ci95 == pytest.approx((0.5, 1.0))
    assert scores.values["ter"].value == pytest.approx(25.0)  # two edits by eight words: all samples
    assert scores.values["ter"].n == 2
    assert scores.values["vocab_size"].value == 4
    assert scores.values["vocab_size"].n == 2
    assert scores.per_sample["rouge1"].tolist() == pytest.approx([1, 0, 1, 1])


def test_rows_without_references_are_left_out_and_none_at_all_is_absent() -> None:
    rows = [("the cat sat .", ["the cat sat ."]), ("a dog", [])]
    keys = [("a", 0), ("b", 0)]
    scores = score(rows, keys, [[0], [1]])
    for name in ("sacrebleu", "rouge1", "exact_match"):
        assert (scores.values[name].value, scores.values[name].n) == (pytest.approx(scores.values[name].scale), 1)
        assert scores.values[name].ci95 is None
        assert "two rows" in str(scores.values[name].reason)
        assert np.isnan(scores.per_sample[name][1])
    assert np.isnan(scores.statistics["sacrebleu"][1]).all()
    assert scores.values["mean_length"].n == 2
    withheld = score([("x", []), ("y", [])], keys, [[0], [1]])
    assert withheld.values["rouge1"].value is None
    assert withheld.values["rouge1"].reason == "no references in this split"
    assert not withheld.values["rouge1"].failed
    assert withheld.values["rouge1"].to_json().keys() >= {"value", "ci95", "n", "scale", "signature"}
    assert "rouge1" not in withheld.per_sample
    assert withheld.values["mean_length"].value == 1


def test_size_dependent_statistics_have_no_interval_and_say_why() -> None:
    scores = score([("a b", ["a"]), ("c d", ["a"]), ("e f", ["a"])], [("a", 0), ("b", 0), ("c", 0)], [[0, 1, 2]])
    for name in ("distinct_2", "entropy_1", "vocab_size"):
        value = scores.values[name]
        assert value.value is not None
        assert value.ci95 is None
        assert "depends on the number of outputs" in str(value.reason)
    assert scores.values["msttr"].value is None
    assert "fewer words" in str(scores.values["msttr"].reason)


def test_no_rows_at_all_give_reasons() -> None:
    scores = finish(SUITE, [], [])
    assert all(value.value is None and value.reason for value in scores.values.values())


def test_chunks_that_miss_or_repeat_a_row_are_refused() -> None:
    rows = [("a", ["a"]), ("b", ["b"])]
    with pytest.raises(ValueError, match="exactly the keys"):
        score(rows, [("a", 0), ("b", 0)], [[0]])
    with pytest.raises(ValueError, match="exactly the keys"):
        score(rows, [("a", 0), ("b", 0)], [[0, 1], [1]])


@dataclass(frozen=True)
class Raises:
    """A metric that raises on the word 'bad'."""

    name: str = "raises"
    scale: float | None = 1.0
    higher_is_better: bool | None = True
    needs_references: bool = False
    kind: ClassVar[str] = "mean"

    def signature(self) -> str:
        return "raises|v:1"

    def per_sample(self, texts: Texts) -> Floats:
        if "bad" in texts.predictions:
            raise RuntimeError("cannot score bad")
        return np.ones(len(texts))


def test_a_metric_that_raises_fails_alone() -> None:
    suite = BuiltSuite({"raises": Raises(), "rouge1": SUITE.metrics["rouge1"]}, {}, {})
    rows = [("good", ["good"]), ("bad", ["bad"])]
    scores = score(rows, [("a", 0), ("b", 0)], [[0], [1]], suite)
    assert scores.values["raises"].failed
    assert "cannot score bad" in str(scores.values["raises"].reason)
    assert scores.values["rouge1"].value == 1
    assert "raises" not in scores.per_sample


def test_a_suite_keeps_its_settings_and_the_users_win() -> None:
    task = suite_of(
        MetricSpec("rouge1", {"references": "first"}),
        MetricSpec("meteor", absent="its stems are English"),
        rewards=("rouge", "spider"),
    )
    built = build_suite(task)
    assert "refs:first" in str(built.signatures()["rouge1"])
    assert built.signatures()["meteor"] is None
    assert built.absent == {"meteor": "its stems are English"}
    assert set(built.rewards) == {"rouge"}
    assert "Java" in built.rewards_absent["spider"]
    user: Mapping[str, Mapping[str, Any]] = {"rouge": {"references": "max", "type": "rouge2"}}
    of_user = build_suite(task, settings=user)
    assert "refs:max" in str(of_user.signatures()["rouge1"])
    assert "rouge2" in str(of_user.reward_signatures()["rouge"])
    named = build_suite(task, metrics=["rougeL", "rouge1"])
    assert list(named.signatures()) == ["rougeL", "rouge1"]
    assert "refs:first" in str(named.signatures()["rouge1"])
    assert not named.rewards
    with pytest.raises(UsageError, match="Unknown metric"):
        build_suite(task, metrics=["rogue1"])
    scores = finish(built, [score_chunk(built, Chunk([("a", 0)], texts_of([("x", ["x"])])))], [("a", 0)])
    assert (scores.rewards["rouge"].value, scores.rewards["rouge"].n) == (1.0, 1)
    assert scores.reward_samples["rouge"].tolist() == [1.0]
    assert scores.rewards["spider"].value is None
    assert scores.rewards["spider"].reason
    assert list(scores.values) == ["rouge1", "meteor"]


def test_a_rewards_value_is_the_mean_over_rows_of_the_mean_over_samples() -> None:
    built = build_suite(suite_of(MetricSpec("rouge1"), rewards=("rouge",)))
    rows = [("the cat", ["the cat"]), ("a dog", ["the cat"]), ("the cat", ["the cat"]), ("x", [])]
    keys = [("a", 0), ("a", 1), ("b", 0), ("c", 0)]
    scores = finish(built, [score_chunk(built, Chunk(keys, texts_of(rows)))], keys)
    assert (scores.rewards["rouge"].value, scores.rewards["rouge"].n) == (pytest.approx(0.75), 2)
    assert np.isnan(scores.reward_samples["rouge"][3])


def test_model_metrics_can_be_left_out() -> None:
    built = build_suite(suite_of(MetricSpec("sentiment"), MetricSpec("rouge1")), model_metrics=False)
    assert built.absent["sentiment"] == "left out by --no-model-metrics"


def test_suites_and_scores_travel_between_processes() -> None:
    suite = pickle.loads(pickle.dumps(SUITE))
    chunk = score_chunk(suite, Chunk([("a", 0)], texts_of([("the cat", ["the cat"])])))
    again = pickle.loads(pickle.dumps(chunk))
    assert again.keys == [("a", 0)]
    assert again.per_sample["rouge1"].tolist() == [1.0]
