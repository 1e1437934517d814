"""The states of jobs as a law: whatever accounts, workers and hosts do in whatever order, with time passing.

The model says for every call what it must answer. A worker keeps every attempt it was ever given and goes on using it,
as one does that was cut off and came back.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import text

from grue.core.errors import UsageError
from grue.store import queries
from grue.store.database import Store, open_store
from grue.store.records import RunRecord, record_of
from grue.store.service import jobs, submissions, users
from grue.store.service.rows import job_from
from grue.store.service.values import ENDED, OPEN, RUNNING, Limits, NewSubmission, QuotaError

LEASE = 30.0
QUEUE_HOURS = 2.0
LIMITS = Limits(scored_per_day=3, attempts_per_day=5, jobs_waiting=2)
STEPS = ("leased", "generating", "scoring")


@dataclass
class Model:
    """What must be so of one submission and its job."""

    submission_id: str
    user: int
    content: int
    day: str
    queued: datetime
    is_charged: bool = True
    is_withdrawn: bool = False
    status: str = "queued"
    attempt: int = 0
    until: datetime | None = None
    faults: int = 0
    losses: int = 0


class Machine(RuleBasedStateMachine):
    """Two accounts, three workers and a host on one database."""

    template: ClassVar[Path]
    record: ClassVar[RunRecord]

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        copy = shutil.copy(self.template, Path(self.folder.name) / "grue.sqlite")
        self.store: Store = open_store(f"sqlite:///{copy}")
        self.users = [one.user_id for one in users.users(self.store)]
        self.now = datetime(2026, 11, 21, 20, tzinfo=UTC)
        self.jobs: dict[str, Model] = {}
        self.held: list[tuple[str, int]] = []
        self.attempts: dict[tuple[int, str], int] = {}

    def teardown(self) -> None:
        """Every job ends, once workers do nothing but work."""
        if self.jobs:
            for _ in range(len(self.jobs) * (jobs.LOSSES_FORGIVEN + 2)):
                self.pass_time(LEASE + 1)
                held = jobs.claim(self.store, "last", LEASE, now=self.now)
                if held is None:
                    break
                self._finish(held.job_id, held.attempt)
            counts = jobs.status_counts(self.store)
            assert {status: counts[status] for status in OPEN} == dict.fromkeys(OPEN, 0)
        self.store.close()
        self.folder.cleanup()

    @initialize(seconds=st.integers(0, 4 * 3600))
    def begin(self, seconds: int) -> None:
        """At some time of the evening, so that midnight may come, with two jobs that wait."""
        self.pass_time(seconds)
        self.submit(0, 0)
        self.submit(1, 0)
        self.claim(0)

    @rule(seconds=st.sampled_from([1, 10, 29, 31, 600, 3600, 3 * 3600]))
    def pass_time(self, seconds: float) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)

    @rule(user=st.integers(0, 1), content=st.integers(0, 3))
    def submit(self, user: int, content: int) -> None:
        """An account hands something in."""
        new = NewSubmission(
            user_id=self.users[user], name="n", kind="predictions", upload="u", model="", revision="", split="test",
            tasks=("commongen",), is_public=True, description="", url="", licence="", trained_on="", contamination="",
            rows=1, content_sha256=f"{content:064x}", is_hidden=False,
        )  # fmt: skip
        own = [one for one in self.jobs.values() if one.user == user]
        is_full = sum(one.status == "queued" for one in own) >= LIMITS.jobs_waiting
        expected: type[Exception] | None = None
        if any(one.content == content and one.status in OPEN for one in own):
            expected = UsageError
        elif is_full or self._scored(user) >= LIMITS.scored_per_day:
            expected = QuotaError
        if expected is not None:
            with pytest.raises(expected):
                submissions.submit(self.store, new, LIMITS, now=self.now)
            return
        made = submissions.submit(self.store, new, LIMITS, now=self.now)
        self.jobs[made.job_id] = Model(made.submission_id, user, content, self._day(), self.now)

    @rule(user=st.integers(0, 1))
    def check_upload(self, user: int) -> None:
        """An account lets an upload be checked."""
        key = (user, self._day())
        try:
            submissions.count_attempt(self.store, self.users[user], LIMITS, now=self.now)
        except QuotaError:
            assert self.attempts[key] == LIMITS.attempts_per_day
        else:
            self.attempts[key] = self.attempts.get(key, 0) + 1
            assert self.attempts[key] <= LIMITS.attempts_per_day

    @rule(worker=st.integers(0, 2))
    def claim(self, worker: int) -> None:
        """A worker asks for a job."""
        self._expire()
        free = sorted((key for key in self.jobs if self._is_free(key)), key=self._turn)
        expected = None
        for key in free:
            model = self.jobs[key]
            if model.status == "queued" or model.losses < jobs.LOSSES_FORGIVEN:
                expected = key
                break
            model.status, model.is_charged = "failed", False
        held = jobs.claim(self.store, f"w{worker}", LEASE, queue_hours=QUEUE_HOURS, now=self.now)
        assert (held and held.job_id) == expected
        if held is None or expected is None:
            return
        model = self.jobs[expected]
        model.losses += model.status != "queued"
        model.status, model.until = "leased", self.now + timedelta(seconds=LEASE)
        model.attempt += 1
        assert held.attempt == model.attempt
        assert (held.job_id, held.attempt) not in self.held, "an attempt was handed out twice"
        self.held.append((held.job_id, held.attempt))

    @rule(worker=st.integers(0, 2))
    def cut_off(self, worker: int) -> None:
        """All workers are cut off for a while, and another asks first."""
        self.pass_time(LEASE)
        self.claim(worker)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def heartbeat(self, data: st.DataObject) -> None:
        """A worker is heard of."""
        key, attempt = self._any(data)
        is_own = self._is_own(key, attempt)
        assert jobs.heartbeat(self.store, key, attempt, LEASE, now=self.now) == is_own
        if is_own:
            self.jobs[key].until = self.now + timedelta(seconds=LEASE)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), step=st.sampled_from(["generating", "scoring"]))
    def advance(self, data: st.DataObject, step: str) -> None:
        """A worker begins a step."""
        key, attempt = self._any(data)
        model = self.jobs[key]
        may = self._is_own(key, attempt) and STEPS.index(step) >= STEPS.index(model.status)
        assert jobs.advance(self.store, key, attempt, step, now=self.now) == may
        if may:
            model.status = step

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        """A worker stops in good order."""
        key, attempt = self._any(data)
        is_own = self._is_own(key, attempt)
        assert jobs.release(self.store, key, attempt, now=self.now) == is_own
        if is_own:
            self.jobs[key].status = "queued"

    @precondition(lambda self: self.held)
    @rule(data=st.data(), is_ours=st.booleans())
    def fail(self, data: st.DataObject, is_ours: bool) -> None:
        """Something goes wrong in a worker."""
        key, attempt = self._any(data)
        is_own = self._is_own(key, attempt)
        assert jobs.fail(self.store, key, attempt, "internal", "x", is_ours=is_ours, now=self.now) == is_own
        model = self.jobs[key]
        if is_own and is_ours and model.faults == 0:
            model.status, model.faults, model.queued = "queued", 1, self.now
        elif is_own:
            model.status, model.is_charged = "failed", model.is_charged and not is_ours

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        """A worker brings a result."""
        self._finish(*self._any(data))

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), is_withdrawn=st.booleans())
    def end(self, data: st.DataObject, is_withdrawn: bool) -> None:
        """Its owner cancels or withdraws a submission."""
        key = data.draw(st.sampled_from(sorted(self.jobs)))
        model = self.jobs[key]
        if is_withdrawn:
            submissions.withdraw(self.store, model.submission_id, "me", now=self.now)
            model.is_withdrawn = True
        else:
            assert jobs.cancel(self.store, key, "me", now=self.now) == (model.status in OPEN)
        if model.status in OPEN:
            model.status, model.is_charged = "cancelled", model.is_charged and model.attempt > 0

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def requeue(self, data: st.DataObject) -> None:
        """A host lets a job begin anew."""
        key = data.draw(st.sampled_from(sorted(self.jobs)))
        model = self.jobs[key]
        may = model.status not in ("queued", "done")
        try:
            assert jobs.requeue(self.store, key, "host", now=self.now) == may
        except UsageError:
            assert model.is_withdrawn
            assert may
            return
        if may:
            model.status, model.faults, model.losses, model.queued = "queued", 0, 0, self.now

    @invariant()
    def database_is_as_the_model(self) -> None:
        """Jobs, results and quotas are what they must be."""
        indexed = {one.run_id for one in queries.locations(self.store)}
        assert indexed == {one.submission_id for one in self.jobs.values() if one.status == "done"}
        of = {one.job_id: one for one in submissions.all_submissions(self.store).submissions}
        with self.store.read() as connection:
            rows = connection.execute(text("SELECT * FROM jobs")).mappings()
            found = {row["job_id"]: job_from(row) for row in rows}
        assert found.keys() == of.keys() == self.jobs.keys()
        for key, model in self.jobs.items():
            one = found[key]
            assert (one.status, one.attempt) == (model.status, model.attempt)
            assert of[key].is_charged == model.is_charged
            assert (one.finished_at is not None) == (model.status in ENDED)
            assert of[key].run_id == (model.submission_id if model.status == "done" else None)
            if model.status in OPEN:
                assert (one.faults, one.losses) == (model.faults, model.losses)
        for user in range(2):
            used = submissions.usage(self.store, self.users[user], LIMITS, now=self.now)
            assert used.scored == self._scored(user) <= LIMITS.scored_per_day
            assert used.attempts == self.attempts.get((user, self._day()), 0)

    def _finish(self, key: str, attempt: int) -> None:
        model = self.jobs[key]
        is_again = model.status == "done" and model.attempt == attempt
        own = replace(self.record, run_id=model.submission_id)
        is_own = self._is_own(key, attempt) or (attempt > model.attempt)
        done = jobs.finish(self.store, key, attempt, own, model.submission_id, now=self.now)
        assert done == (is_own or is_again)
        if is_own:
            model.status, model.attempt = "done", attempt

    def _expire(self) -> None:
        for model in self.jobs.values():
            if model.status == "queued" and self.now - model.queued >= timedelta(hours=QUEUE_HOURS):
                model.status, model.is_charged = "failed", False

    def _is_free(self, key: str) -> bool:
        model = self.jobs[key]
        is_lost = model.status in RUNNING and model.until is not None and model.until <= self.now
        return model.status == "queued" or is_lost

    def _is_own(self, key: str, attempt: int) -> bool:
        return self.jobs[key].attempt == attempt and self.jobs[key].status in RUNNING

    def _turn(self, key: str) -> tuple[bool, datetime, str]:
        return (self.jobs[key].losses > 2, self.jobs[key].queued, key)

    def _any(self, data: st.DataObject) -> tuple[str, int]:
        return data.draw(st.sampled_from(self.held))

    def _scored(self, user: int) -> int:
        today = self._day()
        return sum(one.is_charged for one in self.jobs.values() if one.user == user and one.day == today)

    def _day(self) -> str:
        return self.now.date().isoformat()


@pytest.fixture
def machine(tmp_path: Path, runs: Any) -> type[Machine]:
    """The machine with its files."""
    from grue.runs.read import read_run

    with open_store(f"sqlite:///{tmp_path}/template.sqlite") as store:
        for name in ("Ann", "Bob"):
            users.create_user(store, name, "submitter")
    Machine.template = tmp_path / "template.sqlite"
    Machine.record = record_of(read_run(runs.write()))
    return Machine


def run(machine: type[Machine], examples: int, steps: int) -> None:
    """Try so many orders."""
    case = machine.TestCase
    case.settings = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    case("runTest").runTest()


def test_jobs_keep_their_laws(machine: type[Machine]) -> None:
    run(machine, 12, 30)


@pytest.mark.long
def test_jobs_keep_their_laws_in_many_orders(machine: type[Machine]) -> None:
    run(machine, 300, 60)
