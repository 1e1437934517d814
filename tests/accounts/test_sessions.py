"""Session cookies: what they look like, and when they begin and end."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest

from grue.store.service import users
from tests.accounts.people import PASSWORD, Place, password_hash


def signed_in(client: httpx.Client, name: str = "sam", password: str = PASSWORD, **more: str) -> httpx.Response:
    return client.post("/signin", data={"name": name, "password": password, **more})


def cookie_of(answer: httpx.Response) -> tuple[str, str, set[str]]:
    """Name, value and attributes of the one cookie of an answer."""
    [line] = answer.headers.get_list("set-cookie")
    pair, *attributes = (part.strip() for part in line.split(";"))
    name, _, value = pair.partition("=")
    return name, value, {one.lower() for one in attributes if not one.lower().startswith(("max-age", "expires"))}


def test_over_plain_http_the_cookie_is_hidden_from_scripts_and_other_sites(shared: Place) -> None:
    name, value, attributes = cookie_of(signed_in(shared.browser()))
    assert name == "grue"
    assert re.fullmatch(r"[A-Za-z0-9_-]{43,}", value)
    assert attributes == {"httponly", "path=/", "samesite=lax"}


def test_over_https_it_is_bound_to_the_host(opened: Callable[..., Place]) -> None:
    place = opened(base_url="https://board.example")
    name, value, attributes = cookie_of(signed_in(place.browser()))
    assert name == "__Host-grue"
    assert attributes == {"httponly", "path=/", "samesite=lax", "secure"}
    raw = place.client()
    assert raw.get("/account", headers={"Cookie": f"__Host-grue={value}"}).status_code == 200
    # A cookie without the prefix may have been planted by a sister site or over plain http.
    assert raw.get("/account", headers={"Cookie": f"grue={value}"}).status_code == 303


def test_the_scheme_in_front_of_a_trusted_proxy_counts(opened: Callable[..., Place]) -> None:
    place = opened(proxies="127.0.0.1")
    answer = place.browser(**{"X-Forwarded-Proto": "https"}).post("/signin", data={"name": "sam", "password": PASSWORD})
    assert cookie_of(answer)[0] == "__Host-grue"
    assert "strict-transport-security" in answer.headers


def test_nobody_elses_forwarded_scheme_counts(opened: Callable[..., Place]) -> None:
    place = opened(proxies="10.9.8.7")
    answer = place.browser(**{"X-Forwarded-Proto": "https"}).post("/signin", data={"name": "sam", "password": PASSWORD})
    assert cookie_of(answer)[0] == "grue"


def test_signing_in_takes_a_new_secret_and_ends_the_old_one(shared: Place) -> None:
    browser = shared.browser()
    browser.cookies.set("grue", "planted-by-somebody-else-0123456789abcdef")
    first = cookie_of(signed_in(browser))[1]
    assert first != "planted-by-somebody-else-0123456789abcdef"
    second = cookie_of(signed_in(browser))[1]
    assert second != first
    old = shared.client(cookies={"grue": first})
    assert old.get("/account").status_code == 303
    assert shared.client(cookies={"grue": second}).get("/account").status_code == 200


def test_signing_out_ends_the_sign_in_on_the_server_too(shared: Place) -> None:
    browser = shared.browser()
    value = cookie_of(signed_in(browser))[1]
    answer = browser.post("/signout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert 'grue=""' in answer.headers["set-cookie"]
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert shared.client(cookies={"grue": value}).get("/account").status_code == 303


def test_signing_out_takes_a_post(shared: Place) -> None:
    browser = shared.browser("sam")
    assert browser.get("/signout").status_code == 405
    assert browser.get("/account").status_code == 200


def test_sign_out_everywhere_ends_every_browser_but_no_token(shared: Place) -> None:
    one, two, program = shared.browser("olga"), shared.browser("olga"), shared.program("olga", "read")
    assert one.post("/account/sign-out-everywhere").status_code == 303
    assert [client.get("/account").status_code for client in (one, two, program)] == [303, 303, 200]


def test_disabling_ends_browsers_and_tokens_at_once(opened: Callable[..., Place]) -> None:
    place = opened()
    browser, program = place.browser("sam"), place.program("sam", "read")
    assert [client.get("/account").status_code for client in (browser, program)] == [200, 200]
    host = place.browser("hana")
    assert host.post(f"/host/users/{place.people['sam'].user_id}/disable").status_code == 303
    assert [client.get("/account").status_code for client in (browser, program)] == [303, 401]
    assert signed_in(place.browser()).status_code == 401
    assert host.post(f"/host/users/{place.people['sam'].user_id}/enable").status_code == 303
    # What had ended stays so.
    assert [client.get("/account").status_code for client in (browser, program)] == [303, 401]
    assert signed_in(place.browser()).status_code == 303


def test_a_new_password_signs_every_other_browser_out(opened: Callable[..., Place]) -> None:
    place = opened()
    other, browser = place.browser("sam"), place.browser("sam")
    wrong = browser.post("/account/password", data={"current": "not it at all", "new": "another long one"})
    assert wrong.status_code == 422
    assert other.get("/account").status_code == 200
    answer = browser.post("/account/password", data={"current": PASSWORD, "new": "another long one"})
    assert answer.headers["location"] == "/account?done=password"
    assert cookie_of(answer)[0] == "grue"
    assert browser.get("/account").status_code == 200
    assert other.get("/account").status_code == 303
    assert signed_in(place.browser()).status_code == 401
    assert signed_in(place.browser(), password="another long one").status_code == 303


def test_a_sign_in_runs_out(opened: Callable[..., Place]) -> None:
    from grue.store.service import sign_ins

    place = opened()
    raw = sign_ins.sign_in(place.service.store, place.people["sam"].user_id, -1)
    assert place.client(cookies={"grue": raw}).get("/account").status_code == 303


@pytest.mark.parametrize("value", ["", "x", "a b", "ü" * 40, "'; DROP TABLE users; --", "x" * 5000, "%00" * 20])
def test_a_cookie_that_is_none_is_nobody(shared: Place, value: str) -> None:
    cookie = f"grue={value}".encode()
    answer = httpx.get(f"{shared.address}/account", headers=[(b"Cookie", cookie)])
    assert answer.status_code == 303


def test_an_account_without_password_cannot_be_signed_in_to_by_none(opened: Callable[..., Place]) -> None:
    place = opened()
    users.create_user(place.service.store, "tina", "submitter")
    for password in ("", "None", PASSWORD):
        assert signed_in(place.browser(), "tina", password).status_code == 401


def test_an_old_hash_still_opens(opened: Callable[..., Place]) -> None:
    from argon2 import PasswordHasher

    place = opened()
    other = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=2).hash("kept from before")
    users.create_user(place.service.store, "tina", "submitter", password_hash=other)
    assert signed_in(place.browser(), "tina", "kept from before").status_code == 303
    assert users.password_hash(place.service.store, place.people["sam"].user_id) == password_hash()
