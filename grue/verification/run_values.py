"""What a run says beyond its tasks' values: the scores over all tasks, the validity report, the explanations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from grue.core.run import Results
from grue.core.text import Json
from grue.runs.directory import EXPLAIN
from grue.runs.read import RESULTS, StoredRun
from grue.runs.validity import VALIDITY
from grue.verification.equality import differences, shown
from grue.verification.findings import FAILED, NOT_CHECKED, PASSED, Finding


def run_scores(
    stored: StoredRun, before: Results, after: Results, *, is_same: bool, whole: bool, tolerance: float
) -> Iterator[Finding]:
    """The scores over all tasks."""
    was, now = before.scores.to_json(), after.scores.to_json()
    if not whole:
        if before.scores.grue.value is not None or before.scores.naturalness.value is not None:
            message = "the GRUE score and naturalness of the run may rest on values that were not compared"
            yield Finding(check="scores", status=NOT_CHECKED, message=message)
        return
    found = list(differences(was, now, tolerance))
    for one in found:
        yield Finding(
            check="scores",
            status=FAILED if is_same else NOT_CHECKED,
            place=f"{stored.path / RESULTS}: scores.{one.key}",
            message=f"is {one.stored!r}, the tasks give {one.again!r}",
        )


def reports(
    stored: StoredRun, again: StoredRun, tasks: Sequence[str], *, is_same: bool, whole: bool, tolerance: float
) -> Iterator[Finding]:
    """The validity report and the explanations, where the run has them."""
    names = [VALIDITY, *(f"samples/{task}{EXPLAIN}" for task in tasks)]
    held = [name for name in names if name in stored.results["files"]]
    if not held:
        return
    if not whole:
        message = f"{', '.join(held)}: may rest on values that were not compared"
        yield Finding(check="reports", status=NOT_CHECKED, message=message)
        return
    differing = []
    for name in held:
        was, now = _lines(stored.path / name), _lines(again.path / name)
        found = next(differences(was, now, tolerance), None)
        if found is not None:
            differing.append(name)
            yield Finding(
                check="reports",
                status=FAILED if is_same else NOT_CHECKED,
                place=f"{stored.path / name}: {found.key}",
                message=f"is {shown(found.stored)}, the texts give {shown(found.again)}",
            )
    if not differing:
        yield Finding(check="reports", status=PASSED, message=f"{', '.join(held)} come out the same")


def _lines(path: Path) -> Json:
    """A JSON document or JSON lines; ``None`` where there is none that can be read."""
    try:
        text = path.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()] if path.name.endswith("l") else json.loads(text)
    except (OSError, ValueError):
        return None
