"""The page of a run and its files: what they tell, to whom."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from grue.runs.read import read_run
from grue.store.records import record_of
from grue.store.service import finishing, jobs, submissions, tokens, users
from grue.store.service.values import Limits, NewSubmission
from leaderboard_site.service import Service
from tests.service.serving import Served, served
from tests.service.written_runs import Line, Written, write_lines
from tests.site.parsed import Html

LINES = [
    Line("r1", "eins zwei drei", {"chrf": 0.2}, "prompt one", ("a b c d", "x"), tokens=4),
    Line("r2", "", {"chrf": 0.0}, "prompt two", ("a b",), tokens=0),
    Line("r3", "fünf Wörter stehen in Reihe", {"chrf": 1.0}, "prompt three", ("a",), finish="length", tokens=20),
]
SECRET = [Line("s1", "guess", {"chrf": 0.5}, "SECRETPROMPT", ("SECRETREFERENCE",))]
HOSTILE = "<script>alert(1)</script>"


@dataclass
class Sent:
    """A board with two runs that were sent in, one public and one not, and tokens of those who may ask."""

    board: Served
    runs: Path
    owner: str
    other: str
    host: str


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    folder = tmp_path_factory.mktemp("written")
    runs, aside = folder / "runs", folder / "aside"
    write_lines(runs, "07PLAIN", "plain", wmt16=Written(LINES))
    write_lines(runs, "07KEPT", "kept", a_private_task=Written(SECRET, source="folder"))
    write_lines(runs, "07HUSH", "hush", wmt16=Written(SECRET, split="hush"))
    for run_id in ("07PRIVATE", "07PUBLIC"):
        write_lines(aside, run_id, f"sent {run_id}", wmt16=Written(LINES))
    held: dict[str, str] = {}

    def prepare(service: Service) -> None:
        for name, role in (("ada", "submitter"), ("eve", "submitter"), ("root", "host")):
            person = users.create_user(service.store, name, role)
            scopes = ("read", "host") if role == "host" else ("read",)
            held[name] = tokens.create_token(service.store, person.user_id, "test", scopes)[0]
        owner = users.user_by_name(service.store, "ada")
        assert owner is not None
        for run_id in ("07PRIVATE", "07PUBLIC"):
            _send(service, owner.user_id, aside / run_id, is_public=run_id == "07PUBLIC")

    with served(tmp_path_factory.mktemp("home"), runs, prepare, hidden_splits="hush") as board:
        yield Sent(board, folder, held["ada"], held["eve"], held["root"])


def _send(service: Service, user_id: str, path: Path, *, is_public: bool) -> None:
    new = NewSubmission(
        user_id=user_id,
        name=path.name,
        kind="predictions",
        upload=f"uploads/{path.name}",
        model="",
        revision="",
        split="test",
        tasks=("wmt16",),
        is_public=is_public,
        description=f"My system. {HOSTILE}",
        url='https://example.org/?a=1&b="><b>',
        licence="<i>mine</i>",
        trained_on="WMT19 en-de",
        contamination="",
        rows=len(LINES),
        content_sha256=hashlib.sha256(path.name.encode()).hexdigest(),
        is_hidden=False,
    )
    limits = Limits(scored_per_day=9, attempts_per_day=9, jobs_waiting=9)
    submissions.submit(service.store, new, limits)
    job = jobs.claim(service.store, "worker", 60)
    assert job is not None
    record = record_of(read_run(path))
    assert finishing.finish(service.store, job.job_id, job.attempt, record, path.name)


def _page(board: Served, path: str) -> Html:
    answer = board.get(path)
    assert answer.status_code == 200, answer.text[:500]
    return Html(answer.text)


def test_the_page_tells_lengths_and_distributions_of_the_rows(sent: Sent) -> None:
    page = _page(sent.board, "/runs/07PLAIN")
    (table,) = [one for one in page.find("table") if "Middle 90 %" in one.text]
    row = next(one for one in page.find("tr") if "0 to 18" in one.text)
    assert row.text in table.text
    # By hand: tokens 4, 0, 20; words 3, 0, 5 against 4, 2, 1 in the first references.
    assert row.text == "WMT16 en-de38.040 to 18202033.3\u202f%33.3\u202f%2.72.31.14"
    titles = [one.text for one in page.find("b") if "figcaption" in one.parents]
    assert titles == ["chrf, WMT16 en-de", "Output tokens, WMT16 en-de"]
    assert "Empty outputs" in page.one("div", class_="note warn").text


def test_everything_in_the_manifest_is_on_the_page(sent: Sent) -> None:
    page = _page(sent.board, "/runs/07PLAIN")
    (shown,) = [one for one in page.find("pre") if one.attributes.get("class") == "manifest"]
    assert json.loads(shown.text) == json.loads((sent.runs / "runs" / "07PLAIN" / "manifest.json").read_text())
    command = page.one("pre", aria_label="Command").text
    assert command == "grue eval \\\n  -m plain \\\n  -t wmt16"


def test_files_are_handed_out_as_they_are(sent: Sent) -> None:
    page = _page(sent.board, "/runs/07PLAIN")
    offered = [one.attributes["href"] for one in page.find("a") if "download" in one.attributes]
    assert offered == [f"/runs/07PLAIN/files/{n}" for n in ("manifest.json", "results.json", "samples/wmt16.parquet")]
    for address in offered:
        answer = sent.board.get(address)
        stored = sent.runs / "runs" / "07PLAIN" / address.removeprefix("/runs/07PLAIN/files/")
        assert answer.content == stored.read_bytes()
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert pq.read_table(io.BytesIO(sent.board.get(offered[-1]).content)).num_rows == 3


@pytest.mark.parametrize(
    ("run", "name", "status"),
    [
        ("07KEPT", "samples/a_private_task.parquet", 403),
        ("07HUSH", "samples/wmt16.parquet", 403),
        ("07HUSH", "results.json", 200),
        ("07PLAIN", "events.jsonl", 404),
        ("07PLAIN", "statistics/wmt16.parquet", 404),
        ("07PLAIN", "samples/nix.parquet", 404),
        ("07PLAIN", "%2e%2e/07KEPT/samples/a_private_task.parquet", 404),
        ("07PLAIN", "..%2f07KEPT%2fmanifest.json", 404),
        ("07PLAIN", "%2fetc%2fpasswd", 404),
        ("07PLAIN", "manifest.json%00", 400),
        ("NIX", "manifest.json", 404),
    ],
)
def test_other_files_are_not(sent: Sent, run: str, name: str, status: int) -> None:
    answer = sent.board.get(f"/runs/{run}/files/{name}")
    assert answer.status_code == status
    assert b"SECRET" not in answer.content


def test_kept_files_say_why(sent: Sent) -> None:
    assert "kept: the split is hidden" in _page(sent.board, "/runs/07HUSH").one("main").text
    assert "card does not let its texts be shown" in _page(sent.board, "/runs/07KEPT").one("main").text


@pytest.mark.parametrize(
    "path", ["", "/samples/wmt16", "/files/manifest.json", "/files/samples/wmt16.parquet", "/nowhere"]
)
def test_a_private_run_is_there_for_its_owner_and_hosts_alone(sent: Sent, path: str) -> None:
    def status(token: str | None) -> int:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = sent.board.get(f"/runs/07PRIVATE{path}", headers=headers)
        if answer.status_code == 200:
            assert answer.headers["cache-control"] == "no-store"
        return answer.status_code

    mine = 404 if path == "/nowhere" else 200
    # Twice in another order: what one saw is not kept for the next.
    asked = [None, sent.owner, None, sent.other, sent.host, sent.other, None]
    assert [status(token) for token in asked] == [404, mine, 404, 404, mine, 404, 404]


def test_a_private_run_can_be_compared_by_its_owner_alone(sent: Sent) -> None:
    address = "/compare?runs=07PLAIN,07PRIVATE"
    mine = sent.board.get(address, headers={"Authorization": f"Bearer {sent.owner}"})
    assert mine.status_code == 200
    assert mine.headers["cache-control"] == "no-store"
    assert "sent 07PRIVATE" in mine.text
    for token in (None, sent.other):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = sent.board.get(address, headers=headers)
        assert answer.status_code == 404
        assert "sent 07PRIVATE" not in answer.text
    assert "07PRIVATE" not in sent.board.get("/compare").text
    assert "07PRIVATE" not in sent.board.get("/runs/07PLAIN/samples/wmt16").text


def test_what_the_submitter_says_is_told_as_text(sent: Sent) -> None:
    answer = sent.board.get("/runs/07PUBLIC")
    page = Html(answer.text)
    assert page.find("script") == []
    assert page.find("i") == []
    (description,) = [one for one in page.find("p") if one.text.startswith("My system.")]
    assert description.text == f"My system. {HOSTILE}"
    link = next(one for one in page.find("a") if one.text.startswith("https://example.org"))
    assert link.attributes["href"] == 'https://example.org/?a=1&b="><b>'
    assert {"nofollow", "noopener"} <= set(link.attributes["rel"].split())
    main = page.one("main").text
    for words in ("<i>mine</i>", "WMT19 en-de", "not stated", "a prediction file"):
        assert words in main, words
    assert "not public" not in main


def test_the_owner_is_told_that_nobody_else_sees_it(sent: Sent) -> None:
    answer = sent.board.get("/runs/07PRIVATE", headers={"Authorization": f"Bearer {sent.owner}"})
    page = Html(answer.text)
    assert any("This run is not public" in one.text for one in page.find("p", class_="note"))
    # It stands where it would stand: the same rows as two public runs.
    assert "of 3" in page.one("main").text


def test_a_public_page_is_kept_and_told_apart_by_its_tag(sent: Sent) -> None:
    first = sent.board.get("/runs/07PLAIN")
    again = sent.board.get("/runs/07PLAIN", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_pages_that_are_not_there_are_not_found(sent: Sent) -> None:
    for path in ("/runs/NIX", "/runs/", f"/runs/{'a' * 300}", "/runs/%3Cscript%3E"):
        answer = sent.board.get(path)
        assert answer.status_code in (404, 422), path
        assert "<script>" not in answer.text
