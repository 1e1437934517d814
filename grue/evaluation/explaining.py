"""Explanations of single rows by all metrics that can give one, and which rows of a task get them stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from grue.core.metric import Explains, Explanation, Floats, Metric, Part, Texts
from grue.core.text import Json, finite_or_none
from grue.runs.explanations import line_of

CHOSEN = 200
MOST_THINGS = 100
MOST_LETTERS = 200


def chosen(values: Floats, n: int = CHOSEN) -> list[int]:
    """Places of the ``n`` lowest and the ``n`` highest values, in order of place; ties go to the earlier place.

    Args:
        values: Shape (n_rows,); NaN is never chosen.
        n: How many at either end.
    """
    known = np.flatnonzero(np.isfinite(values))
    lowest = known[np.argsort(values[known], kind="stable")[:n]]
    highest = known[np.argsort(-values[known], kind="stable")[:n]]
    return sorted({*lowest.tolist(), *highest.tolist()})


def explain_rows(
    metrics: Mapping[str, Metric],
    texts: Texts,
    keys: Sequence[tuple[str, int]],
    values: Mapping[str, Floats] | None = None,
) -> list[dict[str, Json]]:
    """Lines of ``samples/<task>.explain.jsonl``, in the order of the keys.

    Args:
        metrics: Those that can explain do; one that needs references is asked only for rows that have some, and one
            that raises is left out.
        texts: The rows to explain.
        keys: Id and sample of each.
        values: Row values of the whole run, metric -> shape (n,): what a metric says of a few rows alone may differ
            where it counts documents.
    """
    found: list[dict[str, Explanation]] = [{} for _ in keys]
    # One set of texts for all metrics, so that they share words and counts.
    places = [place for place, row in enumerate(texts.references) if row]
    referenced = Texts(
        [texts.predictions[place] for place in places],
        [texts.references[place] for place in places],
        [texts.inputs[place] for place in places],
    )
    for name, metric in metrics.items():
        asked = (referenced, places) if metric.needs_references else (texts, list(range(len(texts))))
        for place, explanation in _explanations(metric, *asked).items():
            if values is not None and name in values:
                explanation = replace(explanation, value=finite_or_none(values[name][place]))
            found[place][name] = _bounded(explanation)
    return [line_of(row_id, sample, one) for (row_id, sample), one in zip(keys, found, strict=True) if one]


def _explanations(metric: Metric, texts: Texts, places: Sequence[int]) -> dict[int, Explanation]:
    if not isinstance(metric, Explains) or not places:
        return {}
    try:
        return dict(zip(places, metric.explain(texts), strict=True))
    except Exception:  # noqa: BLE001 - a plugin may raise anything; its value stands without an explanation
        return {}


def _bounded(explanation: Explanation) -> Explanation:
    """Without what JSON does not know, and with long lists cut: a stored line is for reading."""
    value = None if explanation.value is None else finite_or_none(explanation.value)
    parts = tuple(
        Part(part.kind, _short(part.matched), _short(part.missing), _short(part.extra)) for part in explanation.parts
    )
    return replace(explanation, value=value, parts=parts)


def _short(things: Sequence[str]) -> tuple[str, ...]:
    shown = [thing if len(thing) <= MOST_LETTERS else f"{thing[:MOST_LETTERS]}…" for thing in things[:MOST_THINGS]]
    return (*shown, f"… and {len(things) - MOST_THINGS} more") if len(things) > MOST_THINGS else tuple(shown)
