"""Takes an upload in: receives it, has it checked and keeps it; the same for the form and the API."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from anyio import to_thread

from grue.core.errors import CheckpointError, SubmissionError, UsageError
from grue.core.text import sha256_text
from grue.store.service.values import User
from grue.submissions.check import CheckedUpload, UploadProblem
from grue.submissions.hub import pinned
from grue.submissions.model_files import name_problems
from leaderboard_site.submitting.desk import Desk
from leaderboard_site.submitting.fields import FieldFault, Said
from leaderboard_site.submitting.pending import Pending, RowSeen, TaskSeen
from leaderboard_site.submitting.receiving import BodyLimits, Received, ReceivedFile
from leaderboard_site.submitting.refusals import RefusalError

MODEL_FILES = 200
_MODEL = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What an upload turned out to be, before it is kept.

    Attributes:
        checked: Counts, or all faults.
        path: File or folder that will be stored; ``None`` for a checkpoint of the hub.
        tasks: What will be scored.
        rows: Rows of it.
        chunked: Id of the checkpoint that came in pieces; empty otherwise.
    """

    checked: CheckedUpload
    path: Path | None
    file_name: str
    size_bytes: int
    tasks: Sequence[TaskSeen]
    rows: int
    content_sha256: str
    model: str = ""
    revision: str = ""
    chunked: str = ""


class MissingError(Exception):
    """A field that the content needs, or that names none."""

    def __init__(self, fault: FieldFault) -> None:
        super().__init__(fault.problem)
        self.fault = fault


def body_limits(desk: Desk, kind: str, *, may_send_models: bool) -> BodyLimits:
    """What a form of that kind may hold."""
    if kind != _MODEL:
        return BodyLimits(file_bytes=desk.limits.file_bytes)
    # Larger checkpoints come in pieces.
    return BodyLimits(file_bytes=desk.limits.file_bytes if may_send_models else 0, files=MODEL_FILES)


async def read_content(desk: Desk, kind: str, received: Received, work: Path, user: User | None) -> Content:
    """Check what came; one attempt of the account.

    Raises:
        MissingError: where there is nothing to check.
        RefusalError: 429 beyond a quota, 422 for what cannot be checked.
    """
    if kind == _MODEL:
        return await _checkpoint(desk, received, work, user)
    if not received.files:
        raise MissingError(FieldFault("file", "No file came.", "Choose a file."))
    file = received.files[0]
    await desk.attempt(user)
    checked = await desk.check(kind, file.path, work)
    return Content(
        checked=checked,
        path=file.path,
        file_name=file.name,
        size_bytes=file.size_bytes,
        tasks=tuple(
            TaskSeen(name, one.rows, one.expected, one.empty, one.samples, one.mean_words)
            for name, one in checked.tasks.items()
        ),
        rows=checked.rows,
        content_sha256=checked.content_sha256,
    )


async def keep(desk: Desk, work: Path, content: Content, said: Said, *, browser: str, user: User | None) -> Pending:
    """Keep a sound upload until it is submitted."""
    return await to_thread.run_sync(partial(_kept, desk, work, content, said, browser=browser, user=user))


def _kept(desk: Desk, work: Path, content: Content, said: Said, *, browser: str, user: User | None) -> Pending:
    name = ""
    if content.path is not None:
        name = _MODEL if content.path.is_dir() else "upload"
        if content.path != work / name:
            shutil.move(content.path, work / name)
    for path in work.iterdir():
        if path.name != name:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    first = content.checked.first
    kept = desk.pending.keep(
        work,
        Pending(
            upload_id="",
            browser=browser,
            counted_for=user.user_id if user else "",
            created_at=0.0,
            kind=content.checked.kind,
            said=said,
            file_name=content.file_name,
            size_bytes=content.size_bytes,
            content=name,
            tasks=tuple(content.tasks),
            first=RowSeen(first[0], first[1].id, first[1].prompt, first[2]) if first else None,
            rows=content.rows,
            content_sha256=content.content_sha256,
            notes=content.checked.notes,
            model=content.model,
            revision=content.revision,
        ),
    )
    if content.chunked and user:
        desk.chunks.drop(content.chunked, owner=user.user_id)
    return kept


async def _checkpoint(desk: Desk, received: Received, work: Path, user: User | None) -> Content:
    """A checkpoint by its hub id, by files that came in pieces, or by files of this very form."""
    model, chunked = received.fields.get("model", "").strip(), received.fields.get("checkpoint", "").strip()
    if not (model or chunked or received.files):
        raise MissingError(FieldFault(_MODEL, "Nothing names a checkpoint.", "Give a hub id, or choose its files."))
    if not model and user is None:
        raise RefusalError(401, "Sign in first", "Files of a checkpoint are taken from signed-in submitters.")
    await desk.attempt(user)
    expected = await to_thread.run_sync(desk.expected)
    tasks = tuple(TaskSeen(name, len(rows), len(rows), 0, 1, None) for name, rows in expected.tasks.items())
    if model:
        return await _of_hub(desk, model, received.fields.get("revision", "").strip() or "main", tasks, expected.rows)
    folder, name = work / _MODEL, "checkpoint"
    if chunked and user is not None:
        try:
            folder = await to_thread.run_sync(partial(desk.chunks.model_folder, chunked, owner=user.user_id))
        except (UsageError, SubmissionError) as error:
            raise RefusalError(409, "The upload is not whole", _told(error)) from None
    else:
        faults = await to_thread.run_sync(partial(_named, desk, received.files, folder))
        if faults:
            checked = CheckedUpload(kind="model", problems=tuple(faults[:100]), problem_count=len(faults))
            return _content(checked, folder, name, tasks, expected.rows)
    checked = await desk.check_folder(folder)
    content = replace(_content(checked, folder, name, tasks, expected.rows), chunked=chunked)
    if chunked and user is not None and not checked.is_valid:
        # It will not become valid; what is mended is sent anew.
        await to_thread.run_sync(partial(desk.chunks.drop, chunked, owner=user.user_id))
    return content


async def _of_hub(desk: Desk, model: str, revision: str, tasks: Sequence[TaskSeen], rows: int) -> Content:
    if not desk.service.settings.hub:
        raise MissingError(FieldFault(_MODEL, "This board asks no hub.", "Send the files of the checkpoint."))
    try:
        found = await to_thread.run_sync(partial(pinned, model, revision, desk.limits))
    except (UsageError, CheckpointError) as error:
        raise MissingError(FieldFault(_MODEL, error.cause, error.fix)) from None
    return Content(
        checked=CheckedUpload(kind="model"),
        path=None,
        file_name="",
        size_bytes=found.size,
        tasks=tasks,
        rows=rows,
        content_sha256=sha256_text(f"{found.model}@{found.revision}"),
        model=found.model,
        revision=found.revision,
    )


def _named(desk: Desk, files: Sequence[ReceivedFile], folder: Path) -> list[UploadProblem]:
    """Give the files of a checkpoint their names, where those are ones that it may have."""
    folder.mkdir()
    faults = []
    for file in files:
        name = file.name.replace("\\", "/").rpartition("/")[2]
        if problems := name_problems(name, file.size_bytes, desk.limits):
            faults += problems
        elif (folder / name).exists():
            faults.append(UploadProblem(None, name, "The file came twice.", "Send each file once."))
        else:
            file.path.rename(folder / name)
    return faults


def _content(checked: CheckedUpload, folder: Path, name: str, tasks: Sequence[TaskSeen], rows: int) -> Content:
    size = sum(path.stat().st_size for path in folder.iterdir())
    return Content(
        checked=checked,
        path=folder,
        file_name=name,
        size_bytes=size,
        tasks=tasks,
        rows=rows,
        content_sha256=checked.content_sha256,
    )


def _told(error: UsageError | SubmissionError) -> str:
    place = f"{error.place}: " if error.place else ""
    return f"{place}{error.cause} {error.fix}".strip()
