"""Many at once: a quota is exact to the last place, and SQLite never says that it is locked."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from grue.core.errors import GrueError, StoreError
from grue.store.database import open_store
from grue.store.records import RunRecord
from grue.store.service import audit, jobs, sign_ins, submissions, tokens
from grue.store.service.values import Limits, QuotaError, Submission
from tests.store.service.conftest import Desk

POSTS = 50


def at_once(number: int, act: Callable[[int], Any]) -> list[Any]:
    """What an act answers in so many threads that begin together; errors of ours among the answers."""
    start = threading.Barrier(number)
    answers: list[Any] = []

    def one(index: int) -> None:
        start.wait()
        try:
            answers.append(act(index))
        except GrueError as error:
            answers.append(error)

    threads = [threading.Thread(target=one, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(answers) == number, "a thread died of something else"
    return answers


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_one_place_left_is_given_to_exactly_one_of_fifty(desk_of: Callable[[str], tuple[Desk, str]], kind: str) -> None:
    desk, url = desk_of(kind)
    desk.limits = Limits(scored_per_day=3, attempts_per_day=1000, jobs_waiting=1000)
    for _ in range(2):
        desk.submit()
    # Each door has connections of its own, as each process of a server has.
    doors = [replace(desk, store=open_store(url)) for _ in range(5)]
    answers = at_once(POSTS, lambda index: doors[index % 5].submit())
    for door in doors:
        door.store.close()
    kinds = Counter(type(answer) for answer in answers)
    assert kinds == {Submission: 1, QuotaError: POSTS - 1}
    assert {answer.what for answer in answers if isinstance(answer, QuotaError)} == {"scored"}
    assert submissions.usage(desk.store, desk.user.user_id, desk.limits, now=desk.now).scored == 3
    assert len(submissions.all_submissions(desk.store).submissions) == 3
    assert jobs.status_counts(desk.store)["queued"] == 3
    made = [line for line in audit.audit_log(desk.store).lines if line.action == "submission.create"]
    assert len(made) == 3


def test_one_attempt_left_is_given_to_exactly_one_of_fifty(desk: Desk) -> None:
    limits = Limits(scored_per_day=1, attempts_per_day=4, jobs_waiting=1)
    user_id = desk.user.user_id
    for _ in range(3):
        submissions.count_attempt(desk.store, user_id, limits, now=desk.now)
    answers = at_once(POSTS, lambda _: submissions.count_attempt(desk.store, user_id, limits, now=desk.now))
    assert Counter(type(answer) for answer in answers) == {type(None): 1, QuotaError: POSTS - 1}
    assert submissions.usage(desk.store, user_id, limits, now=desk.now).attempts == 4


def test_first_attempts_of_a_day_are_all_counted(desk: Desk) -> None:
    user_id = desk.user.user_id
    at_once(8, lambda _: submissions.count_attempt(desk.store, user_id, desk.limits, now=desk.now))
    assert submissions.usage(desk.store, user_id, desk.limits, now=desk.now).attempts == 8


def test_one_place_in_the_queue_and_one_content_go_to_one(desk: Desk) -> None:
    desk.limits = Limits(scored_per_day=1000, attempts_per_day=1000, jobs_waiting=1)
    answers = at_once(20, lambda _: desk.submit())
    assert sum(isinstance(answer, Submission) for answer in answers) == 1
    desk.limits = replace(desk.limits, jobs_waiting=1000)
    answers = at_once(20, lambda _: desk.submit(content_sha256="c" * 64))
    assert sum(isinstance(answer, Submission) for answer in answers) == 1
    assert sum("on its way" in str(answer) for answer in answers) == 19


def test_one_job_goes_to_one_of_many_threads(desk: Desk) -> None:
    desk.submit()
    answers = at_once(20, lambda index: desk.claim_any(f"w{index}"))
    assert Counter(answer is None for answer in answers) == {True: 19, False: 1}


def test_one_of_many_ends_wins_and_all_agree(desk: Desk, record: RunRecord) -> None:
    made = desk.submit()
    held = desk.claim()
    key = (desk.store, held.job_id, held.attempt)
    ends: list[Callable[[], bool]] = [
        lambda: jobs.finish(*key, replace(record, run_id="r"), "r"),
        lambda: jobs.fail(*key, "internal", "x", is_ours=True),
        lambda: jobs.fail(*key, "invalid-file", "x", is_ours=False),
        lambda: jobs.cancel(desk.store, held.job_id, "me"),
        lambda: jobs.release(*key),
    ]
    answers = at_once(len(ends), lambda index: (index, ends[index]()))
    won = {index for index, was_done in answers if was_done}
    found = desk.again(made)
    # A job that waits again, after a fault or a release, may be cancelled too.
    assert won in ({0}, {1}, {2}, {3}, {4}, {1, 3}, {4, 3})
    assert (found.run_id is not None) == (won == {0}) == (found.status == "done")


@pytest.mark.parametrize("desk_kind", ["sqlite", "postgresql"])
def test_threads_of_a_server_and_a_worker_never_find_the_database_locked(
    desk_of: Callable[[str], tuple[Desk, str]], desk_kind: str, record: RunRecord
) -> None:
    desk, _ = desk_of(desk_kind)
    desk.limits = Limits(scored_per_day=10_000, attempts_per_day=10_000, jobs_waiting=10_000)
    store, user_id = desk.store, desk.user.user_id
    raw, _ = tokens.create_token(store, user_id, "ci", ["submit"])
    signed = sign_ins.sign_in(store, user_id, 3600)

    def visit(index: int) -> None:
        for _ in range(3):
            assert sign_ins.signed_in(store, signed) is not None
            assert tokens.user_of_token(store, raw) is not None
            submissions.count_attempt(store, user_id, desk.limits)
            submissions.submit(store, desk.new(content_sha256=f"{index:032x}{_:032x}"), desk.limits)
            jobs.queue(store)
            submissions.board_version(store)
            submissions.hidden_run_ids(store)

    def serve(index: int) -> int:
        done = 0
        for _ in range(6):
            held = jobs.claim(store, f"w{index}", 60)
            if held is not None:
                jobs.seen(store, f"w{index}", held.job_id)
                jobs.add_log(store, held.job_id, held.attempt, ["x"])
                own = replace(record, run_id=held.submission_id)
                done += jobs.finish(store, held.job_id, held.attempt, own, own.run_id)
        return done

    answers = at_once(24, lambda index: visit(index) if index < 20 else serve(index))
    assert [answer for answer in answers if isinstance(answer, StoreError)] == []
    assert submissions.usage(store, user_id, desk.limits).scored == 60
    done = sum(answer for answer in answers if answer is not None)
    counts = jobs.status_counts(store)
    assert (counts["done"], counts["queued"]) == (done, 60 - done)
