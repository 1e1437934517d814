"""A metric as a reward: one number a row, rows without references, digests that are shared."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest

import grue
from grue.core.metric import CorpusMetric, Digests, Texts
from grue.core.reward import PooledReward
from grue.core.task import MetricSpec, RewardSpec
from grue.metrics.build import build as build_metric
from grue.rewards import REWARDS
from grue.rewards.build import build
from grue.rewards.metric_reward import metric_reward
from grue.rewards.parse import parse


class Lengths:
    """A pooled stand-in: letters of the first reference less the mean of all predictions."""

    name, scale, higher_is_better, needs_references, digest_key = "lengths", None, True, True, "lengths"
    kind: ClassVar[str] = "pooled"

    def signature(self) -> str:
        return "lengths"

    def digest(self, texts: Texts) -> list[Any]:
        return [(len(p), len(r[0])) for p, r in zip(texts.predictions, texts.references, strict=True)]

    def pooled(self, digests: Digests) -> Any:
        mean = np.mean([p for p, _ in digests.items])
        return np.array([r - mean for _, r in digests.items])


TEXTS = Texts(["a", "abc", "zzzzz"], [["xx"], [], ["y", "yyyy"]], [{}] * 3)


def test_rows_without_references_neither_count_nor_get_a_value() -> None:
    reward = metric_reward(Lengths(), (), None, None)
    assert isinstance(reward, PooledReward)
    # Mean of 1 and 5 letters: 3.
    values = reward.rewards(TEXTS)
    assert values[[0, 2]].tolist() == [-1, -2]
    assert np.isnan(values[1])
    kept = Texts(["a", "zzzzz"], [["xx"], ["y", "yyyy"]], [{}] * 2)
    assert reward.digest_key == "lengths"
    assert reward.pooled(Digests(Lengths().digest(kept))).tolist() == [-1, -2]


def test_digests_survive_another_process() -> None:
    reward = metric_reward(Lengths(), (), None, None)
    assert isinstance(reward, PooledReward)
    again = pickle.loads(pickle.dumps(reward.digest(TEXTS)))
    assert reward.pooled(Digests(again)).tolist()[::2] == [-1, -2]


def test_the_printed_list_is_one_reference_and_shares_no_digest() -> None:
    reward = metric_reward(Lengths(), (), None, None, printed_list=True)
    assert isinstance(reward, PooledReward)
    # ['xx'] has 6 letters, ['y', 'yyyy'] has 13; the mean of 1 and 5 is 3.
    assert reward.rewards(TEXTS)[[0, 2]].tolist() == [3, 10]
    assert reward.digest_key != Lengths.digest_key
    assert reward.signature() == "lengths|refs:printed-list"


def test_a_metric_without_row_values_is_no_reward() -> None:
    metric = build_metric(MetricSpec("distinct_1"))
    assert isinstance(metric, CorpusMetric)
    with pytest.raises(ValueError, match="no value a row"):
        metric_reward(metric, (), None, None)


def test_no_rows_at_all_give_no_values() -> None:
    none = Texts([], [], [])
    for text in ("rouge", "running(rouge)", "0.5*rouge + growing_mean(chrf)"):
        assert parse(text).rewards(none).shape == (0,)
    without = Texts(["a"], [[]], [{}])
    assert np.isnan(parse("rouge").rewards(without)).all()


@pytest.mark.parametrize(
    ("name", "metric", "settings"),
    [
        ("rouge", "rouge1", {}),
        ("meteor", "meteor", {}),
        ("bleu", "bleu", {}),
        ("chrf", "chrf", {}),
        ("parent", "parent", {}),
        ("rouge_l_max", "rougeL_max", {}),
        ("learned_reward", "sentiment", {"model": "demo:sentiment"}),
        ("intent_accuracy", "intent_accuracy", {"model": "demo:intent"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_reward_is_the_metrics_row_value(
    name: str, metric: str, settings: dict[str, Any], golden: Callable[[str], Any]
) -> None:
    scorer = grue.reward(name, **settings, **({"b": 0} if name == "intent_accuracy" else {}))
    if scorer.built is None:
        pytest.skip(f"{name}: {scorer.reason}")
    case = next(case for case in golden("chrf") if case.id == "commongen_human")
    predictions, references = case.predictions[:40], case.references[:40]
    table = [[{"value": "dog", "is_header": False, "column_span": 1, "row_span": 1}]]
    meta: Any = [
        {"act": 1, "last_utterance": "hi", "table": table, "highlighted_cells": [[0, 0]], "table_page_title": "a"}
    ] * 40
    of_metric = grue.metric(metric, **settings).compute(predictions, references, meta).per_sample
    score = scorer.compute(predictions=predictions, references=references, meta=meta)
    assert of_metric is not None
    unit = 100 if name == "chrf" else 1
    assert score.values == pytest.approx([None if value is None else value / unit for value in of_metric])
    assert score.n > 0


@pytest.mark.parametrize("name", REWARDS)
def test_built_rewards_cross_processes(name: str) -> None:
    settings = {"learned_reward": "demo:sentiment", "intent_accuracy": "demo:intent"}
    model = {name: {"model": settings[name]}} if name in settings else {}
    if grue.reward(name, **model.get(name, {})).built is None:
        pytest.skip(f"{name} is absent")
    reward = build(RewardSpec(name), model)
    again = pickle.loads(pickle.dumps(reward))
    assert again == reward
    assert again.signature() == reward.signature()
