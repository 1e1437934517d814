"""Laws of the COCO metrics on generated text, and equality with pycocoevalcap's scorers where they are installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grue.core.metric import Texts
from grue.core.task import MetricSpec
from grue.metrics.api import metric
from grue.metrics.build import build

NAMES = ("bleu_1", "bleu_2", "bleu_3", "bleu_4", "rougeL_coco", "cider", "cider_d")
WORDS = st.sampled_from(["a", "dog", "runs", "the", "é", "e\u0301", "中文", "\u00a0", "park,", "x.", "😀", "\ud800"])
TEXT = st.lists(WORDS, max_size=9).map(" ".join)
ROWS = st.lists(st.tuples(TEXT, st.lists(TEXT, min_size=1, max_size=3)), min_size=1, max_size=6)
QUICK = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(max_examples=2_000, deadline=None, suppress_health_check=list(HealthCheck))


def _values(name: str, rows: list[tuple[str, list[str]]], **given_settings: Any) -> list[float]:
    score = metric(name, **given_settings).compute([row[0] for row in rows], [row[1] for row in rows])
    assert score.per_sample is not None
    return [float("nan") if value is None else value for value in score.per_sample]


@pytest.mark.parametrize("name", NAMES)
@QUICK
@given(rows=ROWS, data=st.data())
def test_order_of_rows_and_references_does_not_matter(name: str, rows: Any, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(rows))))
    turned = [(rows[index][0], rows[index][1][::-1]) for index in order]
    assert _values(name, turned) == pytest.approx([_values(name, rows)[index] for index in order], abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
@QUICK
@given(rows=ROWS)
def test_values_stay_in_their_range(name: str, rows: Any) -> None:
    top = 10 if name.startswith("cider") else 1
    assert all(0 <= value <= top + 1e-9 for value in _values(name, rows))


@pytest.mark.parametrize("name", ["bleu_1", "bleu_2", "bleu_3", "bleu_4"])
@QUICK
@given(rows=ROWS)
def test_added_statistics_give_the_corpus_value_and_single_rows_their_own(name: str, rows: Any) -> None:
    built: Any = build(MetricSpec(name))
    texts = Texts([row[0] for row in rows], [row[1] for row in rows], [{}] * len(rows))
    statistics = built.statistics(texts)
    whole = metric(name).compute(list(texts.predictions), [list(row) for row in texts.references]).value
    assert float(built.corpus_value(statistics.sum(axis=0))) == pytest.approx(whole, abs=1e-12)
    assert built.sample_values(statistics).tolist() == pytest.approx(
        [metric(name).compute([row[0]], [row[1]]).value for row in rows], abs=1e-12
    )


@pytest.mark.parametrize("name", NAMES)
@QUICK
@given(rows=ROWS)
def test_a_prediction_equal_to_its_only_reference_is_not_beaten(name: str, rows: Any) -> None:
    alone = [(row[0], row[1][:1]) for row in rows]
    same = [(row[1][0], row[1][:1]) for row in rows]
    slack = 1e-9 if not name.startswith("bleu") else 1e-3  # the scorer's constants
    assert all(mine <= best + slack for mine, best in zip(_values(name, alone), _values(name, same), strict=True))


def _reference(rows: list[tuple[str, list[str]]]) -> dict[str, tuple[float, list[float]]]:
    bleu = pytest.importorskip("pycocoevalcap.bleu.bleu", reason="pycocoevalcap is not installed")
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    gts = {index: row[1] for index, row in enumerate(rows)}
    res = {index: [row[0]] for index, row in enumerate(rows)}
    corpus, each = bleu.Bleu(4).compute_score(gts, res, verbose=0)
    out = {f"bleu_{order}": (corpus[order - 1], each[order - 1]) for order in (1, 2, 3, 4)}
    out["rougeL_coco"] = Rouge().compute_score(gts, res)
    if any(text.split() for row in rows for text in row[1]):
        out["cider_d"] = Cider().compute_score(gts, res)
    return out


def _check(rows: list[tuple[str, list[str]]]) -> None:
    for name, (corpus, each) in _reference(rows).items():
        score = metric(name, tokenize="whitespace").compute([row[0] for row in rows], [row[1] for row in rows])
        assert score.value == pytest.approx(corpus, abs=1e-9), name
        assert np.array(score.per_sample, dtype=float) == pytest.approx(np.array(each, dtype=float), abs=1e-9), name


@QUICK
@given(rows=ROWS)
def test_values_equal_pycocoevalcaps_on_generated_text(rows: Any) -> None:
    _check(rows)


@pytest.mark.long
@LONG
@given(
    rows=st.lists(st.tuples(TEXT | st.text(max_size=20), st.lists(TEXT | st.text(max_size=20), min_size=1)), min_size=1)
)
def test_values_equal_pycocoevalcaps_on_much_generated_text(rows: Any) -> None:
    _check(rows)
