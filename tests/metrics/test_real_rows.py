"""Real rows, scored in portions, against the libraries called directly on all of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grue.core.metric import Texts
from grue.core.task import MetricSpec
from grue.evaluation.chunks import Chunk, score_chunk
from grue.evaluation.scoring import finish
from grue.evaluation.suite import BuiltSuite
from grue.metrics.build import build

ROUGE = ("rouge1", "rouge2", "rougeL", "rougeLsum")
# Folder and what a row's references are there.
SOURCES: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "cnn_dailymail": lambda row: [row["highlights"]],
    "narrativeqa": lambda row: [answer["text"] for answer in row["answers"]],
    "wmt_news": lambda row: [row["translation"]["de"]],
    "iwslt2017": lambda row: [row["translation"]["de"]],
}


@pytest.mark.parametrize("folder", SOURCES)
def test_real_rows_have_the_libraries_values(folder: str, material: Path) -> None:
    from rouge_score.rouge_scorer import RougeScorer
    from sacrebleu.metrics import BLEU, CHRF, TER

    lines = (material / "data" / folder / "test.jsonl").read_text(encoding="utf-8").split("\n")
    references = [SOURCES[folder](json.loads(line)) for line in lines[:40] if line]
    # Odd rows answer with the next row's text, even ones with their own without its second half.
    predictions = [
        references[(index + 1) % len(references)][0] if index % 2 else row[-1][: len(row[-1]) // 2]
        for index, row in enumerate(references)
    ]
    names = ("sacrebleu", "chrf", "chrf++", "ter", *ROUGE)
    suite = BuiltSuite({name: build(MetricSpec(name)) for name in names}, {}, {})
    keys = [(str(index), 0) for index in range(len(references))]
    chunks = [
        score_chunk(
            suite,
            Chunk(
                keys[start : start + 7],
                Texts(
                    predictions[start : start + 7], references[start : start + 7], [{}] * len(keys[start : start + 7])
                ),
            ),
        )
        for start in range(0, len(keys), 7)
    ]
    scores = finish(suite, chunks, keys)
    streams = [[row[i] if i < len(row) else None for row in references] for i in range(max(map(len, references)))]
    libraries = {"sacrebleu": BLEU(), "chrf": CHRF(), "chrf++": CHRF(word_order=2), "ter": TER()}
    for name, library in libraries.items():
        expected = library.corpus_score(predictions, streams).score
        assert scores.values[name].value == pytest.approx(expected, abs=1e-9), name
    scorer = RougeScorer(list(ROUGE), use_stemmer=True)
    rows = [scorer.score_multi(row, text) for row, text in zip(references, predictions, strict=True)]
    for name in ROUGE:
        expected = sum(row[name].fmeasure for row in rows) / len(rows)
        assert scores.values[name].value == pytest.approx(expected, abs=1e-9), name
        assert scores.values[name].ci95 is not None
        assert scores.values[name].n == len(rows)
