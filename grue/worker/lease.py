"""Holds a job: tells the store that its worker lives, and finds out when the job is another's."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from grue.core.errors import StoreError
from grue.store.database import Store
from grue.store.service import jobs
from grue.store.service.values import Job, Progress
from grue.submissions.settings import ServiceSettings
from grue.worker.reasons import LostError, StoppedError

# News of how far a job is are told that soon, without waiting for the next heartbeat.
TELL_SECONDS = 2.0


class Lease:
    """A claimed job while it is worked on; use it as a context manager.

    A thread extends the lease. Where the store says that the attempt is no longer this worker's, or cannot be asked
    for longer than a lease lasts, the job is lost: ``check`` raises, and nothing may be written for it any more.
    """

    def __init__(self, store: Store, job: Job, worker: str, settings: ServiceSettings, stop: threading.Event) -> None:
        self.job = job
        self._store, self._worker, self._stop = store, worker, stop
        self._lease_seconds, self._every = settings.lease_seconds, settings.heartbeat_seconds
        self._progress: Progress | None = None
        self._told: Progress | None = None
        self._lost = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="grue-heartbeat", daemon=True)
        self._guard = threading.Lock()

    def tell(self, progress: Progress) -> None:
        """How far the job is; told soon."""
        self._progress = progress

    def check(self) -> None:
        """Go on only where the job is still this worker's.

        Raises:
            LostError: where it is not.
            StoppedError: where the worker was asked to stop.
        """
        if self._lost.is_set():
            raise LostError
        if self._stop.is_set():
            raise StoppedError

    def beat(self) -> None:
        """Extend the lease now.

        Raises:
            LostError: where the job is no longer this worker's.
            StoreError: where the store cannot be asked.
        """
        with self._guard:
            held = jobs.heartbeat(
                self._store, self.job.job_id, self.job.attempt, self._lease_seconds, progress=self._progress
            )
        if not held:
            self._lost.set()
            raise LostError

    def __enter__(self) -> Lease:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        held = time.monotonic()
        while not self._over.wait(min(self._every, TELL_SECONDS)):
            if self._progress is self._told and time.monotonic() - held < self._every:
                continue
            try:
                self._told = self._progress
                self.beat()
                jobs.seen(self._store, self._worker, self.job.job_id)
                held = time.monotonic()
            except LostError:
                return
            except StoreError:
                # A database that restarts costs no job, as long as the lease lasts.
                if time.monotonic() - held > self._lease_seconds:
                    self._lost.set()
                    return
