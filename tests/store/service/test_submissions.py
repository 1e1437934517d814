"""A submission comes in whole or not at all, and what public pages show follows its owner and the hosts."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from grue.core.errors import StoreError, UsageError
from grue.store import queries
from grue.store.records import RunRecord
from grue.store.service import audit, jobs, submissions, users
from grue.store.service.values import Limits, NewSubmission, QuotaError
from tests.store.service.conftest import Desk


def test_what_was_handed_in_is_there_with_a_job_that_waits(desk: Desk) -> None:
    new = desk.new(tasks=("wmt16", "commongen"), name="é\x00\ud800<script>", is_public=False, rows=2**40)
    made = submissions.submit(desk.store, new, desk.limits, now=desk.now)
    assert desk.again(made) == made
    for field in fields(NewSubmission):
        assert getattr(made, field.name) == getattr(new, field.name)
    assert (made.status, made.created_at, made.run_id) == ("queued", "2026-11-21T12:00:00.000000Z", None)
    assert desk.job(made.job_id).submission_id == made.submission_id
    line = audit.audit_log(desk.store).lines[0]
    assert (line.actor, line.action, line.thing) == (desk.user.user_id, "submission.create", made.submission_id)


def test_fault_in_the_middle_leaves_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(submissions, "write_line", crash)
        with pytest.raises(RuntimeError):
            desk.submit()
    assert submissions.all_submissions(desk.store).submissions == ()
    assert submissions.usage(desk.store, desk.user.user_id, desk.limits, now=desk.now).scored == 0
    assert desk.claim_any() is None


def test_content_that_is_on_its_way_is_refused_until_that_ends(desk: Desk) -> None:
    first = desk.submit(content_sha256="a" * 64)
    desk.wait(1)
    with pytest.raises(UsageError, match=first.submission_id):
        desk.submit(content_sha256="a" * 64)
    desk.submit(content_sha256="b" * 64)
    other = users.create_user(desk.store, "Bob", "submitter")
    desk.submit(content_sha256="a" * 64, user_id=other.user_id)
    taken = desk.claim()
    assert taken.submission_id == first.submission_id
    with pytest.raises(UsageError, match="on its way"):
        desk.submit(content_sha256="a" * 64)
    jobs.cancel(desk.store, taken.job_id, "x", now=desk.now)
    desk.submit(content_sha256="a" * 64)


def test_closed_task_takes_nothing_and_what_waits_is_scored(desk: Desk) -> None:
    waiting = desk.submit(tasks=("commongen",))
    submissions.set_task_closed(desk.store, "commongen", True, "host")
    submissions.set_task_closed(desk.store, "commongen", True, "host")
    assert submissions.closed_tasks(desk.store) == {"commongen"}
    with pytest.raises(UsageError, match="Closed for submissions: commongen"):
        desk.submit(tasks=("wmt16", "commongen"))
    assert desk.claim().submission_id == waiting.submission_id
    submissions.set_task_closed(desk.store, "commongen", False, "host")
    desk.submit(tasks=("wmt16", "commongen"))
    actions = [line.action for line in audit.audit_log(desk.store).lines]
    assert [actions.count(action) for action in ("task.close", "task.open")] == [1, 1]


def test_disabled_account_and_kind_that_is_none_are_refused(desk: Desk) -> None:
    with pytest.raises(UsageError, match="no kind"):
        desk.submit(kind="pickle")
    with pytest.raises(UsageError, match="no task"):
        desk.submit(tasks=())
    users.set_disabled(desk.store, desk.user.user_id, True)
    with pytest.raises(UsageError, match="disabled"):
        desk.submit()
    with pytest.raises(UsageError, match="no account"):
        desk.submit(user_id="nobody")


def test_scored_quota_is_that_of_a_day_in_utc(desk: Desk) -> None:
    desk.limits = Limits(scored_per_day=2, attempts_per_day=9, jobs_waiting=9)
    desk.now = datetime(2026, 11, 21, 23, 59, 30, tzinfo=UTC)
    desk.submit()
    desk.submit()
    with pytest.raises(QuotaError) as error:
        desk.submit()
    assert (error.value.what, error.value.retry_after) == ("scored", 30)
    again = pickle.loads(pickle.dumps(error.value))
    assert (str(again), again.what, again.retry_after) == (str(error.value), "scored", 30)
    desk.wait(30)
    desk.submit()
    used = submissions.usage(desk.store, desk.user.user_id, desk.limits, now=desk.now)
    assert (used.scored, used.waiting, used.resets_at) == (1, 3, "2026-11-23T00:00:00.000000Z")


def test_attempts_are_counted_to_the_last_and_never_given_back(desk: Desk) -> None:
    limits = Limits(scored_per_day=9, attempts_per_day=2, jobs_waiting=9)
    for _ in range(2):
        submissions.count_attempt(desk.store, desk.user.user_id, limits, now=desk.now)
    for _ in range(2):
        with pytest.raises(QuotaError, match="All 2 attempts") as error:
            submissions.count_attempt(desk.store, desk.user.user_id, limits, now=desk.now)
        assert (error.value.what, error.value.retry_after) == ("attempts", 12 * 3600)
    assert submissions.usage(desk.store, desk.user.user_id, limits, now=desk.now).attempts == 2
    desk.wait(12 * 3600)
    submissions.count_attempt(desk.store, desk.user.user_id, limits, now=desk.now)


def test_quota_of_an_account_wins_over_that_of_the_settings(desk: Desk) -> None:
    users.set_quota(desk.store, desk.user.user_id, 1, 0)
    desk.submit()
    with pytest.raises(QuotaError, match="All 1 scored"):
        desk.submit()
    with pytest.raises(QuotaError, match="All 0 attempts"):
        submissions.count_attempt(desk.store, desk.user.user_id, desk.limits, now=desk.now)
    users.set_quota(desk.store, desk.user.user_id, None, None)
    desk.submit()


def test_number_of_jobs_that_wait_is_bounded(desk: Desk) -> None:
    desk.limits = Limits(scored_per_day=9, attempts_per_day=9, jobs_waiting=1)
    desk.submit()
    with pytest.raises(QuotaError, match="wait already") as error:
        desk.submit()
    assert error.value.what == "waiting"
    desk.claim()
    desk.submit()


def test_pages_hold_each_submission_once_newest_first(desk: Desk) -> None:
    other = users.create_user(desk.store, "Bob", "submitter")
    made = []
    for number in range(5):
        desk.wait(1)
        made.append(desk.submit(user_id=(desk.user, other)[number % 2].user_id).submission_id)
    found, cursor = [], None
    while True:
        page = submissions.all_submissions(desk.store, limit=2, cursor=cursor)
        found += [one.submission_id for one in page.submissions]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == made[::-1]
    own = submissions.submissions_of(desk.store, other.user_id, limit=2)
    assert ([one.submission_id for one in own.submissions], own.next_cursor) == ([made[3], made[1]], None)
    for wrong in ("x", "' OR 1=1 --", "é" * 26):
        with pytest.raises(UsageError, match="no cursor"):
            submissions.all_submissions(desk.store, cursor=wrong)


def test_result_is_shown_as_its_owner_and_the_hosts_say(desk: Desk, record: RunRecord) -> None:
    store = desk.store
    private = desk.submit(is_public=False)
    run = desk.done(private, record)
    public = desk.submit()
    other = desk.done(public, record)
    versions = [submissions.board_version(store)]

    def hidden() -> set[str]:
        versions.append(submissions.board_version(store))
        return set(submissions.hidden_run_ids(store, now=desk.now))

    assert hidden() == {run}
    assert (desk.again(private).published_at, desk.again(public).published_at) == (None, "2026-11-21T12:00:00.000000Z")
    desk.wait(60)
    submissions.set_public(store, private.submission_id, True, "me", now=desk.now)
    assert hidden() == set()
    assert desk.again(private).published_at == "2026-11-21T12:01:00.000000Z"
    submissions.set_public(store, private.submission_id, False, "me", now=desk.now)
    assert (hidden(), desk.again(private).published_at) == ({run}, None)
    submissions.set_public(store, private.submission_id, True, "me", now=desk.now)
    submissions.hide_run(store, other, "it saw the test set", "host", now=desk.now)
    assert hidden() == {other}
    submissions.unhide_run(store, other, "host")
    submissions.remove(store, public.submission_id, "not its own work", "host", now=desk.now)
    assert (hidden(), desk.again(public).removed_reason) == ({other}, "not its own work")
    with pytest.raises(UsageError, match="removed by a host"):
        submissions.set_public(store, public.submission_id, True, "me")
    submissions.restore(store, public.submission_id, "host")
    submissions.withdraw(store, private.submission_id, "me", now=desk.now)
    assert hidden() == {run}
    # Every step that changed what is shown let the version grow; all runs stay in the index.
    assert versions[0] == versions[1]
    assert versions[1:] == sorted(set(versions))
    assert {one.run_id for one in queries.locations(store)} == {run, other}
    found = submissions.submission_of_run(store, run)
    assert found is not None
    assert found.submission_id == private.submission_id


@pytest.mark.parametrize("reason", ["", " \n"])
def test_decision_of_a_host_has_a_reason(desk: Desk, record: RunRecord, reason: str) -> None:
    made = desk.submit()
    run = desk.done(made, record)
    with pytest.raises(UsageError, match="no reason"):
        submissions.remove(desk.store, made.submission_id, reason, "host")
    with pytest.raises(UsageError, match="no reason"):
        submissions.hide_run(desk.store, run, reason, "host")
    assert submissions.hidden_run_ids(desk.store, now=desk.now) == frozenset()


def test_run_or_submission_that_is_none_is_named(desk: Desk) -> None:
    acts: list[Any] = [
        lambda: submissions.hide_run(desk.store, "01J", "why", "host"),
        lambda: submissions.remove(desk.store, "01J", "why", "host"),
        lambda: submissions.restore(desk.store, "01J", "host"),
        lambda: submissions.withdraw(desk.store, "01J", "me"),
        lambda: submissions.set_public(desk.store, "01J", True, "me"),
    ]
    for act in acts:
        with pytest.raises(UsageError, match="'01J'"):
            act()
    assert submissions.submission(desk.store, "01J") is None


def test_withdrawn_submission_leaves_the_queue_and_its_texts_go_later(desk: Desk) -> None:
    made = desk.submit()
    taken = desk.claim()
    submissions.withdraw(desk.store, made.submission_id, "me", now=desk.now)
    submissions.withdraw(desk.store, made.submission_id, "me", now=desk.now)
    assert (desk.again(made).status, desk.again(made).reason) == ("cancelled", "withdrawn")
    assert not jobs.heartbeat(desk.store, taken.job_id, taken.attempt, 30, now=desk.now)
    with pytest.raises(UsageError, match="was withdrawn"):
        jobs.requeue(desk.store, taken.job_id, "host")
    desk.wait(29 * 86400)
    assert submissions.expired_uploads(desk.store, 30, now=desk.now) == ()
    desk.wait(86400)
    (expired,) = submissions.expired_uploads(desk.store, 30, now=desk.now)
    assert expired.submission_id == made.submission_id
    submissions.texts_deleted(desk.store, made.submission_id, now=desk.now)
    submissions.texts_deleted(desk.store, made.submission_id, now=desk.now)
    assert submissions.expired_uploads(desk.store, 30, now=desk.now) == ()
    assert desk.again(made).texts_deleted_at is not None
    actions = [line.action for line in audit.audit_log(desk.store).lines]
    assert [actions.count(f"submission.{act}") for act in ("withdraw", "texts-deleted")] == [1, 1]
    with pytest.raises(UsageError, match="was not withdrawn"):
        submissions.texts_deleted(desk.store, desk.submit().submission_id)


def test_scores_on_a_hidden_split_appear_at_a_set_rate(desk: Desk) -> None:
    released, version = [], []
    for number in range(3):
        made = desk.submit(is_hidden=True)
        taken = desk.claim()
        scores = {"commongen": 40.0 + number}
        run_id = f"run {number}"
        arguments = (desk.store, taken.job_id, taken.attempt, None, run_id)
        assert jobs.finish(*arguments, scores=scores, release_hours=24, now=desk.now)
        assert desk.again(made).scores == scores
        released.append(desk.again(made).released_at)
        desk.wait(3600)
    assert released == [f"2026-11-{day}T12:00:00.000000Z" for day in (21, 22, 23)]
    assert submissions.hidden_run_ids(desk.store, now=desk.now) == {"run 1", "run 2"}
    assert queries.locations(desk.store) == ()
    for _ in range(3):
        version.append(submissions.board_version(desk.store, now=desk.now))
        desk.wait(86400)
    # The board's version grows as time releases them.
    assert version == [version[0], version[0] + 1, version[0] + 2]
    assert submissions.hidden_run_ids(desk.store, now=desk.now) == frozenset()


def test_run_with_rounded_scores_is_hidden_until_its_release(desk: Desk, record: RunRecord) -> None:
    for number in range(2):
        desk.submit(is_hidden=True)
        held = desk.claim()
        own = replace(record, run_id=f"r{number}")
        assert jobs.finish(desk.store, held.job_id, 1, own, own.run_id, scores={}, release_hours=1, now=desk.now)
    assert {one.run_id for one in queries.locations(desk.store)} == {"r0", "r1"}
    assert submissions.hidden_run_ids(desk.store, now=desk.now) == {"r1"}
    version = submissions.board_version(desk.store, now=desk.now)
    desk.wait(3600)
    assert submissions.hidden_run_ids(desk.store, now=desk.now) == frozenset()
    assert submissions.board_version(desk.store, now=desk.now) > version


def test_submissions_and_jobs_are_never_deleted(desk: Desk) -> None:
    desk.submit()
    for table in ("submissions", "jobs"):
        with pytest.raises(StoreError, match="never deleted"), desk.store.rebuild() as connection:
            connection.execute(text(f"DELETE FROM {table}"))
