"""What hosts do, and what others see of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape

import pytest

from grue.core.rows import Row
from grue.store.service import hosts, jobs, submissions, users, visibility
from grue.store.service.audit import audit_log
from grue.submissions.expected import write_expected
from leaderboard_site.service import Service
from tests.accounts.people import Place, place
from tests.site.boards import sample_runs


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    def prepare(service: Service) -> None:
        write_expected(service.artifacts, service.settings.split, {"commongen": [Row("c0", "x")]})

    folder = tmp_path_factory.mktemp("hosting")
    with place(folder / "home", sample_runs(folder / "runs"), prepare) as found:
        yield found


def alert(text: str) -> str:
    found = re.search(r'role="alert"><p>(.*?)</p>', text)
    return unescape(found[1]) if found else ""


def last_line(found: Place) -> tuple[str, str, str, str]:
    line = audit_log(found.service.store, limit=1).lines[0]
    return line.actor, line.action, line.thing, line.detail


def test_a_hidden_run_leaves_every_public_page_and_comes_back(board: Place) -> None:
    run_id = next(iter(board.service.boards.current().runs))
    host, guest = board.browser("hana"), board.browser()
    assert guest.get(f"/runs/{run_id}").status_code == 200
    for data, why in (
        ({"run_id": "none", "reason": "spam"}, "no run"),
        ({"run_id": run_id, "reason": "  "}, "no reason"),
        ({"run_id": run_id, "reason": "x" * 501}, "501 characters"),
    ):
        answer = host.post("/host/runs/hide", data=data)
        assert (answer.status_code, why in alert(answer.text)) == (422, True), alert(answer.text)
    assert host.post("/host/runs/hide", data={"run_id": run_id, "reason": "<b>spam</b>"}).status_code == 303
    assert last_line(board) == (board.people["hana"].user_id, "run.hide", run_id, "<b>spam</b>")
    for path in (f"/runs/{run_id}", f"/api/v1/runs/{run_id}"):
        assert guest.get(path).status_code == 404
    assert run_id not in guest.get("/").text + guest.get("/api/v1/leaderboard").text + guest.get("/feed.xml").text
    assert host.get(f"/runs/{run_id}").status_code == 200
    assert "&lt;b&gt;spam&lt;/b&gt;" in host.get("/host").text
    assert host.post(f"/host/runs/{run_id}/unhide").status_code == 303
    assert guest.get(f"/runs/{run_id}").status_code == 200


def test_a_removed_submission_is_out_of_the_queue_and_its_owner_reads_why(board: Place) -> None:
    host, owner = board.browser("hana"), board.browser("sam")
    made = board.submitted("sam", "to be removed")
    path = f"/host/submissions/{made.submission_id}"
    assert host.post(f"{path}/remove", data={"reason": ""}).status_code == 422
    assert host.post(f"{path}/remove", data={"reason": "it is spam"}).status_code == 303
    found = submissions.submission(board.service.store, made.submission_id)
    assert found is not None
    assert (found.status, found.removed_reason) == ("cancelled", "it is spam")
    assert "it is spam" in owner.get(f"/submissions/{made.submission_id}").text
    assert "removed by a host" in owner.get("/account").text
    assert host.post(f"{path}/remove", data={"reason": "again"}).status_code == 422
    assert host.post(f"{path}/requeue").status_code == 409
    assert host.post(f"{path}/restore").status_code == 303
    assert host.post(f"{path}/restore").status_code == 409
    assert host.post(f"{path}/requeue").status_code == 303
    found = submissions.submission(board.service.store, made.submission_id)
    assert found is not None
    assert found.status == "queued"
    assert host.post(f"{path}/requeue").status_code == 409
    assert host.post(f"{path}/cancel").status_code == 303
    assert host.post(f"{path}/cancel").status_code == 409


def test_a_failed_job_can_be_queued_again_from_the_page(board: Place) -> None:
    made = board.submitted("sam", "to fail")
    job = jobs.claim(board.service.store, "worker", 60)
    assert job is not None
    assert jobs.fail(board.service.store, job.job_id, job.attempt, "bad-checkpoint", "no", is_ours=False)
    host = board.browser("hana")
    page = host.get("/host/submissions").text
    assert "failed: bad-checkpoint" in page
    path = f"/host/submissions/{made.submission_id}/requeue"
    assert f'action="{path}"' in page
    assert host.post(path).headers["location"] == "/host/submissions?done=requeued"
    hosts.remove(board.service.store, made.submission_id, "a test", "hana")


def test_a_closed_task_takes_no_submission(board: Place) -> None:
    from grue.core.errors import UsageError

    host = board.browser("hana")
    assert host.post("/host/tasks/nothing/close").status_code == 404
    assert host.post("/host/tasks/commongen/close").status_code == 303
    with pytest.raises(UsageError, match="Closed for submissions: commongen"):
        board.submitted("sam", "too late")
    assert "closed" in host.get("/host").text
    assert host.post("/host/tasks/commongen/open").status_code == 303
    assert board.submitted("sam", "in time").status == "queued"


def test_own_quotas_win_over_the_settings(board: Place) -> None:
    from grue.store.service.values import QuotaError

    host, olga = board.browser("hana"), board.people["olga"]
    path = f"/host/users/{olga.user_id}/quota"
    for data in ({"scored": "-1"}, {"scored": "many"}, {"scored": "9999999"}):
        assert host.post(path, data=data).status_code == 422
    assert host.post(path, data={"scored": "0", "attempts": "5"}).status_code == 303
    with pytest.raises(QuotaError):
        board.submitted("olga", "no place")
    assert host.post(path, data={"scored": "", "attempts": ""}).status_code == 303
    assert board.submitted("olga", "place again").status == "queued"


def test_a_role_counts_at_the_next_request(board: Place) -> None:
    host, reader = board.browser("hana"), board.browser("rita")
    path = f"/host/users/{board.people['rita'].user_id}/role"
    assert host.post(path, data={"role": "king"}).status_code == 422
    assert reader.get("/host").status_code == 403
    assert host.post(path, data={"role": "host"}).status_code == 303
    assert reader.get("/host").status_code == 200
    assert host.post(path, data={"role": "reader"}).status_code == 303
    assert reader.get("/host").status_code == 403


def test_a_host_cannot_lock_everybody_out(board: Place) -> None:
    host, own = board.browser("hana"), board.people["hana"].user_id
    assert host.post(f"/host/users/{own}/disable").status_code == 422
    assert host.post(f"/host/users/{own}/role", data={"role": "reader"}).status_code == 422
    assert host.get("/host").status_code == 200


def test_the_audit_log_names_people_and_is_read_in_pages(opened: Callable[..., Place]) -> None:
    found = opened()
    store, host = found.service.store, found.people["hana"].user_id
    for number in range(60):
        hosts.set_task_closed(store, f"task-{number}", True, host)
        visibility.unhide_run(store, "none", host)
        users.set_quota(store, found.people["sam"].user_id, number, None, actor=host)
    browser = found.browser("hana")
    first = browser.get("/host/audit").text
    assert first.count("<tr>") == 101
    assert "<bdi>hana</bdi>" in first
    assert "<code>sam</code>" in first
    older = browser.get(re.findall(r'href="(/host/audit\?cursor=[^"]+)"', first)[0]).text
    assert 20 <= older.count("<tr>") <= 60
    assert "task-0<" in older
    assert browser.get("/host/audit?cursor=x").status_code == 422


@pytest.mark.parametrize("path", ["/host/submissions/none/remove", "/host/users/none/role", "/host/users/none/disable"])
def test_what_is_not_there_is_not_found(board: Place, path: str) -> None:
    assert board.browser("hana").post(path, data={"reason": "x", "role": "reader"}).status_code == 404
