"""Samples of lm-evaluation-harness: the lines of ``samples_<task>_<time>.jsonl`` as rows, texts and numbers."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grue.core.errors import RunDirectoryError
from grue.exchange.lm_eval.foreign import ForeignResultsError, ForeignRun, ForeignTask, parsed
from grue.exchange.lm_eval.names import FILTER, document_hash
from grue.runs.fields import Fields

_FIX = "Give the samples as lm-evaluation-harness wrote them, or remove this file: the values are imported without it."
CHOICES = "multiple_choice"
# Only numbers come of these: no text was written or chosen.
_WITHOUT_TEXT = ("loglikelihood", "loglikelihood_rolling")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignRow:
    """One document with what a model made of it.

    Attributes:
        id: The document's own id where all have one, else its number.
        document: As the harness holds it.
        document_hash: SHA-256 over it.
        target: As text.
        prompt: What the model was asked; empty where the choice is between prompts.
        references: The target as texts.
        predictions: One a repeat: the text that was scored.
        raws: The texts before the filter.
        values: (metric, filter) -> number.
    """

    id: str
    document: Mapping[str, Any]
    document_hash: str
    target: str
    prompt: str
    references: tuple[str, ...]
    predictions: tuple[str, ...]
    raws: tuple[str, ...]
    values: Mapping[tuple[str, str], float]


def read_samples(run: ForeignRun, task: ForeignTask) -> tuple[ForeignRow, ...] | None:
    """Rows of a task by number of document; ``None`` where there is no file, or the task has no texts.

    Raises:
        ForeignResultsError: where the file is damaged, or holds other documents than the results say; names file,
            line and key.
    """
    name = f"samples_{task.name}_{run.time}.jsonl" if run.time else f"samples_{task.name}.jsonl"
    path = run.path.parent / name
    # A task's name may hold what leads to another folder.
    if task.output_type in _WITHOUT_TEXT or path.name != name or "\0" in name or not path.is_file():
        return None
    try:
        lines = [_line(text, f"{path}:{number}") for number, text in _texts(path)]
        documents: dict[int, list[Fields]] = {}
        for line in lines:
            documents.setdefault(line.required("doc_id", int), []).append(line)
        if task.effective and len(documents) != task.effective:
            raise ForeignResultsError(
                f"holds {len(documents)} documents; {run.path.name} says {task.effective}.", _FIX, place=str(path)
            )
        ids = _ids(documents)
        rows = tuple(_row(ids[number], documents[number], task) for number in sorted(documents))
    except RunDirectoryError as error:
        raise ForeignResultsError(error.cause, _FIX, place=error.place) from error
    if len({len(row.predictions) for row in rows}) > 1:
        raise ForeignResultsError("documents have different numbers of resps.", _FIX, place=str(path))
    return rows or None


def _texts(path: Path) -> list[tuple[int, str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ForeignResultsError(f"cannot be read: {error}.", _FIX, place=str(path)) from error
    return [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]


def _line(text: str, place: str) -> Fields:
    values = parsed(text, place, _FIX)
    return Fields(values, place)


def _ids(documents: Mapping[int, Sequence[Fields]]) -> dict[int, str]:
    """The documents' own ids where each has one and no two are equal, else their numbers."""
    own = {}
    for number, lines in documents.items():
        value = lines[0].child("doc").values.get("id")
        if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
            break
        own[number] = str(value)
    if len(own) == len(documents) and len(set(own.values())) == len(own):
        return own
    return {number: str(number) for number in documents}


def _row(row_id: str, lines: Sequence[Fields], task: ForeignTask) -> ForeignRow:
    first = lines[0]
    document = first.required("doc", dict)
    target = first.values.get("target")
    target = target if isinstance(target, str) else json.dumps(target, ensure_ascii=False)
    requests = [one for _, one in first.children("arguments")]
    responses = first.required("resps", list)
    if not requests or not responses:
        raise first.fault(f"{'arguments' if not requests else 'resps'} should not be empty.")
    if task.output_type == CHOICES:
        prompt, prediction, references = _choice(first, requests, responses, target)
        raws: tuple[str, ...] = (prediction,)
        predictions = raws
    else:
        prompt, references = str(requests[0].values.get("arg_0", "")), _references(target)
        raws = _strings(first, "resps", responses[0])
        predictions = _filtered(first, raws)
    return ForeignRow(
        id=row_id,
        document=document,
        document_hash=document_hash(document),
        target=target,
        prompt=prompt,
        references=references,
        predictions=predictions,
        raws=raws,
        values=_numbers(lines),
    )


def _choice(
    line: Fields, requests: Sequence[Fields], responses: Sequence[Any], target: str
) -> tuple[str, str, tuple[str, ...]]:
    """Prompt, the likeliest choice, and the right one where the target is its number."""
    contexts = [str(one.values.get("arg_0", "")) for one in requests]
    endings = [str(one.values.get("arg_1", "")) for one in requests]
    if len(responses) != len(requests):
        raise line.fault(f"resps holds {len(responses)} answers to {len(requests)} arguments.")
    likelihoods = [_likelihood(line, response) for response in responses]
    if len(set(endings)) == 1 and len(set(contexts)) > 1:
        # The choice is between beginnings (Winogrande).
        prompt, choices = "", contexts
    else:
        # Requests with another context ask for the endings alone (acc_mutual_info).
        asked = [at for at, context in enumerate(contexts) if context == contexts[0]]
        prompt, choices = contexts[0], [endings[at] for at in asked]
        likelihoods = [likelihoods[at] for at in asked]
    best = max(range(len(choices)), key=likelihoods.__getitem__)
    is_index = target.isdecimal() and int(target) < len(choices)
    references = (choices[int(target)].strip(),) if is_index else _references(target)
    return prompt, choices[best].strip(), references


def _likelihood(line: Fields, response: Any) -> float:
    try:
        return float(response[0][0])
    except (TypeError, ValueError, IndexError, KeyError):
        raise line.fault(f"resps should hold pairs of log-likelihood and greedy: found {response!r:.60}.") from None


def _filtered(line: Fields, raws: tuple[str, ...]) -> tuple[str, ...]:
    """The texts that were scored; the unfiltered ones where a filter made one of several repeats."""
    filtered = line.required("filtered_resps", list)
    found = filtered[0] if filtered else None
    if isinstance(found, str):
        return (found,) if len(raws) == 1 else raws
    texts = found if isinstance(found, list) else []
    return tuple(map(str, texts)) if len(texts) == len(raws) else raws


def _strings(line: Fields, key: str, values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
        raise line.fault(f"{key} should hold lists of texts: found {values!r:.60}.")
    return tuple(values)


def _references(target: str) -> tuple[str, ...]:
    """A target as texts: several are written as a Python list."""
    if target.startswith("[") and target.endswith("]"):
        try:
            values = ast.literal_eval(target)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            values = None
        if isinstance(values, list) and all(isinstance(value, str) for value in values):
            return tuple(values)
    return (target,) if target else ()


def _numbers(lines: Sequence[Fields]) -> dict[tuple[str, str], float]:
    """The metrics of a document that are numbers; corpus metrics have texts in their place."""
    found = {}
    for line in lines:
        filter_name = line.optional("filter", str) or FILTER
        for metric in line.strings("metrics"):
            value = line.values.get(metric)
            if isinstance(value, int | float) and math.isfinite(value):  # True and False are answers too
                found[(metric, filter_name)] = float(value)
    return found
