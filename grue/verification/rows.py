"""Are the rows of a run those of its manifest, its texts processed as the task does it, and its data the real ones?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from grue.core.errors import GrueError, RunDirectoryError
from grue.core.rows import Generation, Row
from grue.core.run import ModelInfo, TaskManifest
from grue.core.task import Setting, Task
from grue.core.text import canonical_json
from grue.data.location import TaskAbsentError, locate
from grue.data.split import SplitData, load_split
from grue.engine.null import ORACLE, open_null
from grue.engine.options import EngineOptions
from grue.evaluation.generate import message_of
from grue.evaluation.selection import suite_of, working_settings
from grue.registry.tasks import load_task
from grue.runs.read import StoredRun
from grue.runs.rows import IMPORTED, is_whole, row_faults
from grue.verification.findings import FAILED, NOT_ASKED, NOT_CHECKED, PASSED, Finding, capped

EMBEDDED = "mini"


def stored_rows(stored: StoredRun, task: str) -> list[Finding]:
    """Whether the stored rows are those of the manifest."""
    try:
        faults = [
            Finding(check="rows", status=FAILED, task=task, place=fault.place, message=fault.cause)
            for fault in row_faults(stored, task)
        ]
        faults += list(_statistics(stored, task))
        if faults:
            return capped(faults)
        if stored.manifest["model"]["kind"] == IMPORTED:
            message = "prompts_sha256 and data.sha256 are the other program's, made of more than the samples hold"
            return [Finding(check="rows", status=NOT_CHECKED, task=task, message=message)]
        if not is_whole(stored, task):
            message = "prompts_sha256 and data.sha256 are made of rows that the run does not store"
            return [Finding(check="rows", status=NOT_ASKED, task=task, message=f"{message}; --data compares with them")]
    except RunDirectoryError as error:
        return [Finding(check="rows", status=FAILED, task=task, place=error.place, message=error.cause)]
    message = "stored rows give the prompts_sha256 and data.sha256 of the manifest, ids in order, each once"
    return [Finding(check="rows", status=PASSED, task=task, message=message)]


def _statistics(stored: StoredRun, task: str) -> Iterator[Finding]:
    """The statistics stand for the generations that the samples hold."""
    keys = ("id", "sample")
    samples, statistics = stored.samples(task, keys), stored.statistics(task, keys)
    if samples.to_pydict() != statistics.to_pydict():
        place = str(stored.path / "statistics" / f"{task}.parquet")
        message = "id and sample are not those of the samples"
        yield Finding(check="rows", status=FAILED, task=task, place=place, message=message)


def prediction_file(
    model: ModelInfo, arguments: Mapping[str, object], texts: Mapping[str, Sequence[Generation]]
) -> Finding | None:
    """For a run of a prediction file: whether the texts are those that its hash was made of; else ``None``."""
    if model.kind != "predictions":
        return None
    if arguments.get("rescored_from"):
        message = "texts of a prediction file that was scored again: the hash may cover tasks that are not here"
        return Finding(check="texts", status=NOT_CHECKED, message=message)
    digest = hashlib.sha256()
    for task in sorted(texts):
        by_row: dict[str, list[str]] = {}
        for made in sorted(texts[task], key=lambda one: (one.id, one.sample)):
            by_row.setdefault(made.id, []).append(made.prediction if made.raw is None else made.raw)
        for row_id in sorted(by_row):
            digest.update(f"{canonical_json([task, row_id, by_row[row_id]])}\n".encode())
    if digest.hexdigest() == model.weights_sha256:
        return Finding(check="texts", status=PASSED, message="the texts are those of the prediction file, by its hash")
    return Finding(
        check="texts",
        status=FAILED,
        place="manifest.json: model.weights_sha256",
        message=f"the prediction file had the hash {str(model.weights_sha256)[:12]}…, the stored texts give "
        f"{digest.hexdigest()[:12]}…",
    )


def process_of(stored: StoredRun, task: str, include: Sequence[Path]) -> Callable[[str], str]:
    """The task's post-processing, as the run's profile has it.

    Raises:
        GrueError: where the task is not to be had here.
    """
    plugin = load_task(task, include)
    suite, _ = suite_of(plugin, (asked := stored.manifest_value().tasks[task]).profile, _switches(asked, plugin))
    return suite.postprocess or str


def wrongly_processed(
    stored: StoredRun, task: str, generations: Sequence[Generation], include: Sequence[Path]
) -> list[Finding]:
    """Predictions that are not what the task's post-processing makes of the text as decoded; none where all are."""
    try:
        process = process_of(stored, task, include)
        made = [(one, process(one.prediction if one.raw is None else one.raw)) for one in generations]
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything
        message = f"the task's post-processing cannot be asked: {message_of(error)}"
        return [Finding(check="texts", status=NOT_CHECKED, task=task, message=message)]
    place = stored.path / "samples" / f"{task}.parquet"
    return capped(
        [
            Finding(
                check="texts",
                status=FAILED,
                task=task,
                place=f"{place}: id {one.id}",
                message=f"prediction is {one.prediction!r}, the task's post-processing gives {text!r}",
            )
            for one, text in made
            if text != one.prediction
        ]
    )


def true_rows(
    stored: StoredRun, task: str, data: str | None, include: Sequence[Path], *, offline: bool
) -> tuple[Row, ...] | None:
    """The task's rows in its data; ``None`` where no data was named and the rows are not embedded, or it lacks them."""
    asked = stored.manifest_value().tasks[task]
    if data is None and asked.data.source != EMBEDDED:
        return None
    try:
        return _read(task, asked, data or EMBEDDED, include, offline=offline).rows
    except GrueError:
        return None


def real_data(
    stored: StoredRun, task: str, rows: Mapping[str, Row], data: str | None, include: Sequence[Path], *, offline: bool
) -> list[Finding]:
    """Whether the rows are those of the task's data; the rows inside the package are always compared.

    Args:
        stored: The run.
        task: Name of the task.
        rows: Its stored rows by id.
        data: ``mini``, ``hub`` or a folder; ``None`` where none was named.
        include: Task plugins outside the installed packages.
        offline: Look at local files only.

    Raises:
        GrueError: where data that the user names cannot be read.
    """
    asked = stored.manifest_value().tasks[task]
    if data is None and asked.data.source != EMBEDDED:
        message = "prompts and references were not compared with the task's data; --data does that"
        return [Finding(check="data", status=NOT_ASKED, task=task, message=message)]
    place = str(stored.path / "samples" / f"{task}.parquet")
    try:
        true = _read(task, asked, data or EMBEDDED, include, offline=offline)
    except GrueError as error:
        if data is not None and not isinstance(error, TaskAbsentError):
            raise
        message = f"the task's data cannot be read: {error.place + ': ' if error.place else ''}{error.cause}"
        return [Finding(check="data", status=NOT_CHECKED, task=task, message=message)]
    expected = {row.id: row for row in true.rows}
    if stored.manifest["model"]["kind"] == "oracle":
        expected = {row.id: row for row in open_null(ORACLE, EngineOptions()).covered(true.rows)}
    faults = []
    if true.info.sha256 != asked.data.sha256:
        message = f"data.sha256 is {asked.data.sha256[:12]}…, the data have {true.info.sha256[:12]}…"
        key = f"{stored.path / 'manifest.json'}: tasks.{task}.data.sha256"
        faults.append(Finding(check="data", status=FAILED, task=task, place=key, message=message))
    if true.info.rows != asked.data.rows:
        message = f"data.rows is {asked.data.rows}, the split has {true.info.rows}"
        key = f"{stored.path / 'manifest.json'}: tasks.{task}.data.rows"
        faults.append(Finding(check="data", status=FAILED, task=task, place=key, message=message))
    for row_id in sorted(rows.keys() | expected.keys()):
        fault = _difference(rows.get(row_id), expected.get(row_id))
        missing_here = row_id not in rows and stored.results["tasks"][task].get("error") is not None
        if fault and not missing_here:
            faults.append(Finding(check="data", status=FAILED, task=task, place=f"{place}: id {row_id}", message=fault))
    if faults:
        return capped(faults)
    where = {"mini": "inside the package", "hub": "of the hub"}.get(data or EMBEDDED, f"in {data}")
    message = f"{len(rows)} rows are those {where}: prompts, references and inputs"
    return [Finding(check="data", status=PASSED, task=task, message=message)]


def _difference(found: Row | None, true: Row | None) -> str | None:
    if true is None:
        return "is no row of the data"
    if found is None:
        return "is a row of the data that the run lacks"
    if found.prompt != true.prompt:
        return f"prompt is {found.prompt!r}, the data have {true.prompt!r}"
    if found.references != true.references:
        return f"references are {list(found.references)!r}, the data have {list(true.references)!r}"
    if canonical_json(dict(found.inputs)) != canonical_json(dict(true.inputs)):
        return "inputs are not those of the data"
    return None


def _read(task: str, asked: TaskManifest, data: str, include: Sequence[Path], *, offline: bool) -> SplitData:
    plugin = load_task(task, include)
    suite, _ = suite_of(plugin, asked.profile, _switches(asked, plugin))
    location = locate(data, data)
    home = working_settings().home
    return load_split(plugin, suite, asked.split, location, home=home, limit=asked.limit, offline=offline)


def _switches(asked: TaskManifest, task: Task) -> dict[str, dict[str, Setting]]:
    """The quirks of the run and no other."""
    return {task.name: {quirk.key: quirk.key in asked.quirks for quirk in task.quirks}}
