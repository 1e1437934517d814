"""Limits by address and by account, and whose word counts for an address."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from leaderboard_site.accounts.rates import Rates, TooManyRequests, address_key
from tests.accounts.people import Place


def test_posts_of_an_address_wait(opened: Callable[..., Place]) -> None:
    place = opened(posts_per_minute="3")
    answers = [place.browser().post("/signout") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [303] * 3 + [429] * 2
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert "content-security-policy" in answers[-1].headers
    assert place.browser().get("/signin").status_code == 200  # reading goes on


def test_the_api_waits_but_not_the_board(opened: Callable[..., Place]) -> None:
    place = opened(api_per_minute="2")
    client = place.browser()
    assert [client.get("/api/v1/queue").status_code for _ in range(4)] == [200, 200, 429, 429]
    answer = client.get("/api/v1/queue")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 429
    assert [client.get("/api/v1/leaderboard").status_code for _ in range(4)] == [200] * 4
    assert [client.get("/").status_code for _ in range(4)] == [200] * 4


def test_pages_that_show_rows_are_counted_with_the_api(opened: Callable[..., Place]) -> None:
    place = opened(api_per_minute="2")
    client = place.browser()
    asked = ("/runs/none/samples/toy", "/compare?runs=a,b", "/runs/none/samples/toy", "/compare", "/api/v1/queue")
    assert [client.get(address).status_code == 429 for address in asked] == [False, False, True, True, True]
    assert client.get("/runs/none").status_code == 404


def test_an_account_is_counted_over_all_its_addresses_and_tokens(opened: Callable[..., Place]) -> None:
    place = opened(api_per_minute="3", proxies="127.0.0.1")

    def asked(token: str, address: str) -> int:
        headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": address}
        return httpx.get(f"{place.address}/api/v1/submissions", headers=headers).status_code

    sam = [place.token("sam"), place.token("sam")]
    assert [asked(sam[number % 2], f"192.0.2.{number}") for number in range(5)] == [200] * 3 + [429] * 2
    assert asked(place.token("olga"), "192.0.2.9") == 200


def test_an_account_too_reads_the_board_freely(opened: Callable[..., Place]) -> None:
    place = opened(api_per_minute="2", proxies="127.0.0.1")
    token = place.token("sam")

    def asked(path: str, number: int) -> int:
        headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": f"192.0.2.{number}"}
        return httpx.get(f"{place.address}{path}", headers=headers).status_code

    assert [asked("/api/v1/leaderboard", number) for number in range(4)] == [200] * 4
    assert [asked("/api/v1/queue", number) for number in range(4)] == [200, 200, 429, 429]


@pytest.mark.parametrize(("proxies", "is_one"), [("", True), ("10.0.0.1", True), ("127.0.0.1", False)])
def test_a_forwarded_address_counts_from_a_trusted_proxy_alone(
    opened: Callable[..., Place], proxies: str, is_one: bool
) -> None:
    place = opened(posts_per_minute="1", proxies=proxies)
    answers = [
        place.browser(**{"X-Forwarded-For": f"198.51.100.{number}"}).post("/signout").status_code for number in range(3)
    ]
    assert answers == ([303, 429, 429] if is_one else [303] * 3)


def test_behind_a_proxy_the_last_address_that_it_did_not_vouch_for_counts(opened: Callable[..., Place]) -> None:
    place = opened(posts_per_minute="1", proxies="127.0.0.1")
    # What the client wrote stands before what the proxy saw.
    answers = [
        place.browser(**{"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.7"}).post("/signout").status_code
        for number in range(3)
    ]
    assert answers == [303, 429, 429]


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("nonsense", "nonsense", True),
    ],
)
def test_what_an_address_is_counted_by(one: str, other: str, are_same: bool) -> None:
    assert (address_key(one) == address_key(other)) is are_same


def test_a_window_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("limits.storage.memory.time.time", lambda: now[0])
    rates = Rates(posts_per_minute=2, api_per_minute=9, sign_in_failures=9)
    rates.hit("post", "a")
    now[0] += 40
    rates.hit("post", "a")
    with pytest.raises(TooManyRequests) as refused:
        rates.hit("post", "a")
    assert refused.value.seconds == 20
    rates.hit("post", "b")
    now[0] += 21  # the first is a minute ago, the second is not
    rates.hit("post", "a")
    with pytest.raises(TooManyRequests):
        rates.hit("post", "a")


def test_addresses_that_come_once_take_no_memory_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leaderboard_site.accounts.rates.KEPT_KEYS", 50)
    now = [1000.0]
    monkeypatch.setattr("limits.storage.memory.time.time", lambda: now[0])
    rates = Rates(posts_per_minute=2, api_per_minute=9, sign_in_failures=9)
    for number in range(500):
        now[0] += 120
        rates._storage._MemoryStorage__expire_events()  # type: ignore[attr-defined]
        rates.hit("post", f"address {number}")
    assert len(rates._storage.events) <= 52
