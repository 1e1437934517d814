"""A task's generations as lines of ``samples_<task>_<time>.jsonl``.

A line is a row: ``resps`` holds all its samples, ``filtered_resps`` the first, as the harness's ``take_first`` does; a
metric's value is the mean over the row's samples.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from grue.core.run import TaskManifest
from grue.core.text import Json, sha256_text
from grue.exchange.lm_eval.names import FILTER, document_hash, generation_kwargs
from grue.runs.read import StoredRun

_PROMPT = "prompt"
# Keys of a line that no metric may take.
LINE_KEYS = (
    "doc_id",
    "doc",
    "target",
    "arguments",
    "resps",
    "filtered_resps",
    "filter",
    "metrics",
    "doc_hash",
    "prompt_hash",
    "target_hash",
)


def sample_lines(
    stored: StoredRun, task: str, asked: TaskManifest, metrics: Sequence[str]
) -> Iterator[dict[str, Json]]:
    """One object a row, by id.

    Args:
        stored: The run.
        task: Name of the task.
        asked: What the manifest says of it.
        metrics: Columns of the samples that are metrics or rewards with a value.

    Raises:
        RunDirectoryError: where the run holds no samples of the task.
    """
    table = stored.samples(task)
    held = [name for name in metrics if name in table.column_names and name not in LINE_KEYS]
    records: list[dict[str, Any]] = table.to_pylist()
    for index, (row_id, drawn) in enumerate(groupby(records, key=lambda record: record["id"])):
        yield _line(index, row_id, list(drawn), asked, held)


def cumulative_hash(lines: Sequence[Mapping[str, Any]]) -> str:
    """``task_hashes`` of a task: over the hashes of its samples in order."""
    return sha256_text("".join(f"{line['doc_hash']}{line['prompt_hash']}{line['target_hash']}" for line in lines))


def _line(
    index: int, row_id: str, drawn: Sequence[Mapping[str, Any]], asked: TaskManifest, metrics: Sequence[str]
) -> dict[str, Json]:
    first = drawn[0]
    inputs: dict[str, Json] = json.loads(first["inputs"])
    # What the model saw; where no model ran, the row's own prompt.
    prompt = str(first["prompt"] if first["prompt"] is not None else inputs.get(_PROMPT) or "")
    references = list(first["references"] or ())
    document: dict[str, Json] = {**inputs, "id": row_id, "references": references}
    target = references[0] if len(references) == 1 else str(references)
    values = {name: _mean([record[name] for record in drawn]) for name in metrics}
    known: dict[str, Json] = {name: value for name, value in values.items() if value is not None}
    return {
        "doc_id": index,
        "doc": document,
        "target": target,
        "arguments": {"gen_args_0": {"arg_0": prompt, "arg_1": generation_kwargs(asked.generation)}},
        "resps": [[record["prediction"] for record in drawn]],
        "filtered_resps": [first["prediction"]],
        "filter": FILTER,
        "metrics": list(known),
        "doc_hash": document_hash(document),
        "prompt_hash": sha256_text(prompt),
        "target_hash": sha256_text(target),
        **known,
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
