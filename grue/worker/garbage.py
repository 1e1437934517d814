"""What workers that died left behind, and texts that are kept no longer."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from grue.core.errors import RunDirectoryError, StoreError
from grue.runs.lock import FolderLock
from grue.store.database import Store
from grue.store.service.submissions import expired_uploads, texts_deleted
from grue.store.service.values import Submission
from grue.submissions.artifacts import Artifacts
from grue.submissions.settings import ServiceSettings
from grue.worker.uploads import CHECKPOINTS

WORKERS = "workers"
# Checkpoints of the hub are kept for so long after their last use.
CHECKPOINT_SECONDS = 2 * 86400


def drop_dead_folders(home: Path) -> None:
    """Delete the folders of workers of this machine that are no more; the system freed their locks."""
    for folder in (home / WORKERS).glob("*"):
        with suppress(RunDirectoryError, OSError):
            lock = FolderLock.acquire(folder)
            try:
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                lock.release()


def drop_old_checkpoints(home: Path) -> None:
    """Delete checkpoints of the hub that no job has asked for lately."""
    for folder in (home / CHECKPOINTS).glob("*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > CHECKPOINT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def delete_withdrawn(
    settings: ServiceSettings, store: Store, places: tuple[Artifacts, ...], tell: Callable[[str], None]
) -> None:
    """Delete upload, generations and samples of submissions that were withdrawn long enough ago.

    Numbers stay in the index, where no public page shows them.
    """
    for submission in expired_uploads(store, settings.withdrawn_days):
        try:
            for artifacts in places:
                for key in _texts(submission):
                    artifacts.delete(key)
            texts_deleted(store, submission.submission_id)
        except StoreError as error:
            tell(f"{submission.submission_id}: its texts are not deleted yet: {error.cause}")
            continue
        tell(f"{submission.submission_id}: its texts are deleted.")


def _texts(submission: Submission) -> list[str]:
    keys = [f"partial/{submission.job_id}"]
    if submission.upload:
        keys.append(submission.upload)
    if submission.run_id:
        keys.append(f"runs/{submission.run_id}")
    return keys
