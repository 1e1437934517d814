"""The toy judges inside the package tell the embedded rows apart, and nothing else uses them unasked."""

from __future__ import annotations

import json
from importlib.resources import files

import numpy as np
import pytest

from grue.core.judging import Judging
from grue.core.metric import Digests, Texts
from grue.core.record import Record
from grue.core.task import MetricSpec
from grue.metrics.build import build
from grue.metrics.card import card
from grue.registry.tasks import load_task

EMBEDDED = Judging(device="cpu", offline=True, embedded=True)


def embedded(task_name: str) -> Texts:
    """The embedded test rows, their first references as predictions."""
    task = load_task(task_name)
    text = (files(task.package) / "data" / "test.jsonl").read_text(encoding="utf-8")
    records = [Record(json.loads(line), f"test.jsonl:{n}") for n, line in enumerate(text.splitlines(), 1)]
    rows = list(task.profile("standard").rows(records))
    inputs = [{**row.inputs, "prompt": row.prompt} for row in rows]
    return Texts([row.references[0] for row in rows], [list(row.references) for row in rows], inputs)


def values(name: str, texts: Texts, predictions: list[str]) -> np.ndarray:
    made = build(MetricSpec(name), {}, EMBEDDED)
    return made.pooled(Digests(made.digest(Texts(predictions, texts.references, texts.inputs))))


def test_the_toys_are_small() -> None:
    folder = files("grue") / "metrics" / "neural" / "demo"
    sizes = [path.stat().st_size for kind in folder.iterdir() if kind.is_dir() for path in kind.iterdir()]
    assert 0 < sum(sizes) < 2_000_000


def test_sentiment_follows_the_reviews_labels() -> None:
    texts = embedded("imdb")
    seen = values("sentiment", texts, list(texts.predictions)) > 0.5
    assert np.mean(seen == [given["label"] for given in texts.inputs]) > 0.9


def test_intent_tells_references_from_those_of_other_rows() -> None:
    texts = embedded("daily_dialog")
    own = list(texts.predictions)
    right, other = (values("intent_accuracy", texts, some).mean() for some in (own, own[1:] + own[:1]))
    assert right > 0.8
    assert right - other > 0.2


def test_the_language_model_prefers_texts_to_their_words_in_disorder() -> None:
    texts = embedded("imdb")
    mixed = [" ".join(sorted(text.split(" "))) for text in texts.predictions]
    own, other = (values("perplexity", texts, some).sum(axis=0) for some in (list(texts.predictions), mixed))
    assert own[0] / own[1] + 1 < other[0] / other[1]


@pytest.mark.parametrize(
    ("name", "toy"), [("sentiment", "demo:sentiment"), ("intent_accuracy", "demo:intent"), ("perplexity", "demo:lm")]
)
def test_a_signature_names_the_toy(name: str, toy: str) -> None:
    assert f"|model:toy:{toy}:" in build(MetricSpec(name), {}, EMBEDDED).signature()


@pytest.mark.parametrize(
    "name",
    ["bertscore", "bleurt", "summac_zs", "sentiment", "intent_accuracy", "perplexity", "perplexity_references"],
)
def test_every_metric_with_a_judge_has_a_card(name: str) -> None:
    found = card(name)
    assert found is not None
    assert found.failings
