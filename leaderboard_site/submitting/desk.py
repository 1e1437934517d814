"""The desk of a server: has uploads checked, keeps them until their sender is known, and queues them."""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from anyio import to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from ulid import ULID

from grue.core.errors import StoreError, UsageError
from grue.store.service import submissions
from grue.store.service.values import OPEN, NewSubmission, QuotaError, Submission, Usage, User
from grue.submissions.check import CheckedUpload, UploadLimits
from grue.submissions.chunks import ChunkedUploads
from leaderboard_site.submitting.checking import Checks, being_published
from leaderboard_site.submitting.checks import Ground, check_checkpoint, check_file
from leaderboard_site.submitting.pending import Pending, PendingUploads
from leaderboard_site.submitting.refusals import RefusalError

if TYPE_CHECKING:
    from grue.submissions.expected import Expected
    from leaderboard_site.service import Service

T = TypeVar("T")
RECEIVING = 64  # uploads that come in at a time
_TIDY_SECONDS = 300.0
_PENDING_UPLOADS = 40  # of full size, that are kept at a time


class Desk:
    """What the routes of submissions share in one server.

    Args:
        service: The board's settings, store and artifacts.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self.checks = Checks()
        self.limits = UploadLimits.of(service.settings)
        home = service.settings.home
        self.pending = PendingUploads(home / "pending", _PENDING_UPLOADS * self.limits.file_bytes)
        self.chunks = ChunkedUploads(home / "incoming", self.limits)
        self._receiving = 0
        self._tidied = float("-inf")

    @asynccontextmanager
    async def receiving(self) -> AsyncIterator[Path]:
        """A folder to receive into, gone afterwards unless it was kept.

        Raises:
            RefusalError: 429 where too many come in at a time, or there is no room.
        """
        if self._receiving >= RECEIVING:
            raise RefusalError(429, "Many uploads are coming in", "Try again in a few seconds.", retry_after=10)
        self._receiving += 1
        try:
            work = await to_thread.run_sync(self._new_folder)
            try:
                yield work
            finally:
                await to_thread.run_sync(partial(shutil.rmtree, work, ignore_errors=True))
        finally:
            self._receiving -= 1

    def _new_folder(self) -> Path:
        if time.monotonic() - self._tidied > _TIDY_SECONDS:
            self._tidied = time.monotonic()
            self.pending.sweep()
            self.chunks.collect()
        return self.pending.work_folder()

    def expected(self) -> Expected:
        """The rows that a submission answers.

        Raises:
            RefusalError: 409 where the host has not published them yet.
        """
        found = self.rows()
        if found is None:
            raise not_open(self.service.settings.split)
        return found

    def rows(self) -> Expected | None:
        """The same, or ``None`` where there are none.

        Raises:
            RefusalError: 409 for the moment in which a worker publishes others.
        """
        try:
            return self.service.expected()
        except StoreError:
            raise being_published() from None

    async def check(self, kind: str, path: Path, work: Path) -> CheckedUpload:
        """Check a prediction file or an archive, in another process."""
        expected = await to_thread.run_sync(self.expected)
        settings = self.service.settings
        ground = Ground(settings.artifacts, settings.home / "cache", settings.split, expected.sha256)
        return await self.checks.run(check_file, ground, kind, path, self.limits, work)

    async def check_folder(self, folder: Path) -> CheckedUpload:
        """Check the files of a checkpoint, in another process."""
        return await self.checks.run(check_checkpoint, folder, self.limits)

    async def attempt(self, user: User | None) -> None:
        """Count a checked upload to an account; those of nobody are counted by their address.

        Raises:
            RefusalError: 429 where the account has none left today.
        """
        if user is not None:
            await in_store(submissions.count_attempt, self.service.store, user.user_id, self.service.limits)

    async def usage(self, user: User) -> Usage:
        """What an account has used of its quotas."""
        return await in_store(submissions.usage, self.service.store, user.user_id, self.service.limits)

    async def submit(self, user: User, pending: Pending) -> Submission:
        """Store an upload and queue it: all or nothing.

        Raises:
            RefusalError: 429 beyond a quota, 409 where the same content runs already or a task is closed.
        """
        if not await to_thread.run_sync(self.pending.claim, pending):
            raise RefusalError(
                409, "It is being submitted", "Another request submits this upload now; look at the queue."
            )
        try:
            if pending.counted_for != user.user_id:
                await self.attempt(user)
            made = await to_thread.run_sync(self._store, user, pending)
        except BaseException:
            await to_thread.run_sync(self.pending.unclaim, pending)
            raise
        await to_thread.run_sync(self.pending.done, pending, made.submission_id)
        return made

    def _store(self, user: User, pending: Pending) -> Submission:
        service, settings, said = self.service, self.service.settings, pending.said
        key = self._stored(pending)
        new = NewSubmission(
            user_id=user.user_id,
            name=said.name,
            kind=pending.kind,
            upload=key,
            model=pending.model,
            revision=pending.revision,
            split=settings.split,
            tasks=tuple(task.task for task in pending.tasks),
            is_public=said.is_public,
            description=said.description,
            url=said.url,
            licence=said.licence,
            trained_on=said.trained_on,
            contamination=said.contamination,
            rows=pending.rows,
            content_sha256=pending.content_sha256,
            is_hidden=settings.is_hidden,
        )
        try:
            return submissions.submit(service.store, new, service.limits)
        except BaseException as error:  # noqa: BLE001 - raised again below
            # No row was made, so nothing will ever point at the content.
            if key:
                service.artifacts.delete(key)
            if isinstance(error, UsageError) and (first := self._on_its_way(new)) is not None:
                raise RefusalError(
                    409,
                    "The same content is on its way already",
                    "Wait for its result, or cancel it.",
                    submission=first.submission_id,
                    url=f"/submissions/{first.submission_id}",
                ) from None
            raise refused(error) from None

    def _stored(self, pending: Pending) -> str:
        """Put the content into the artifacts; its key."""
        if not pending.content:
            return ""
        path, top = self.pending.path(pending), f"uploads/{ULID()}"
        if path.is_dir():
            self.service.artifacts.put_folder(path, top)
            return top
        key = f"{top}/{stored_name(path, pending.kind)}"
        self.service.artifacts.put_file(path, key)
        return key

    def _on_its_way(self, new: NewSubmission) -> Submission | None:
        for one in submissions.submissions_of(self.service.store, new.user_id).submissions:
            same = (one.content_sha256, one.kind, one.split) == (new.content_sha256, new.kind, new.split)
            if same and one.status in OPEN:
                return one
        return None


def close_desk(app: Starlette) -> None:
    """End the checking processes of a server that stops; one that checks now would hold it up."""
    if hasattr(app.state, "desk"):
        app.state.desk.checks.close()


def desk_of(request: Request) -> Desk:
    """The desk of the server that answers."""
    state = request.app.state
    if not hasattr(state, "desk"):
        state.desk = Desk(state.service)
        state.desk.checks.warm()
    desk: Desk = state.desk
    return desk


async def in_store(function: Callable[..., T], *args: object, **kwargs: object) -> T:
    """Call a function of the store in a thread; what it refuses becomes a refusal."""
    return await to_thread.run_sync(partial(asked, function, *args, **kwargs))


def asked(function: Callable[..., T], *args: object, **kwargs: object) -> T:
    """Call a function of the store; what it refuses becomes a refusal.

    Raises:
        RefusalError: 429 beyond a quota, 409 for what may not be done now.
    """
    try:
        return function(*args, **kwargs)
    except (QuotaError, UsageError) as error:
        raise refused(error) from None


def refused(error: BaseException) -> BaseException:
    """What the store refuses, as a refusal; any other error as it is."""
    if isinstance(error, QuotaError):
        detail = f"{error.cause} {error.fix}".strip()
        return RefusalError(429, "The quota is used up", detail, retry_after=error.retry_after, quota=error.what)
    if isinstance(error, UsageError):
        return RefusalError(409, "That cannot be done now", f"{error.cause} {error.fix}".strip())
    return error


def not_open(split: str) -> RefusalError:
    """The refusal of a board whose rows are not published."""
    return RefusalError(
        409,
        "This board does not take submissions yet",
        f"The rows of the split {split} are not published. A worker does that when it starts: the host runs "
        "'grue worker' where the labels are, or 'grue serve' without --no-worker.",
    )


def stored_name(path: Path, kind: str) -> str:
    """A name of ours for an upload, by what it begins with."""
    with path.open("rb") as file:
        head = file.read(2)
    if kind == "run":
        return "run.zip" if head == b"PK" else "run.tar.gz"
    return "predictions.jsonl.gz" if head == b"\x1f\x8b" else "predictions.jsonl"
