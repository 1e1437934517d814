"""Whether results may be compared at all: equal keys, or the rows that two runs share."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from grue.comparison.columns import REWARD, comparison_key, result_entries
from grue.core.errors import NotComparableError
from grue.core.run import Manifest
from grue.runs.read import StoredRun

# A comparison on common rows may differ in these.
ROW_FIELDS = frozenset({"data_sha256", "prompts_sha256"})
_SHOWN = {"data_sha256": "data.sha256", "task_version": "task version", "signature": "metric signature"}
_DIGITS = 12
_LINES = 20


def refuse_other_keys(
    baseline: StoredRun, candidate: StoredRun, tasks: Sequence[str], metrics: Sequence[str] | None, *, rows_may: bool
) -> None:
    """Refuse runs whose comparison keys differ.

    Args:
        baseline: The first run.
        candidate: The other.
        tasks: Tasks to compare.
        metrics: Metrics to compare; all where nothing is said. Signatures of others may differ.
        rows_may: Whether data and prompts may differ, as only common rows are compared.

    Raises:
        NotComparableError: names task, fields and both values of all that differ.
    """
    left, right = baseline.manifest_value(), candidate.manifest_value()
    # What differs alike in many tasks is told once.
    found: dict[tuple[str, str, object, object], list[str]] = {}
    for task in tasks:
        for name, field, ours, theirs in _differences(left, right, task, _shared(baseline, candidate, task, metrics)):
            if not (rows_may and field in ROW_FIELDS):
                found.setdefault((name, field, ours, theirs), []).append(task)
    if not found:
        return
    fields = {field for _, field, _, _ in found}
    if fields <= ROW_FIELDS:
        fix = "Compare runs of the same rows, or give --common-rows to compare the rows that both have."
    elif fields == {"signature"}:
        fix = "Score both runs with the same settings (grue score RUN), or name the metrics to compare with --metrics."
    else:
        fix = "Compare runs of the same task version, split and rows; -t names the tasks to compare."
    lines = [
        f"{' '.join(part for part in (', '.join(held), name) if part)}: {_SHOWN.get(field, field)} is {_short(ours)} "
        f"in the baseline, {_short(theirs)} in the candidate"
        for (name, field, ours, theirs), held in sorted(found.items(), key=lambda item: item[0][1] == "signature")
    ]
    more = [f"and {len(lines) - _LINES} more"] if len(lines) > _LINES else []
    raise NotComparableError(
        f"{baseline.path} and {candidate.path} are not comparable:\n  " + "\n  ".join([*lines[:_LINES], *more]), fix
    )


def _differences(
    left: Manifest, right: Manifest, task: str, metrics: Iterable[str]
) -> Iterable[tuple[str, str, object, object]]:
    found = [("", comparison_key(left, task, ""), comparison_key(right, task, ""))]
    found += [(metric, comparison_key(left, task, metric), comparison_key(right, task, metric)) for metric in metrics]
    for metric, ours, theirs in found:
        for field in ours.differences(theirs):
            if metric == "" or field == "signature":
                yield metric, field, getattr(ours, field), getattr(theirs, field)


def _shared(left: StoredRun, right: StoredRun, task: str, metrics: Sequence[str] | None) -> list[str]:
    """Metrics that have a value in both; rewards are a task's means, not its results, and never refused."""
    ours, theirs = result_entries(left, task), result_entries(right, task)
    return [
        name
        for name in ours
        if not name.startswith(REWARD)
        and (metrics is None or name in metrics)
        and ours[name].get("value") is not None
        and theirs.get(name, {}).get("value") is not None
    ]


def _short(value: object) -> str:
    text = str(value)
    is_hash = len(text) == 64 and set(text) <= set("0123456789abcdef")
    return f"{text[:_DIGITS]}…" if is_hash else repr(value)


def common_rows(baseline: StoredRun, candidate: StoredRun, task: str) -> tuple[str, ...]:
    """Ids of the rows that both runs have, with equal prompt and references, sorted.

    Raises:
        NotComparableError: where there is none.
    """
    ours, theirs = _rows(baseline, task), _rows(candidate, task)
    found = tuple(sorted(row for row, content in ours.items() if theirs.get(row) == content))
    if not found:
        changed = len(ours.keys() & theirs.keys())
        same_ids = f" ({changed} ids are in both, with other prompts or references)" if changed else ""
        raise NotComparableError(
            f"{baseline.path} and {candidate.path} have no common rows of {task}{same_ids}.",
            "Compare runs of the same data and split; -t names the tasks to compare.",
        )
    return found


def _rows(run: StoredRun, task: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    table = run.samples(task, ["id", "references", "inputs"])
    rows: dict[str, tuple[str, tuple[str, ...]]] = {}
    for row, references, inputs in zip(
        *(table.column(name).to_pylist() for name in ("id", "references", "inputs")), strict=True
    ):
        if row not in rows:
            rows[row] = (str(json.loads(inputs).get("prompt", "")), tuple(references))
    return rows
