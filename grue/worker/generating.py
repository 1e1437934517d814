"""The program of the first step: generates for rows without labels, where it reaches nothing but the checkpoint.

What it writes is a part of a run, the only one: generations appended as they come, so that another start goes on.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from grue.core.rows import Generation, Row, data_sha256, prompts_sha256
from grue.core.run import DataInfo, Shard
from grue.core.task import STANDARD
from grue.core.text import Json
from grue.worker.programs import answers, die_with_parent
from grue.worker.reasons import BAD_CHECKPOINT, MEMORY, NAN, NOT_NUMBERS, OUT_OF_MEMORY, JobError, is_memory, of_error

if TYPE_CHECKING:
    from grue.evaluation.progress import Workload
    from grue.evaluation.selection import Selected, TaskRows

REQUEST = "request.json"
RUN = "run"
TELL_SECONDS = 0.5
SHOWN_CHARACTERS = 300

Say = Callable[[Mapping[str, Json]], None]


def main(parent: int) -> None:
    """Generate for the rows in the working folder."""
    begun = time.perf_counter()
    die_with_parent(parent)
    say = answers()
    request = json.loads(Path(REQUEST).read_text())
    try:
        generate({**request, "checkpoint": sys.argv[1]}, Path(RUN), say, begun)
        say({"kind": "done"})
    except Exception as error:  # noqa: BLE001 - a checkpoint may bring about anything; the worker says what it means
        say({"kind": "failed", **asdict(of_error(error))})
        sys.exit(1)


def generate(request: Mapping[str, str], out: Path, say: Say, begun: float) -> None:
    """Generate what is missing into a run directory.

    Args:
        request: ``checkpoint``, ``rows`` (a folder of ``<task>.jsonl``), ``split``, ``name``.
        out: The run directory.
        say: Takes progress.
        begun: When the program began, by ``time.perf_counter``.

    Raises:
        GrueError: for a checkpoint that cannot be used.
        JobError: where not every row got a text.
    """
    from grue.engine.loading import LoadsAhead
    from grue.engine.open import EngineOptions, open_engine
    from grue.evaluation.call import GenerationCall, RowsCall
    from grue.evaluation.plan import plan
    from grue.evaluation.run import execute
    from grue.evaluation.selection import working_settings
    from grue.runs.read import read_run

    options = EngineOptions(name=request["name"], offline=True, home=working_settings().home)
    engine = open_engine(request["checkpoint"], options)
    try:
        for note in engine.notes:
            say({"kind": "note", "text": note})
        if isinstance(engine, LoadsAhead):
            engine.load_ahead()
        selected = _selected(Path(request["rows"]), request["split"])
        call = RowsCall(tasks=",".join(selected.tasks), split=request["split"])
        planned = plan(engine, selected, call, GenerationCall(shard=Shard(number=1, of=1)), {})
        progress = _Progress(say)
        _drop_other(out, planned.manifest.identity, say)
        execute(planned, engine, out, fresh=False, progress=progress, begun=begun)
    finally:
        engine.close()
    for name, result in read_run(out, shard=True).results_value().tasks.items():
        if result.failed:
            raise _failure(name, result.error or "", result.failed, result.expected)


def _failure(task: str, error: str, failed: int, expected: int) -> JobError:
    shown = f"{task}: {failed} of {expected} rows got no text."
    if "logits that are no numbers" in error:
        return JobError(NOT_NUMBERS, f"{shown} {NAN}", is_ours=False, note=error)
    if is_memory(error):
        return JobError(OUT_OF_MEMORY, f"{shown} {MEMORY}", is_ours=False, note=error)
    detail = f"{shown} {error[:SHOWN_CHARACTERS]} 'grue eval -m FOLDER -t {task}' shows it on your machine."
    return JobError(BAD_CHECKPOINT, detail, is_ours=False, note=error)


def _selected(folder: Path, split: str) -> Selected:
    from grue.evaluation.selection import Selected, working_settings

    tasks = {path.stem: _task(path, split) for path in sorted(folder.glob("*.jsonl"))}
    return Selected(tasks=tasks, passed_over=(), settings=working_settings())


def _task(path: Path, split: str) -> TaskRows:
    """A task with rows that have prompts and nothing else, and no metric."""
    from grue.evaluation.selection import TaskRows, suite_of
    from grue.evaluation.suite import BuiltSuite
    from grue.registry.tasks import load_task

    task = load_task(path.stem)
    suite, quirks = suite_of(task, STANDARD, {})
    with path.open(encoding="utf-8") as file:
        rows = tuple(Row(value["id"], value["prompt"]) for value in map(json.loads, file))
    info = DataInfo(source="folder", id=None, revision=None, sha256=data_sha256(rows), rows=len(rows))
    return TaskRows(
        task=task,
        suite=suite,
        quirks=quirks,
        built=BuiltSuite({}, {}),
        rows=rows,
        split=split,
        data=info,
        prompts_sha256=prompts_sha256(rows),
    )


def _drop_other(out: Path, identity: str, say: Say) -> None:
    """Start anew where what is there was made with another number type, version or set of rows."""
    import shutil

    from grue.runs.fields import read_document
    from grue.runs.read import MANIFEST
    from grue.runs.values import manifest_value

    if (out / MANIFEST).is_file() and manifest_value(read_document(out / MANIFEST)).identity != identity:
        say({"kind": "note", "text": "What an earlier attempt generated does not fit this worker: it begins anew."})
        shutil.rmtree(out)


class _Progress:
    """Tells the worker how far it is, and no more than twice a second."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._total = self._done = self._stored = 0
        self._task = ""
        self._begun = time.monotonic()
        self._told = 0.0

    def start(self, workloads: Sequence[Workload]) -> None:
        """All that there is to do."""
        self._total = sum(one.total for one in workloads)
        self._done = self._stored = sum(one.stored for one in workloads)
        self._tell()

    def phase(self, text: str) -> None:
        """Loading begins; its text names a file of this machine."""

    def task(self, name: str) -> None:
        """Generation of a task begins: the rate is that since the first one."""
        if not self._task:
            self._begun = time.monotonic()
        self._task = name
        self._tell()

    def advance(self, task: str, generations: Sequence[Generation], seconds: float) -> None:  # noqa: ARG002
        """Generations were stored."""
        self._done += len(generations)
        if time.monotonic() - self._told >= TELL_SECONDS or self._done >= self._total:
            self._tell()

    def note(self, text: str) -> None:
        """Nothing: notes name files of this machine."""

    def stop(self) -> None:
        """Nothing."""

    def _tell(self) -> None:
        self._told = now = time.monotonic()
        made, seconds = self._done - self._stored, now - self._begun
        rate = made / seconds if made and seconds > 0 else None
        self._say(
            {
                "kind": "progress",
                "task": self._task,
                "rows_done": self._done,
                "rows_total": self._total,
                "rate": rate,
                "seconds_left": (self._total - self._done) / rate if rate else None,
            }
        )
