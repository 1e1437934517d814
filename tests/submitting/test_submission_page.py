"""The page of a submission in each of its states, and who reads what on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from grue.store.service import jobs
from grue.store.service.submissions import remove, set_public, submission
from grue.store.service.values import Job, Progress, Submission
from leaderboard_site.pages.submission import SubmissionView, submission_view
from leaderboard_site.pages.submission_notes import Policy, Rights
from leaderboard_site.pages.submission_status import Standing
from tests.site.parsed import Html
from tests.submitting.conftest import ROWS, Account, Board, answers

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MADE = Submission(
    user_id="u",
    name="moss",
    kind="model",
    upload="",
    model="org/moss",
    revision="a" * 40,
    split="test",
    tasks=("imdb", "commongen", "totto"),
    is_public=False,
    description="",
    url="",
    licence="",
    trained_on="",
    contamination="",
    rows=30,
    content_sha256="x",
    is_hidden=False,
    submission_id="01J",
    created_at="2026-11-20T05:02:00Z",
    published_at=None,
    withdrawn_at=None,
    texts_deleted_at=None,
    removed_at=None,
    removed_reason=None,
    run_id=None,
    status="queued",
    reason=None,
    detail=None,
    job_id="j",
    released_at=None,
    scores=None,
    is_charged=True,
)
JOB = Job(
    job_id="j",
    submission_id="01J",
    status="queued",
    attempt=0,
    worker=None,
    lease_until=None,
    reason=None,
    detail=None,
    created_at="2026-11-20T05:02:00Z",
    queued_at="2026-11-20T05:02:00Z",
    started_at=None,
    step_started_at=None,
    finished_at=None,
    progress=None,
    faults=0,
    losses=0,
)


def view(
    made: Submission = MADE, job: Job = JOB, *, rights: Rights | None = None, **standing: object
) -> SubmissionView:
    shown = Standing(job=job, **standing)  # type: ignore[arg-type]
    all_rights = Rights(publish=True, withdraw=True, cancel=True)
    return submission_view(
        made, shown, rights or all_rights, Policy(withdrawn_days=30, release_hours=24, now=NOW), None
    )


def states(found: SubmissionView) -> list[str]:
    return [step.state for step in found.steps]


def test_waiting_says_place_and_time() -> None:
    found = view(place=4, n_jobs=9, seconds=700.0)
    assert found.lead == "Queued, place 4 of 9, about 12 minutes."
    assert states(found) == ["done", "now", "", "", ""]
    assert found.steps[1].note == "3 before it"
    assert found.is_live
    assert found.frame.refresh_seconds == 30
    assert found.can_cancel
    assert not found.can_publish


def test_generating_says_task_rows_and_rest() -> None:
    progress = Progress(
        step="generating", task="totto", rows_done=6212, rows_total=11490, rate=118 / 60, seconds_left=2460.0
    )
    job = replace(JOB, status="generating", attempt=2, started_at="2026-11-20T05:05:40Z", progress=progress)
    found = view(replace(MADE, status="generating"), job)
    assert found.lead == "Generating: task 3 of 3, about 41 minutes left."
    assert states(found) == ["done", "done", "now", "", ""]
    assert found.steps[1].note.replace("\u202f", " ") == "waited 3 min 40 s"
    bar = found.steps[2].bar
    assert bar is not None
    assert bar.label.replace("\u202f", " ") == "totto, 6 212 of 11 490 rows, 118 rows a minute"
    assert (bar.done, bar.total) == (6212, 11490)
    assert "goes on from the last row" in found.steps[2].note


def test_predictions_leave_generating_out() -> None:
    found = view(replace(MADE, kind="predictions", status="scoring"), replace(JOB, status="scoring", attempt=1))
    assert states(found) == ["done", "done", "skipped", "now", ""]
    assert found.lead == "Scoring: it begins."


def test_finished_and_private_offers_to_publish() -> None:
    found = view(replace(MADE, status="done", run_id="R"))
    assert found.lead == "Finished. The result is private."
    assert found.can_publish
    assert found.can_withdraw
    assert not found.is_live
    assert found.frame.refresh_seconds == 0
    assert found.frame.scripts == ()
    assert found.run_page is not None


def test_published_can_be_undone_for_a_week_and_says_until_when() -> None:
    published = replace(MADE, status="done", run_id="R", is_public=True, published_at="2026-11-19T10:00:00Z")
    note = view(published).notes[-1]
    assert note.text == "Published on 2026-11-19 10:00 UTC. It can be made private again until 2026-11-26 10:00 UTC."
    assert note.action == "unpublish"
    late = replace(published, published_at="2026-11-12T10:00:00Z")
    assert view(late).notes[-1].action == ""
    assert view(published, rights=Rights()).notes[-1].action == ""


@pytest.mark.parametrize(
    ("reason", "title", "step"),
    [
        ("bad-checkpoint", "It could not be scored", 2),
        ("score-timeout", "It could not be scored", 3),
        ("worker-lost", "Something broke on our side", 2),
    ],
)
def test_a_failure_says_why_and_where(reason: str, title: str, step: int) -> None:
    job = replace(JOB, status="failed", started_at="2026-11-20T05:05:40Z")
    made = replace(MADE, status="failed", reason=reason, detail="It is <b>so</b>", is_charged=False)
    found = view(made, job)
    note = found.notes[0]
    assert (note.title, note.is_bad) == (title, True)
    assert f"reason {reason}" in note.text
    assert "Your quota was given back." in note.text
    assert found.steps[step].state == "failed"
    assert not found.can_publish


def test_a_failure_in_the_queue_failed_there() -> None:
    found = view(replace(MADE, status="failed", reason="queue-timeout", detail="Nobody took it."))
    assert states(found)[:2] == ["done", "failed"]


def test_a_hidden_split_shows_no_run_and_waits_for_its_time() -> None:
    done = replace(MADE, status="done", run_id="R", is_hidden=True, released_at="2026-11-21T00:00:00Z")
    found = view(done)
    assert found.lead == "Scored. The scores of this split appear on 2026-11-21 00:00 UTC."
    assert found.run_page is None
    assert any("labels are private" in note.text and "once in 24" in note.text for note in found.notes)
    assert view(replace(done, released_at="2026-11-20T00:00:00Z")).lead.startswith("Finished")


def test_withdrawn_and_removed_say_so_and_offer_nothing() -> None:
    withdrawn = view(replace(MADE, status="done", run_id="R", withdrawn_at="2026-11-20T08:00:00Z", is_public=True))
    assert "deleted after 2026-12-20 08:00 UTC" in withdrawn.notes[0].text
    removed = view(replace(MADE, status="done", removed_at="2026-11-20T08:00:00Z", removed_reason="test set copied"))
    assert "test set copied" in removed.notes[0].text
    for found in (withdrawn, removed):
        offers = (found.can_publish, found.can_withdraw, found.can_cancel, found.run_page)
        assert offers == (False, False, False, None)


@dataclass(frozen=True)
class Sent:
    """A submission on a served board."""

    board: Board
    owner: Account
    submission_id: str

    def page(self, account: Account | None = None, path: str = "") -> Html:
        headers = {"Accept": "text/html"} | (account.headers if account else {})
        return Html(self.board.client.get(f"/submissions/{self.submission_id}{path}", headers=headers).text)

    def job(self) -> Job:
        found = submission(self.board.service.store, self.submission_id)
        assert found is not None
        known = jobs.job(self.board.service.store, found.job_id)
        assert known is not None
        return known


@pytest.fixture
def sent(shared: Board, request: pytest.FixtureRequest) -> Iterator[Sent]:
    """A submission that waits, and no other that does."""
    owner = shared.account(request.node.name)
    text = "<script>alert(1)</script>"
    fields = {"name": text, "description": text, "licence": text, "trained_on": text, "contamination": text}
    made = shared.submit(owner, answers(ROWS), url="https://example.org/?a=1&b=2", **fields)
    found = Sent(shared, owner, made.json()["id"])
    yield found
    jobs.cancel(shared.service.store, found.job().job_id, "test")


def test_what_a_submitter_wrote_and_the_log_are_shown_escaped(sent: Sent) -> None:
    store = sent.board.service.store
    taken = jobs.claim(store, "worker", 600)
    assert taken is not None
    jobs.add_log(store, taken.job_id, taken.attempt, ["<img src=x onerror=alert(1)>"])
    page = sent.page(sent.owner)
    assert not page.unbalanced
    assert not page.find("img")
    assert [one.attributes["src"].partition("?")[0] for one in page.find("script")] == ["/static/progress.js"]
    assert "<script>alert(1)</script>" in page.one("h1").text
    assert "<img src=x onerror=alert(1)>" in page.find("pre")[0].text
    link = next(one for one in page.find("a") if one.attributes["href"].startswith("https://"))
    assert {"nofollow", "noopener"} <= set(link.attributes["rel"].split())


def test_the_page_lives_without_script(sent: Sent) -> None:
    page = sent.page(sent.owner)
    assert page.one("meta", http_equiv="refresh").parents[-1] == "noscript"
    assert page.one("meta", http_equiv="refresh").attributes["content"] == "30"
    assert page.one("p", role="status").text == "Queued, place 1 of 1."
    assert [one.text for one in page.find("li") if "steps" not in one.parents][-5:]
    current = page.one("li", aria_current="step")
    assert current.text.startswith("Queued")


def test_a_button_does_at_once_what_it_says(sent: Sent) -> None:
    client, headers = sent.board.client, sent.owner.headers
    answer = client.post(f"/submissions/{sent.submission_id}/cancel", headers=headers)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/submissions/{sent.submission_id}"
    page = sent.page(sent.owner)
    assert page.one("p", role="status").text == "Cancelled."
    assert not page.find("meta", http_equiv="refresh")


def test_the_hosts_reason_reaches_the_owner(sent: Sent) -> None:
    remove(sent.board.service.store, sent.submission_id, "copied from the <test> set", "host")
    assert "copied from the <test> set" in sent.page(sent.owner).one("main").text


def test_a_stranger_is_told_nothing(sent: Sent) -> None:
    page = sent.page()
    assert "alert(1)" not in page.one("main").text
    assert page.one("h1").text == "No such submission"


def test_a_week_after_publishing_it_can_only_be_withdrawn(sent: Sent) -> None:
    store = sent.board.service.store
    taken = jobs.claim(store, "worker", 600)
    assert taken is not None
    assert jobs.finish(store, taken.job_id, taken.attempt, None, "01RUN")
    set_public(store, sent.submission_id, True, "ada", now=datetime.now(UTC) - timedelta(days=8))
    headers = sent.owner.headers
    answer = sent.board.client.post(f"/api/v1/submissions/{sent.submission_id}/unpublish", headers=headers)
    assert answer.status_code == 409
    assert "withdrawn" in answer.json()["detail"]
