"""How any request is answered: from memory, anew after a change, packed, tagged, numbered, without a traceback."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import brotli
import pytest

from grue.store.rebuild import add_run
from grue.store.service.visibility import hide_run, unhide_run
from tests.service.serving import Served
from tests.site.boards import scored_runs
from tests.site.fake_runs import FakeTask, write_run

ATOM = "{http://www.w3.org/2005/Atom}"
PAGES = ("/", "/tasks", "/tasks/wmt16", "/cost", "/about", "/runs/01CAUSAL", "/submit", "/queue", "/signin")


def test_a_page_that_a_browser_has_is_not_sent_again(board: Served) -> None:
    first = board.get("/")
    tag = first.headers["etag"]
    again = board.get("/", headers={"If-None-Match": f'"other", {tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert board.get("/", headers={"If-None-Match": '"other"'}).status_code == 200
    assert first.headers["cache-control"] == "no-cache"
    assert {"Accept-Encoding", "Cookie"} <= {name.strip() for name in first.headers["vary"].split(",")}


@pytest.mark.parametrize("address", ["/", "/api/v1/leaderboard", "/static/board.css", "/feed.xml"])
def test_bodies_are_packed_as_the_client_takes_them(board: Served, address: str) -> None:
    unpack: dict[str, Callable[[bytes], bytes]] = {"br": brotli.decompress, "gzip": gzip.decompress}
    plain = board.get(address, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    tags = {plain.headers["etag"]}
    for encoding, unpacked in unpack.items():
        with board.client.stream("GET", address, headers={"Accept-Encoding": encoding}) as found:
            raw = b"".join(found.iter_raw())
        assert found.headers["content-encoding"] == encoding
        assert len(raw) == int(found.headers["content-length"]) < len(plain.content)
        assert unpacked(raw) == plain.content
        tags.add(found.headers["etag"])
    # A strong tag is that of the bytes: no two encodings share one.
    assert len(tags) == 3
    best = board.client.stream("GET", address, headers={"Accept-Encoding": "gzip;q=1.0, br;q=0.5, *;q=0"})
    with best as found:
        assert found.headers["content-encoding"] == "br"
    with board.client.stream("GET", address, headers={"Accept-Encoding": "br;q=0, gzip"}) as found:
        assert found.headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("address", [*PAGES, "/api/v1/leaderboard", "/static/board.css", "/feed.xml", "/nothing"])
def test_a_head_has_the_headers_of_the_body_it_leaves_out(board: Served, address: str) -> None:
    whole, head = board.get(address), board.client.head(address)
    assert head.content == b""
    assert head.status_code == whole.status_code
    names = ("content-type", "content-length", "etag", "content-encoding", "cache-control")
    assert {name: head.headers.get(name) for name in names} == {name: whole.headers.get(name) for name in names}


@pytest.mark.parametrize("address", PAGES)
def test_no_page_names_another_host_or_bears_script_or_style(board: Served, address: str) -> None:
    found = board.get(address)
    assert found.status_code == 200
    loading = r"<(?:script|img|link|iframe|source|object|embed|form|input)\b[^>]*?(?:src|href|action)=\"([^\"]*)\""
    loaded = re.findall(loading, found.text)
    assert loaded
    assert all(one.startswith("/") and not one.startswith("//") for one in loaded)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"|<script(?![^>]*\ssrc=)", found.text)


def test_a_result_is_on_the_board_at_the_next_request(service_app: Callable[..., Served], tmp_path: Path) -> None:
    runs = scored_runs(tmp_path / "runs")
    served = service_app(tmp_path / "home", runs=runs)
    before = served.get("/api/v1/leaderboard").json()
    assert "newcomer" not in served.get("/").text
    task = FakeTask(values={"sacrebleu": 20.0})
    add_run(served.service.store, write_run(tmp_path / "more", "09NEWCOMER", "newcomer", {"wmt16": task}))
    after = served.get("/api/v1/leaderboard").json()
    assert {row["run_id"] for row in after["rows"]} - {row["run_id"] for row in before["rows"]} == {"09NEWCOMER"}
    assert "newcomer" in served.get("/").text
    assert "09NEWCOMER" in served.get("/feed.xml").text
    assert served.get("/runs/09NEWCOMER").status_code == 200
    hide_run(served.service.store, "09NEWCOMER", "a copy", "command line")
    assert served.get("/api/v1/leaderboard").json() == before
    assert "newcomer" not in served.get("/").text
    assert [served.get(f"{root}/runs/09NEWCOMER").status_code for root in ("", "/api/v1")] == [404, 404]
    unhide_run(served.service.store, "09NEWCOMER", "command line")
    assert served.get("/api/v1/leaderboard").json() == after


def test_an_unchanged_board_is_made_once(board: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    address = "/api/v1/leaderboard?limit=3"
    first = board.get(address)
    asked: list[str] = []
    monkeypatch.setattr(type(board.service.boards), "current", lambda _: asked.append("again"))
    assert board.get(address).content == first.content
    assert board.get(f"{address}").headers["etag"] == first.headers["etag"]
    assert not asked


def test_addresses_that_differ_only_in_the_order_of_names_are_one_page(board: Served) -> None:
    one = board.get("/api/v1/leaderboard?task=wmt16&metric=chrf")
    other = board.get("/api/v1/leaderboard?metric=chrf&task=wmt16")
    assert one.headers["etag"] == other.headers["etag"]
    assert one.content == other.content


def test_errors_are_pages_for_people_and_documents_for_programs(board: Served) -> None:
    page = board.get("/nothing", headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.status_code == 404
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["x-request-id"] in page.text
    assert 'href="/"' in page.text
    document = board.get("/nothing", headers={"Accept": "application/json"})
    assert document.headers["content-type"] == "application/problem+json"
    assert document.json()["status"] == 404
    wrong = board.client.post("/about", headers={"Accept": "application/json"})
    assert wrong.status_code == 405
    assert "GET" in wrong.headers["allow"]
    assert wrong.json()["title"]


def test_a_fault_of_ours_says_so_and_shows_no_traceback(
    service_app: Callable[..., Served], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = service_app(tmp_path)

    def broken(_: object) -> None:
        raise RuntimeError("the secret of /home/somebody")

    monkeypatch.setattr(type(served.service.boards), "current", broken)
    for address, kind in (("/tasks", "text/html; charset=utf-8"), ("/api/v1/tasks", "application/problem+json")):
        found = served.get(address)
        assert (found.status_code, found.headers["content-type"]) == (500, kind)
        assert "Nothing of yours was lost" in found.text
        assert found.headers["x-request-id"] in found.text
        assert "content-security-policy" in found.headers
        assert not {"secret", "Traceback", "RuntimeError"} & set(re.findall(r"\w+", found.text))
    # The process goes on.
    assert served.get("/healthz").json()["status"] == "ok"


def test_a_clients_number_is_taken_over_where_it_is_one(board: Served) -> None:
    given = board.get("/healthz", headers={"X-Request-ID": "a1b2c3d4-e5f6"})
    assert given.headers["x-request-id"] == "a1b2c3d4-e5f6"
    other = board.get("/healthz", headers={"X-Request-ID": "<script>alert(1)</script>"})
    assert re.fullmatch("[0-9a-f]{16}", other.headers["x-request-id"])


def test_the_feed_holds_the_newest_runs_escaped(board: Served, board_runs: Path) -> None:
    found = board.get("/feed.xml")
    assert found.headers["content-type"].startswith("application/atom+xml")
    feed = ElementTree.fromstring(found.content)
    entries = feed.findall(f"{ATOM}entry")
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    on_board = {row["run_id"] for row in board.get("/api/v1/leaderboard").json()["rows"] if not row["yardstick"]}
    assert len(set(ids)) == len(ids)
    assert {f"urn:grue:run:{run_id}" for run_id in on_board} <= set(ids)
    times = [entry.findtext(f"{ATOM}updated") or "" for entry in entries]
    assert times == sorted(times, reverse=True)
    assert feed.findtext(f"{ATOM}updated") == times[0]
    titles = [entry.findtext(f"{ATOM}title") or "" for entry in entries]
    assert any("<script>" in title for title in titles)
    assert "<script>" not in found.text
    for entry in entries:
        link = entry.find(f"{ATOM}link")
        assert link is not None
        assert board.get(link.attrib["href"]).status_code == 200


def test_static_files_are_kept_by_their_hash(board: Served) -> None:
    address = re.search(r'href="(/static/board\.css\?v=[0-9a-f]+)"', board.get("/").text)
    assert address is not None
    assert "immutable" in board.get(address[1]).headers["cache-control"]
    assert board.get("/static/board.css?v=0").headers["cache-control"] == "no-cache"
    assert board.get("/static/../app.py").status_code == 404
    assert board.get("/static/%2e%2e%2fapp.py").status_code == 404
    assert board.get("/robots.txt").text.startswith("User-agent: *")


def test_health_readiness_and_metrics(board: Served) -> None:
    assert board.get("/healthz").json()["status"] == "ok"
    assert set(board.get("/readyz").json()["checks"].values()) == {"ok"}
    board.get("/nothing-at-all")
    text = board.get("/metrics").text
    assert 'grue_requests_total{method="GET",route="none",status="404"}' in text
    assert 'grue_jobs{status="queued"} 0.0' in text
    n_runs = len(board.service.boards.current().runs)
    assert f"grue_board_runs {n_runs}.0" in text
    # Behind a proxy that nobody said is one, everybody looks like this machine.
    assert board.get("/metrics", headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 403


def test_metrics_ask_for_their_token(service_app: Callable[..., Served], tmp_path: Path) -> None:
    served = service_app(tmp_path, metrics_token="for-prometheus")
    assert served.get("/metrics").status_code == 401
    assert served.get("/metrics", headers={"Authorization": "Bearer other"}).status_code == 401
    assert served.get("/metrics", headers={"Authorization": "Bearer for-prometheus"}).status_code == 200


def test_a_service_without_its_database_is_not_ready(service_app: Callable[..., Served], tmp_path: Path) -> None:
    served = service_app(tmp_path / "home")
    assert served.get("/readyz").status_code == 200
    served.service.store.close()
    for path in (tmp_path / "home").glob("grue.sqlite*"):
        path.unlink()
    (tmp_path / "home" / "grue.sqlite").write_bytes(b"no database" * 200)
    found = served.get("/readyz", headers={"Accept": "application/json"})
    assert found.status_code == 503
    assert found.json()["checks"]["database"] == "failed"
    assert str(tmp_path) not in found.text
    assert served.get("/healthz").status_code == 200
