"""Texts of null systems and the oracle follow from a rule: all of them are made again, without a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from grue.core.decoding import Decoding
from grue.core.errors import GrueError
from grue.core.rows import Generation, Row
from grue.core.run import Manifest
from grue.core.task import Truncation
from grue.engine.null import open_null
from grue.engine.options import EngineOptions
from grue.engine.protocol import Job, Request
from grue.verification.findings import FAILED, NOT_ASKED, NOT_CHECKED, PASSED, Finding, capped
from grue.verification.regeneration import StoredTask

# Rules ask for no decoding.
_DECODING = Decoding(max_new_tokens=1)


def rule_texts(
    manifest: Manifest, task: StoredTask, true_rows: Sequence[Row] | None, postprocess: Callable[[str], str]
) -> list[Finding]:
    """Make all texts of a null system or the oracle again and compare.

    Args:
        manifest: Of the run.
        task: What it stores.
        true_rows: The data's rows, for the oracle, whose rows are stored without the reference it writes.
        postprocess: The task's.
    """
    rows: Sequence[Row] = tuple(task.rows[row_id] for row_id in sorted(task.rows))
    try:
        system = open_null(manifest.model.source, EngineOptions())
        if manifest.model.kind == "oracle":
            if true_rows is None:
                message = "the oracle's texts are references that its rows lack; --data compares with them"
                return [Finding(check="texts", status=NOT_ASKED, task=task.name, message=message)]
            rows = system.covered(true_rows)
        job = Job(
            decoding=_DECODING,
            truncation=Truncation("right", 1),
            seed=manifest.seed,
            rows=rows,
            samples=task.manifest.samples,
        )
        known = {row.id: row for row in rows}
        requests = [Request(known[key[0]], key[1]) for key in sorted(task.generations) if key[0] in known]
        made = [one for portion in system.generate(requests, job) for one in portion.generations]
    except GrueError as error:
        message = f"{manifest.model.source} cannot be asked: {error.cause}"
        return [Finding(check="texts", status=NOT_CHECKED, task=task.name, message=message)]
    faults = [
        Finding(check="texts", status=FAILED, task=task.name, place=f"{task.place}: id {again.id}", message=fault)
        for again in made
        if (fault := _difference(task.generations[again.id, again.sample], again, manifest, postprocess))
    ]
    if faults:
        return capped(faults)
    message = f"all {len(made)} texts are those that {manifest.model.source} writes"
    return [Finding(check="texts", status=PASSED, task=task.name, message=message)]


def _difference(
    stored: Generation, again: Generation, manifest: Manifest, postprocess: Callable[[str], str]
) -> str | None:
    """What is not as the rule writes it."""
    if _raw(stored) != again.prediction and stored.prediction != postprocess(again.prediction):
        return f"is {_raw(stored)!r}, {manifest.model.source} writes {again.prediction!r}"
    for name in ("prompt", "finish_reason", "prompt_tokens", "generated_tokens", "prompt_cut"):
        if getattr(stored, name) is not None:
            return f"{name} is {getattr(stored, name)!r}, where no model ran"
    return None


def _raw(made: Generation) -> str:
    return made.prediction if made.raw is None else made.raw
