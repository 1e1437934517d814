"""The ToTTo evaluation's PARENT in plain Python, written from its published rules: the peer that ours is held against.

It does what the script does and no more cleverly: the set of table words is made for each n-gram, the n-grams of both
sides and the mentions in the table for each reference, and the longest common subsequence fills its whole table.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

SMOOTHING = 1e-5
ORDERS = 4
Entries = list[list[str]]


def parent(
    predictions: Sequence[str], references: Sequence[Sequence[str]], inputs: Sequence[Mapping[str, Any]]
) -> list[tuple[float, float, float]]:
    """Precision, recall and F of each prediction against its best reference."""
    tokenize = Tokenizer13a()

    def words(text: str) -> list[str]:
        return tokenize(text.strip().lower()).split()

    results = []
    for prediction, wanted, given in zip(predictions, references, inputs, strict=True):
        said = words(prediction.replace("\n", " ") if prediction.strip() else "<null>")
        streams = [words(text) for text in wanted] + [words("<null>")] * (3 - len(wanted))
        titles = [given["table_page_title"], given["table_section_title"]]
        cells = [[cell["value"].strip().replace("|", "-") for cell in row] for row in given["table"]]
        whole = [value for row in cells for value in row if value]
        whole += [text.replace("|", "-") for text in (*titles, given["table_section_text"]) if text]
        asked = [cells[row][column] for row, column in given["highlighted_cells"] if cells[row][column]]
        asked += [text.replace("|", "-") for text in titles if text]
        may_say, should_say = [words(value) for value in whole], [words(value) for value in asked]
        scores = [_score(said, reference, may_say, should_say) for reference in streams]
        results.append(max(scores, key=lambda score: score[2]))
    return results


def _grams(tokens: list[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(tokens[start : start + order]) for start in range(len(tokens) - order + 1))


def _overlap(gram: tuple[str, ...], table: Entries) -> float:
    known = {token for value in table for token in value}
    return sum(1 for token in gram if token in known) / len(gram)


def _lcs(left: Sequence[str], right: Sequence[str]) -> int:
    rows = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i, a in enumerate(left, 1):
        for j, b in enumerate(right, 1):
            rows[i][j] = rows[i - 1][j - 1] + 1 if a == b else max(rows[i - 1][j], rows[i][j - 1])
    return rows[-1][-1]


def _mentions(table: Entries, text: list[str]) -> float:
    return sum(_lcs(value, text) / len(value) for value in table) / len(table) if table else 1.0


def _score(said: list[str], reference: list[str], may_say: Entries, should_say: Entries) -> tuple[float, float, float]:
    precisions, recalls = [], []
    for order in range(1, ORDERS + 1):
        ours, theirs = _grams(said, order), _grams(reference, order)
        top = bottom = 0.0
        for gram, count in ours.items():
            bottom += count
            share = min(1.0, theirs.get(gram, 0) / count)
            top += count * (share + (1.0 - share) * _overlap(gram, may_say))
        precisions.append(top / bottom if bottom else 0.0)
        top = bottom = 0.0
        for gram, count in theirs.items():
            weight = _overlap(gram, may_say)
            bottom += count * weight
            top += count * weight * min(1.0, ours.get(gram, 0) / count)
        recalls.append(top / bottom if bottom else 1.0)
    precision = _mean(precisions) if precisions[0] else 0.0
    of_reference = _mean(recalls) if recalls[0] else SMOOTHING
    of_table = max(_mentions(should_say, said), SMOOTHING)
    weight = 1.0 - _mentions(should_say, reference)
    recall = math.exp((1.0 - weight) * math.log(of_reference) + weight * math.log(of_table))
    return precision, recall, 2.0 * precision * recall / (precision + recall + 1e-8)


def _mean(shares: list[float]) -> float:
    kept = [shares[0], *(share if share else SMOOTHING for share in shares[1:])]
    return math.exp(math.fsum(math.log(share) for share in kept) / len(kept))
