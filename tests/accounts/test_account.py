"""The own account: tokens, invites, quotas."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
from sqlalchemy import text

from grue.store.service import invites, tokens, users
from tests.accounts.people import PASSWORD, Place


def shown_token(answer: httpx.Response) -> str:
    [found] = re.findall(r"grue_[A-Za-z0-9_-]{43}", answer.text)
    return str(found)


def test_a_token_is_shown_once_works_and_is_revoked(shared: Place) -> None:
    browser = shared.browser("sam")
    made = browser.post("/account/tokens", data={"label": "laptop", "scope": ["read", "submit"], "days": "30"})
    assert made.status_code == 201
    raw = shown_token(made)
    assert made.headers["cache-control"] == "no-store"
    page = browser.get("/account").text
    assert raw not in page
    assert "laptop" in page
    program = shared.client(headers={"Authorization": f"Bearer {raw}"})
    assert program.get("/api/v1/submissions").status_code == 200
    [token] = [
        one for one in tokens.tokens(shared.service.store, shared.people["sam"].user_id) if one.label == "laptop"
    ]
    assert token.scopes == ("read", "submit")
    assert token.expires_at is not None
    assert (
        shared.browser("olga").post(f"/account/tokens/{token.token_id}/revoke").status_code == 404
    )  # not olga's to revoke
    assert program.get("/api/v1/submissions").status_code == 200
    assert browser.post(f"/account/tokens/{token.token_id}/revoke").status_code == 303
    refused = program.get("/api/v1/submissions")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")


def test_the_store_keeps_no_secret_as_it_is(opened: Callable[..., Place]) -> None:
    place = opened()
    raw = place.token("sam")
    browser = place.browser()
    browser.post("/signin", data={"name": "sam", "password": PASSWORD})
    invite, _ = invites.invite(place.service.store, place.people["hana"].user_id, "reader", 1)
    secrets = [raw, raw.removeprefix("grue_"), browser.cookies["grue"], invite, PASSWORD]
    with place.service.store.read() as connection:
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
        kept = " ".join(str(row) for name in names for row in connection.execute(text(f'SELECT * FROM "{name}"')))
    assert len(kept) > 1000
    assert not [secret for secret in secrets if secret in kept]


def test_a_token_that_is_asked_for_wrongly_is_not_made(shared: Place) -> None:
    browser = shared.browser("rita")
    for data in (
        {"scope": "read"},
        {"label": "x"},
        {"label": "x", "scope": "all"},
        {"label": "x", "scope": "host"},
        {"label": "x", "scope": "read", "days": "-1"},
        {"label": "x", "scope": "read", "days": "soon"},
        {"label": "x" * 101, "scope": "read"},
    ):
        answer = browser.post("/account/tokens", data=data)
        assert answer.status_code == 422, data
        assert 'role="alert"' in answer.text
    assert tokens.tokens(shared.service.store, shared.people["rita"].user_id) == ()


def test_the_page_escapes_what_people_wrote(opened: Callable[..., Place]) -> None:
    place = opened()
    browser = place.browser("sam")
    browser.post("/account/tokens", data={"label": '"><img src=x onerror=alert(1)>', "scope": "read"})
    place.submitted("sam", name="<script>alert(1)</script>")
    page = browser.get("/account").text
    assert "<img src=x" not in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_quotas_and_submissions_stand_on_the_page(opened: Callable[..., Place]) -> None:
    place = opened(scored_per_day="7", attempts_per_day="11", jobs_waiting="3")
    for number in range(2):
        place.submitted("sam", str(number))
    page = place.browser("sam").get("/account").text
    cells = re.findall(
        r'<tr><th scope="row" class="nowrap">([^<]+)</th><td class="n">(\d+)</td><td class="n">(\d+)', page
    )
    assert cells == [
        ("Scored submissions today", "2", "7"),
        ("Uploads today", "0", "11"),
        ("Jobs waiting now", "2", "3"),
    ]
    assert page.count('href="/submissions/') == 2
    assert "/submissions/" not in place.browser("olga").get("/account").text


def test_older_submissions_are_a_link_away(opened: Callable[..., Place]) -> None:
    place = opened()
    made = [place.submitted("sam", str(number)).submission_id for number in range(13)]
    browser = place.browser("sam")
    first = browser.get("/account").text
    older = browser.get(re.findall(r'href="(/account\?cursor=[^"]+)"', first)[0]).text
    found = re.findall(r'href="/submissions/(\w+)"', first) + re.findall(r'href="/submissions/(\w+)"', older)
    assert found == made[::-1]
    assert browser.get("/account?cursor=nonsense").status_code == 422


def test_an_invite_makes_one_account_and_signs_it_in(opened: Callable[..., Place]) -> None:
    place = opened()
    made = place.browser("hana").post("/host/invites", data={"role": "submitter", "days": "7"})
    assert made.status_code == 201
    [link] = re.findall(rf"{place.address}/invites/[A-Za-z0-9_-]+", made.text)
    path = link.removeprefix(place.address)
    guest = place.browser()
    assert "a submitter, who may submit" in guest.get(path).text
    for data, why in (
        ({"name": "SAM", "password": PASSWORD}, "taken"),
        ({"name": "", "password": PASSWORD}, "no name"),
        ({"name": "gus", "password": "short"}, "8 to 200 characters"),
    ):
        answer = guest.post(path, data=data)
        assert (answer.status_code, why in answer.text) == (422, True), data
    answer = guest.post(path, data={"name": "gus", "password": PASSWORD})
    assert answer.headers["location"] == "/account?done=joined"
    assert ">gus<" in guest.get("/account").text
    assert place.browser().get(path).status_code == 404
    assert place.browser().post(path, data={"name": "second", "password": PASSWORD}).status_code == 404
    assert users.user_by_name(place.service.store, "second") is None
    assert place.browser().post("/signin", data={"name": "gus", "password": PASSWORD}).status_code == 303


def test_of_many_who_use_an_invite_at_once_one_gets_in(opened: Callable[..., Place]) -> None:
    place = opened()
    raw, _ = invites.invite(place.service.store, place.people["hana"].user_id, "submitter", 1)
    clients = [place.browser() for _ in range(8)]

    def used(number: int) -> int:
        data = {"name": f"guest-{number}", "password": PASSWORD}
        return clients[number].post(f"/invites/{raw}", data=data).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(used, range(8)))
    assert statuses.count(303) == 1
    assert set(statuses) <= {303, 404, 422}
    assert len(users.users(place.service.store)) == len(place.people) + 1


def test_an_invite_that_ran_out_is_none(shared: Place) -> None:
    from datetime import UTC, datetime, timedelta

    before = datetime.now(UTC) - timedelta(days=3)
    raw, _ = invites.invite(shared.service.store, shared.people["hana"].user_id, "host", 1, now=before)
    assert shared.browser().get(f"/invites/{raw}").status_code == 404
    answer = shared.browser().post(f"/invites/{raw}", data={"name": "late", "password": PASSWORD})
    assert answer.status_code == 404
