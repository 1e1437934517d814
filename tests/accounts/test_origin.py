"""Posts that a page of another site sends are turned away."""

from __future__ import annotations

import httpx
import pytest

from tests.accounts.people import PASSWORD, Place

FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://["},
    {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "OWN"},
    {"Sec-Fetch-Site": ""},
]
OWN = [
    {"Origin": "OWN"},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "OWN"},
    {},  # not a browser: each of them sends one of the two with a post
]


def tried(place: Place, method: str, headers: dict[str, str]) -> httpx.Response:
    sent = {name: place.address if value == "OWN" else value for name, value in headers.items()}
    return place.browser("sam").request(method, "/account/tokens", headers=sent, data={"label": "x", "scope": "read"})


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_another_sites_post_is_refused(shared: Place, headers: dict[str, str]) -> None:
    answer = tried(shared, "POST", headers)
    assert answer.status_code == 403
    assert answer.json()["title"] == "Sent from another site" if "json" in answer.headers["content-type"] else True
    assert "grue_" not in answer.text


@pytest.mark.parametrize("headers", OWN, ids=str)
def test_the_own_sites_post_is_taken(shared: Place, headers: dict[str, str]) -> None:
    assert tried(shared, "POST", headers).status_code == 201


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_every_unsafe_method_is_looked_at(shared: Place, method: str) -> None:
    assert tried(shared, method, {"Origin": "https://evil.example"}).status_code == 403
    assert tried(shared, method, {"Origin": "OWN"}).status_code == 405


def test_signing_in_for_somebody_from_another_site_is_refused(shared: Place) -> None:
    answer = shared.browser().post(
        "/signin", data={"name": "sam", "password": PASSWORD}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_links_from_other_sites_are_followed(shared: Place) -> None:
    answer = shared.browser("sam").get("/account", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200


def test_a_token_is_proof_enough(shared: Place) -> None:
    answer = shared.program("sam", "read").get("/account", headers={"Origin": "https://evil.example"})
    assert answer.status_code == 200
    posted = shared.program("hana", "host").post("/host/runs/x/unhide", headers={"Origin": "https://evil.example"})
    assert posted.status_code == 303


def test_a_token_beside_a_cookie_does_not_lend_the_cookies_rights(shared: Place) -> None:
    browser = shared.browser("hana", Origin="https://evil.example", Authorization="Bearer grue_" + "a" * 43)
    assert browser.post("/host/invites", data={"role": "host", "days": "1"}).status_code == 401


def test_the_settings_address_is_the_own_one_behind_a_proxy(opened: type[Place]) -> None:
    place = opened(base_url="https://board.example")
    data = {"name": "sam", "password": PASSWORD}
    for origin, status in (
        ("https://board.example", 303),
        ("http://board.example", 403),
        (place.address, 403),
        ("https://board.example.evil.example", 403),
    ):
        assert place.browser().post("/signin", data=data, headers={"Origin": origin}).status_code == status, origin


def test_a_proxys_own_credentials_are_no_token_and_no_proof(shared: Place) -> None:
    basic = {"Authorization": "Basic c2FtOnNlY3JldA=="}
    browser = shared.browser("sam", **basic)
    assert browser.get("/account").status_code == 200
    foreign = browser.post("/account/tokens", headers={"Origin": "https://evil.example"}, data={"label": "x"})
    assert foreign.status_code == 403


@pytest.mark.parametrize("header", ["Bearer", "bearer x y", "BEARER grue_", "Bearer\tx", "Bearerx"])
def test_a_token_that_is_none_is_refused(shared: Place, header: str) -> None:
    answer = shared.client(headers={"Authorization": header}).get("/api/v1/queue")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
