"""One job from its claim to its end: the two steps, the run directory put in its place, the result told."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from grue.core.errors import StoreError
from grue.core.text import Json
from grue.runs.read import read_run
from grue.store.database import Store
from grue.store.records import RunRecord, record_of
from grue.store.service import jobs
from grue.store.service.submissions import submission as submission_by_id
from grue.store.service.values import ENDED, Job, Submission
from grue.submissions.artifacts import Artifacts
from grue.submissions.check import UploadLimits
from grue.submissions.expected import Expected, read_expected, write_expected
from grue.submissions.settings import ServiceSettings
from grue.worker.about import join_events, write_about
from grue.worker.generation import Generation
from grue.worker.hidden import rounded_scores, write_public
from grue.worker.lease import Lease
from grue.worker.lines import Log, log_of
from grue.worker.partials import Partials
from grue.worker.reasons import LostError, StoppedError, internal, of_error
from grue.worker.run_ids import earlier_run_ids, run_id_of
from grue.worker.sandbox import Sandbox
from grue.worker.scored import ScoreRequest
from grue.worker.scorer import Scorer
from grue.worker.uploads import fetch_checkpoint, fetch_texts

# Between two tries to tell the store of a result while it does not answer, and for how long it is tried.
AGAIN_SECONDS = 1.0
TELLING_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """What a worker has for every job.

    Attributes:
        artifacts: Uploads and public runs.
        private: Runs on hidden splits.
        scorer: Keeps the scoring program.
        sandbox: Tells how a checkpoint is enclosed; asked when there is one.
        folder: The worker's own folder.
        tell: Takes lines for the people who run the service.
    """

    settings: ServiceSettings
    store: Store
    artifacts: Artifacts
    private: Artifacts
    scorer: Scorer
    sandbox: Callable[[], Sandbox]
    folder: Path
    tell: Callable[[str], None]


def work_on(place: Workplace, job: Job, lease: Lease) -> None:
    """Bring a claimed job to its end, whatever that is.

    Raises:
        StoppedError: where the worker is to stop; the job is released.
        StoreError: where the store cannot be told how it ended: the lease then runs out.
    """
    work = place.folder / job.job_id
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    log = log_of(place.store, job, place.tell)
    is_hidden = place.settings.is_hidden
    try:
        found = submission_by_id(place.store, job.submission_id)
        if found is None:
            raise internal("the job has no submission")
        is_hidden = found.is_hidden or found.split in place.settings.hidden_splits
        found = replace(found, is_hidden=is_hidden)
        _Steps(place, job, found, lease, log, work).take()
    except LostError:
        place.tell(f"{job.job_id}: lost to another worker, or cancelled.")
        _forget(place, job)
    except StoppedError:
        jobs.release(place.store, job.job_id, job.attempt)
        raise
    except Exception as error:  # noqa: BLE001 - whatever a job brings about ends that job alone
        failure = of_error(error, is_hidden=is_hidden)
        place.tell(f"{job.job_id}: {failure.reason}" + ("" if is_hidden else f": {failure.note or failure.detail}"))
        jobs.fail(place.store, job.job_id, job.attempt, failure.reason, failure.detail, is_ours=failure.is_ours)
        _forget(place, job)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _forget(place: Workplace, job: Job) -> None:
    """Drop the partial generations of a job that has come to its end."""
    with suppress(StoreError):
        ended = jobs.job(place.store, job.job_id)
        if ended is not None and ended.status in ENDED:
            place.artifacts.delete(f"partial/{job.job_id}")


class _Steps:
    """The steps of one job."""

    def __init__(self, place: Workplace, job: Job, submission: Submission, lease: Lease, log: Log, work: Path) -> None:
        self._place, self._job, self._submission = place, job, submission
        self._lease, self._log, self._work = lease, log, work
        self._run_id = run_id_of(job)
        self._out = work / "run"

    def take(self) -> None:
        """Both steps, and what comes of them."""
        if self._submission.kind == "model":
            request = self._generated()
        else:
            texts = fetch_texts(self._place.artifacts, self._submission, self._work)
            if texts.is_archive:
                self._rows_for_archive()
            request = self._request(texts.path, is_archive=texts.is_archive)
        self._advance("scoring")
        self._log(f"Scoring {', '.join(self._submission.tasks)}.")
        self._place.scorer.score(request, self._lease)
        if self._submission.kind == "model":
            join_events(request.source, self._out)
        write_about(self._submission, self._out, self._run_id)
        self._lease.check()
        self._finish()

    def _generated(self) -> ScoreRequest:
        """The first step: generations in the job's folder."""
        place, settings, submission = self._place, self._place.settings, self._submission
        checkpoint = fetch_checkpoint(place.artifacts, submission, settings)
        expected = self._expected()
        self._advance("generating")
        sandbox = place.sandbox()
        self._log(str(sandbox.protection))
        generation = Generation(sandbox, settings, self._lease, self._log, self._work)
        generation.prepare(expected, submission.tasks, submission.name)
        waiting = self._work / "waiting"
        partials = Partials(place.artifacts, self._job.job_id, generation.run, waiting, submission.tasks)
        if partials.fetch():
            self._log("Going on with the generations of an earlier attempt.")
        generation.make(checkpoint, partials)
        origin = f"{submission.model}@{submission.revision}" if submission.model else submission.upload
        made = self._work / "generated"
        generation.hand_out(made)
        return self._request(made, checkpoint=checkpoint, origin=origin)

    def _rows_for_archive(self) -> None:
        """The rows that an archive is checked against, for a program that does not reach the artifacts."""
        write_expected(Artifacts(str(self._work / "rows"), self._work), self._submission.split, self._expected().tasks)

    def _expected(self) -> Expected:
        split, expected = self._submission.split, read_expected(self._place.artifacts, self._submission.split)
        missing = [name for name in self._submission.tasks if expected is None or name not in expected.tasks]
        if expected is None or missing:
            raise internal(f"no rows of {split} are published for {', '.join(missing)}")
        return expected

    def _request(
        self, source: Path, *, is_archive: bool = False, checkpoint: Path | None = None, origin: str = ""
    ) -> ScoreRequest:
        settings, submission = self._place.settings, self._submission
        limits = UploadLimits.of(settings)
        return ScoreRequest(
            kind=submission.kind,
            source=source,
            is_archive=is_archive,
            out=self._out,
            work=self._work,
            run_id=self._run_id,
            name=submission.name,
            data=data_place(settings),
            split=submission.split,
            tasks=submission.tasks,
            checkpoint=checkpoint,
            origin=origin,
            revision=submission.revision,
            is_hidden=submission.is_hidden,
            rows=self._work / "rows",
            file_bytes=limits.file_bytes,
            unpacked_bytes=limits.unpacked_bytes,
        )

    def _advance(self, status: str) -> None:
        if not jobs.advance(self._place.store, self._job.job_id, self._job.attempt, status):
            raise LostError

    def _finish(self) -> None:
        """Put the run in its place, then tell of it in one transaction."""
        place, settings, key = self._place, self._place.settings, f"runs/{self._run_id}"
        stored = read_run(self._out)
        scores = None
        for run_id in earlier_run_ids(self._job):
            # Stored by an attempt that did not come to tell of it, and never can.
            place.artifacts.delete(f"runs/{run_id}")
            place.private.delete(f"runs/{run_id}")
        if self._submission.is_hidden:
            place.private.put_folder(self._out, key)
            public = self._work / "public"
            write_public(stored, public, settings.hidden_places)
            write_about(self._submission, public, self._run_id)
            scores = rounded_scores(stored, settings.hidden_places)
            stored = read_run(public)
        place.artifacts.put_folder(stored.path, key)
        record = replace(record_of(stored), path=run_path(place.artifacts, key))
        if not self._told(record, scores):
            place.artifacts.delete(key)
            raise LostError
        with suppress(StoreError):
            place.artifacts.delete(f"partial/{self._job.job_id}")
        place.tell(f"{self._job.job_id}: done, run {self._run_id}.")

    def _told(self, record: RunRecord, scores: Mapping[str, Json] | None) -> bool:
        """Whether the job was still ours; asked again for a while where the store does not answer."""
        until = time.monotonic() + TELLING_SECONDS
        while True:
            try:
                return jobs.finish(
                    self._place.store,
                    self._job.job_id,
                    self._job.attempt,
                    record,
                    self._run_id,
                    scores=scores,
                    release_hours=self._place.settings.hidden_release_hours,
                )
            except StoreError as error:
                self._place.tell(f"{self._job.job_id}: {error.cause}")
                self._lease.check()
                if time.monotonic() > until:
                    raise
                time.sleep(AGAIN_SECONDS)


def data_place(settings: ServiceSettings) -> str:
    """Where the labels are, for a program with another working folder."""
    named = settings.data in ("mini", "hub")
    return settings.data if named else str(Path(settings.data).expanduser().absolute())


def run_path(artifacts: Artifacts, key: str) -> str:
    """What the index says of a run's place: its folder, or its address where the artifacts are no folder."""
    if "://" in artifacts.address and not artifacts.address.startswith(("file://", "local://")):
        return f"{artifacts.address.rstrip('/')}/{key}"
    return str(artifacts.local_folder(key).resolve())
