"""A job in the hands of workers: only the one that has it now moves it, and every way out is final or comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from grue.core.errors import StoreError, UsageError
from grue.store import queries
from grue.store.records import RunRecord
from grue.store.service import audit, jobs, submissions, users
from grue.store.service.values import Job, Limits, Progress
from tests.store.service.conftest import Desk

PROGRESS = Progress(step="scoring", task="commongen", rows_done=3, rows_total=7, rate=1.5, seconds_left=2.7)


def used(desk: Desk) -> int:
    """Scored submissions that count today."""
    return submissions.usage(desk.store, desk.user.user_id, desk.limits, now=desk.now).scored


def all_moves(desk: Desk, held: Job) -> list[bool]:
    """What every function of a worker answers for an attempt."""
    key = (desk.store, held.job_id, held.attempt)
    return [
        jobs.heartbeat(*key, 30, PROGRESS, now=desk.now),
        jobs.advance(*key, "scoring", now=desk.now),
        jobs.add_log(*key, ["x"], now=desk.now),
        jobs.release(*key, now=desk.now),
        jobs.fail(*key, "internal", "x", is_ours=True, now=desk.now),
        jobs.fail(*key, "invalid-file", "x", is_ours=False, now=desk.now),
        jobs.finish(*key, None, "another run", now=desk.now),
    ]


def test_jobs_are_taken_in_the_order_they_came(desk: Desk) -> None:
    made = []
    for _ in range(3):
        made.append(desk.submit().job_id)
        desk.wait(1)
    assert [desk.claim(worker).job_id for worker in "abc"] == made
    assert desk.claim_any() is None


def test_job_goes_through_its_steps_to_one_result(desk: Desk, record: RunRecord) -> None:
    made = desk.submit(kind="model")
    desk.wait(5)
    held = desk.claim("gpu-1")
    assert (held.status, held.attempt, held.worker) == ("leased", 1, "gpu-1")
    assert held.lease_until == "2026-11-21T12:00:35.000000Z"
    key = (desk.store, held.job_id, held.attempt)
    assert jobs.advance(*key, "generating", now=desk.now)
    desk.wait(10)
    assert jobs.heartbeat(*key, 30, PROGRESS, now=desk.now)
    assert jobs.advance(*key, "generating", now=desk.now)
    seen = desk.job(held.job_id)
    assert (seen.progress, seen.lease_until) == (PROGRESS, "2026-11-21T12:00:45.000000Z")
    assert seen.step_started_at == "2026-11-21T12:00:05.000000Z"
    assert jobs.advance(*key, "scoring", now=desk.now)
    assert not jobs.advance(*key, "generating", now=desk.now)
    assert desk.job(held.job_id).step_started_at == "2026-11-21T12:00:15.000000Z"
    own = replace(record, run_id="01JRUN")
    before = submissions.board_version(desk.store)
    for _ in range(2):  # told twice, as after an answer that was lost
        assert jobs.finish(*key, own, "01JRUN", now=desk.now)
    assert submissions.board_version(desk.store) == before + 1
    found = desk.again(made)
    assert (found.status, found.run_id, found.published_at) == ("done", "01JRUN", "2026-11-21T12:00:15.000000Z")
    assert queries.run(desk.store, "01JRUN").results == record.results
    assert not jobs.finish(*key, None, "another run", now=desk.now)
    assert all_moves(desk, held) == [False] * 7
    assert jobs.typical_seconds(desk.store, "model") == 10.0
    assert jobs.typical_seconds(desk.store, "run") is None


def test_lost_worker_cannot_move_the_job_any_longer(desk: Desk, record: RunRecord) -> None:
    made = desk.submit()
    first = desk.claim("a")
    desk.wait(29.9)
    assert desk.claim_any("b") is None
    desk.wait(0.1)
    second = desk.claim("b")
    assert (second.job_id, second.attempt, second.losses) == (made.job_id, 2, 1)
    assert all_moves(desk, first) == [False] * 7
    assert desk.job(made.job_id) == second
    assert jobs.finish(desk.store, second.job_id, 2, replace(record, run_id="r"), "r", now=desk.now)
    assert used(desk) == 1
    assert [line.text for line in jobs.log(desk.store, made.job_id)] == [
        "Taken by worker a.", "Worker a is no longer heard of.", "Taken by worker b.", "Done.",
    ]  # fmt: skip


def test_worker_that_was_late_but_not_replaced_keeps_its_job(desk: Desk) -> None:
    desk.submit()
    held = desk.claim()
    desk.wait(300)
    assert jobs.heartbeat(desk.store, held.job_id, held.attempt, 30, now=desk.now)
    assert desk.claim_any("b") is None


def test_kills_do_not_fail_a_job_and_one_that_kills_every_worker_ends(desk: Desk) -> None:
    poison = desk.submit()
    for number in range(1, jobs.LOSSES_FORGIVEN + 2):
        assert desk.claim(f"w{number}").attempt == number
        desk.wait(31)
    assert desk.claim_any() is None
    found = desk.again(poison)
    assert (found.status, found.reason, found.is_charged) == ("failed", "worker-lost", False)
    assert jobs.LOSSES_FORGIVEN >= 5
    assert used(desk) == 0


def test_job_that_lost_many_workers_waits_behind_the_others(desk: Desk) -> None:
    poison = desk.submit()
    for _ in range(4):
        desk.claim()
        desk.wait(31)
    other = desk.submit()
    assert [desk.claim().job_id for _ in range(2)] == [other.job_id, poison.job_id]


def test_fault_of_ours_is_tried_again_once_and_then_costs_nothing(desk: Desk) -> None:
    made = desk.submit()
    held = desk.claim()
    assert jobs.fail(desk.store, held.job_id, 1, "internal", "The disk is full.", is_ours=True, now=desk.now)
    waiting = desk.again(made)
    assert (waiting.status, waiting.reason, waiting.is_charged) == ("queued", None, True)
    held = desk.claim()
    assert held.attempt == 2
    assert jobs.fail(desk.store, held.job_id, 2, "internal", "The disk is full.", is_ours=True, now=desk.now)
    found = desk.again(made)
    assert (found.status, found.reason, found.detail) == ("failed", "internal", "The disk is full.")
    assert (found.is_charged, used(desk)) == (False, 0)
    assert desk.claim_any() is None


def test_fault_of_the_submitter_is_final_and_counts(desk: Desk) -> None:
    made = desk.submit()
    held = desk.claim()
    assert jobs.fail(desk.store, held.job_id, 1, "bad-checkpoint", "No config.json.", is_ours=False, now=desk.now)
    found = desk.again(made)
    assert (found.status, found.reason, found.is_charged, used(desk)) == ("failed", "bad-checkpoint", True, 1)
    assert desk.claim_any() is None


def test_worker_that_stops_gives_its_job_back_at_its_place(desk: Desk) -> None:
    first = desk.submit()
    desk.wait(1)
    second = desk.submit()
    held = desk.claim()
    assert jobs.release(desk.store, held.job_id, held.attempt, now=desk.now)
    again = desk.claim()
    assert (again.job_id, again.attempt, again.faults, again.losses) == (first.job_id, 2, 0, 0)
    assert desk.claim().job_id == second.job_id


def test_job_that_nobody_takes_ends_and_costs_nothing(desk: Desk) -> None:
    late, begun = desk.submit(), None
    desk.wait(1)
    begun = desk.submit()
    jobs.release(desk.store, desk.claim().job_id, 1, now=desk.now)
    held = desk.claim("b")
    assert held.job_id == late.job_id
    jobs.release(desk.store, held.job_id, 2, now=desk.now)
    desk.wait(3600 - 1)
    # It waited for an hour; workers that gave it back do not make it younger.
    taken = desk.claim(queue_hours=1)
    assert taken.job_id == begun.job_id
    found = desk.again(late)
    assert (found.status, found.reason, found.is_charged) == ("failed", "queue-timeout", False)
    desk.wait(86400)
    assert jobs.expire(desk.store, 1, now=desk.now) == 0
    assert desk.job(taken.job_id).status == "leased"
    assert used(desk) == 0


def test_cancelled_job_is_its_workers_no_longer(desk: Desk) -> None:
    waiting = desk.submit()
    assert jobs.cancel(desk.store, waiting.job_id, "me", now=desk.now)
    assert not jobs.cancel(desk.store, waiting.job_id, "me", now=desk.now)
    assert not jobs.cancel(desk.store, "01J", "me", now=desk.now)
    assert (desk.again(waiting).status, desk.again(waiting).reason, used(desk)) == ("cancelled", "cancelled", 0)
    running = desk.submit()
    held = desk.claim()
    assert held.job_id == running.job_id
    assert jobs.cancel(desk.store, held.job_id, "me", now=desk.now)
    assert all_moves(desk, held) == [False] * 7
    assert (desk.claim_any(), used(desk)) == (None, 1)
    assert [line.action for line in audit.audit_log(desk.store, limit=3).lines].count("job.cancel") == 2


@pytest.mark.parametrize("end", ["failed", "cancelled", "running"])
def test_host_lets_a_job_begin_anew(desk: Desk, end: str) -> None:
    made = desk.submit()
    held = desk.claim()
    if end == "failed":
        jobs.fail(desk.store, held.job_id, 1, "bad-checkpoint", "x", is_ours=False, now=desk.now)
    elif end == "cancelled":
        jobs.cancel(desk.store, held.job_id, "me", now=desk.now)
    assert jobs.requeue(desk.store, held.job_id, "host", now=desk.now)
    assert not jobs.requeue(desk.store, held.job_id, "host", now=desk.now)
    assert all_moves(desk, held) == [False] * 7
    again = desk.claim()
    assert (again.job_id, again.attempt, again.reason, again.finished_at) == (made.job_id, 2, None, None)
    assert jobs.finish(desk.store, again.job_id, 2, None, "r", now=desk.now)
    assert not jobs.requeue(desk.store, held.job_id, "host", now=desk.now)


def test_removed_submission_stays_out_of_the_queue(desk: Desk) -> None:
    made = desk.submit()
    submissions.remove(desk.store, made.submission_id, "spam", "host", now=desk.now)
    assert desk.claim_any() is None
    with pytest.raises(UsageError, match="removed by a host"):
        jobs.requeue(desk.store, made.job_id, "host")
    submissions.restore(desk.store, made.submission_id, "host")
    assert desk.again(made).status == "cancelled"
    assert jobs.requeue(desk.store, made.job_id, "host", now=desk.now)


def test_result_is_whole_or_not_there(
    desk: Desk, record: RunRecord, monkeypatch: pytest.MonkeyPatch, answers: Callable[..., str]
) -> None:
    made = desk.submit()
    held = desk.claim()
    before, version = answers(desk.store), submissions.board_version(desk.store)
    own = replace(record, run_id="r")
    for step in ("index_run", "set_values", "say", "board_changed"):
        real = getattr(__import__("grue.store.service.finishing", fromlist=[""]), step)

        def crash(*arguments: Any, real: Any = real, **more: Any) -> None:
            real(*arguments, **more)
            raise RuntimeError

        with monkeypatch.context() as patched:
            patched.setattr(f"grue.store.service.finishing.{step}", crash)
            with pytest.raises(RuntimeError):
                jobs.finish(desk.store, held.job_id, 1, own, "r", now=desk.now)
        assert (answers(desk.store), submissions.board_version(desk.store)) == (before, version)
        assert (desk.again(made).run_id, desk.again(made).status) == (None, "leased")
    assert jobs.finish(desk.store, held.job_id, 1, own, "r", now=desk.now)


def test_two_submissions_never_share_a_run(desk: Desk, record: RunRecord) -> None:
    first, second = desk.submit(), desk.submit(is_public=False)
    held = [desk.claim(), desk.claim()]
    own = replace(record, run_id="r")
    assert jobs.finish(desk.store, held[0].job_id, 1, own, "r", now=desk.now)
    with pytest.raises(StoreError, match="already"):
        jobs.finish(desk.store, held[1].job_id, 1, own, "r", now=desk.now)
    with pytest.raises(StoreError, match="not of s"):
        jobs.finish(desk.store, held[1].job_id, 1, own, "s", now=desk.now)
    changed = replace(record, run_id="r", checksum="0" * 64)
    with pytest.raises(StoreError, match="already"):
        jobs.finish(desk.store, held[1].job_id, 1, changed, "r", now=desk.now)
    assert {desk.again(one).status for one in (first, second)} == {"done", "leased"}


def test_log_is_read_from_where_one_stopped_and_is_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grue.store.service.job_log.MOST_LINES", 5)
    desk.submit()
    held = desk.claim()
    assert jobs.add_log(desk.store, held.job_id, 1, ["a\x00b", "x" * 5000], now=desk.now)
    lines = jobs.log(desk.store, held.job_id, after=1)
    assert [(line.number, line.attempt, line.text) for line in lines] == [(2, 1, "a\x00b"), (3, 1, "x" * 2000)]
    assert jobs.add_log(desk.store, held.job_id, 1, list("defgh"), now=desk.now)
    assert [line.text for line in jobs.log(desk.store, held.job_id, after=3)] == [
        "d", "The log ends here, after 5 lines.",
    ]  # fmt: skip


def test_queue_says_who_works_and_who_is_next(desk: Desk) -> None:
    made = []
    for _ in range(3):
        made.append(desk.submit())
        desk.wait(10)
    held = desk.claim("gpu-1")
    jobs.seen(desk.store, "gpu-1", held.job_id, now=desk.now)
    jobs.seen(desk.store, "cpu-1", None, now=desk.now)
    desk.wait(60)
    jobs.seen(desk.store, "cpu-1", None, now=desk.now)
    found = jobs.queue(desk.store, now=desk.now)
    assert [(one.name, one.doing) for one in found.workers] == [("cpu-1", None), ("gpu-1", held.job_id)]
    assert [(one.submission.submission_id, one.place, one.waiting_seconds) for one in found.jobs] == [
        (made[0].submission_id, 0, 30.0), (made[1].submission_id, 1, 80.0), (made[2].submission_id, 2, 70.0),
    ]  # fmt: skip
    assert jobs.status_counts(desk.store) == {
        "queued": 2, "leased": 1, "generating": 0, "scoring": 0, "done": 0, "failed": 0, "cancelled": 0,
    }  # fmt: skip
    desk.wait(3600)
    jobs.seen(desk.store, "cpu-1", None, now=desk.now)
    assert [one.name for one in jobs.queue(desk.store, now=desk.now).workers] == ["cpu-1"]


def test_place_in_the_quota_that_came_back_is_used_again(desk: Desk) -> None:
    desk.limits = Limits(scored_per_day=1, attempts_per_day=9, jobs_waiting=9)
    made = desk.submit()
    desk.wait(4 * 3600)
    jobs.expire(desk.store, 1, now=desk.now)
    assert desk.again(made).reason == "queue-timeout"
    desk.submit()
    assert users.users(desk.store)[0] == desk.user
