"""``/queue``: what waits in which order; a private name is its owner's alone."""

from __future__ import annotations

from grue.store.service import jobs
from tests.site.parsed import Html
from tests.submitting.conftest import ROWS, Account, Board, answers


def page(board: Board, account: Account | None = None) -> Html:
    headers = {"Accept": "text/html"} | (account.headers if account else {})
    answer = board.client.get("/queue", headers=headers)
    assert answer.status_code == 200
    return Html(answer.text)


def test_an_empty_queue_says_what_to_do(board: Board) -> None:
    found = page(board)
    assert not found.unbalanced
    text = found.one("main").text
    assert "Nothing waits." in text
    assert "No worker has been heard of" in text
    assert found.one("a", class_="button primary").attributes["href"] == "/submit"
    assert not found.find("meta", http_equiv="refresh")


def test_jobs_stand_in_their_order_and_private_names_are_hidden(board: Board) -> None:
    ada, bob = board.account("ada"), board.account("bob")
    for number, (account, name, public) in enumerate(
        [(ada, "runs", "no"), (bob, "bob's own", "no"), (ada, "for all", "yes")]
    ):
        assert board.submit(account, answers(ROWS, str(number)), name=name, public=public).status_code == 201
    store = board.service.store
    taken = jobs.claim(store, "gpu-1", 600)
    assert taken is not None
    jobs.seen(store, "gpu-1", taken.job_id)

    def names(found: Html) -> list[str]:
        return [one.text.strip() for one in found.find("th", scope="row") if one.text.strip() != "gpu-1"]

    assert names(page(board)) == ["private", "private", "for all"]
    assert names(page(board, bob)) == ["private", "bob's own yours", "for all"]
    assert names(page(board, ada)) == ["runs yours", "private", "for all yours"]
    assert "works on a private submission" in page(board).one("main").text
    assert "works on runs" in page(board, ada).one("main").text
    host = board.account("host", "host", ("host", "read"))
    assert names(page(board, host)) == ["runs", "bob's own", "for all"]
    places = [one.text.strip().split()[0] for one in page(board).find("td", class_="n")][::2][:3]
    assert places == ["–", "1", "2"]
    lead = page(board).one("p", class_="lead").text
    assert lead == "1 job at work, 2 waiting. 1 worker."
