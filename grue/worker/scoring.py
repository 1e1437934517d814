"""The program of the second step: reads rows with their labels and texts, and makes an ordinary run directory.

It is trusted, and reads texts alone: a prediction file, or what the first step wrote. One process serves many jobs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grue.core.text import Json
from grue.worker.programs import answers, die_with_parent
from grue.worker.reasons import internal, of_error
from grue.worker.scored import ScoreRequest

if TYPE_CHECKING:
    from grue.evaluation.to_score import ToScore

Say = Callable[[Mapping[str, Json]], None]


def main(parent: int) -> None:
    """Answer requests, one a line, until there are no more."""
    die_with_parent(parent)
    say = answers()
    for line in sys.stdin:
        request = ScoreRequest.of(json.loads(line))
        try:
            say({"kind": "done", "status": score(request, say)})
        except Exception as error:  # noqa: BLE001 - whatever a metric or a file brings about ends one job alone
            failure = of_error(error, is_hidden=request.is_hidden)
            say({"kind": "failed", **asdict(failure)})


def score(request: ScoreRequest, say: Say) -> str:
    """Make the run directory that a request asks for; its status.

    Raises:
        JobError: where there is no whole result.
        GrueError: for a file that is not what it was when it was checked.
    """
    from grue.core import reach
    from grue.evaluation.call import OutputCall
    from grue.evaluation.score import write_all
    from grue.runs.read import read_run

    reach.set_offline(False)
    out = OutputCall(path=request.out)
    ready = _from_generations(request) if request.kind == "model" else _from_predictions(request, out)
    write_all(_as_submitted(ready, request), fresh=False, progress=_Phases(say))
    results = read_run(request.out).results_value()
    if results.status != "finished":
        errors = "; ".join(f"{name}: {result.error}" for name, result in results.tasks.items() if result.error)
        if "MemoryError" in errors:
            raise of_error(MemoryError(errors))
        raise internal(errors)
    return results.status


def _from_predictions(request: ScoreRequest, out: Any) -> ToScore:
    from grue.evaluation.from_predictions import predictions_to_score
    from grue.evaluation.to_score import ScoreCall

    call = ScoreCall(
        source=_texts_of(request),
        tasks=",".join(request.tasks) or None,
        data=request.data,
        split=request.split,
        name=request.name,
    )
    return predictions_to_score(call, out)


def _texts_of(request: ScoreRequest) -> Path:
    """The prediction file of an upload; that of an archive is taken out of it once more, by the same checks."""
    if not request.is_archive:
        return request.source
    from grue.core.errors import SubmissionError
    from grue.submissions.artifacts import Artifacts
    from grue.submissions.check import UploadLimits, check_run_archive
    from grue.submissions.expected import read_expected

    expected = read_expected(Artifacts(str(request.rows), request.work), request.split)
    if expected is None:
        raise internal(f"no rows of {request.split} are published")
    limits = UploadLimits(
        file_bytes=request.file_bytes, unpacked_bytes=request.unpacked_bytes, model_bytes=request.unpacked_bytes
    )
    checked = check_run_archive(request.source, expected, limits, request.work)
    if not checked.is_valid:
        first = checked.problems[0]
        raise SubmissionError(first.problem, first.fix)
    return request.work / "predictions.jsonl"


def _from_generations(request: ScoreRequest) -> ToScore:
    from grue.worker.from_generations import generations_to_score

    return generations_to_score(request)


def _as_submitted(ready: ToScore, request: ScoreRequest) -> ToScore:
    """The run under its own id and the submission's name, without what is this machine's alone."""
    manifest = ready.manifest
    arguments = {**manifest.arguments, "data": request.data if request.data in ("mini", "hub") else "DIR"}
    if "predictions" in arguments:
        arguments["predictions"] = "predictions.jsonl"
    model = replace(manifest.model, name=request.name)
    return replace(
        ready,
        manifest=replace(manifest, run_id=request.run_id, model=model, arguments=arguments),
        path=request.out,
    )


class _Phases:
    """Tells the worker which task is scored."""

    def __init__(self, say: Say) -> None:
        self._say = say

    def start(self, workloads: object) -> None:
        """Nothing."""

    def phase(self, text: str) -> None:
        """A task's scoring begins."""
        self._say({"kind": "phase", "text": text})

    def task(self, name: str) -> None:
        """Nothing."""

    def advance(self, task: str, generations: object, seconds: float) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing: notes name files of this machine."""

    def stop(self) -> None:
        """Nothing."""
