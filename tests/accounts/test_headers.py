"""Headers that browsers act on, on every answer."""

from __future__ import annotations

import httpx
import pytest
import structlog

from tests.accounts.people import Place

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# What is asked -> status; each answer comes from another place of the app.
ANSWERS = [
    ("GET", "/", 200),
    ("GET", "/signin", 200),
    ("GET", "/static/board.css", 200),
    ("GET", "/api/v1/leaderboard", 200),
    ("GET", "/healthz", 200),
    ("GET", "/nowhere", 404),
    ("GET", "/api/v1/runs/nothing", 404),
    ("GET", "/host", 303),
    ("GET", "/api/v1/submissions/nothing", 404),
    ("DELETE", "/signin", 405),
    ("POST", "/account/tokens", 401),
    ("HEAD", "/", 200),
]


def check(answer: httpx.Response) -> None:
    assert answer.headers.get_list("content-security-policy") == [POLICY]
    assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["x-frame-options"] == "DENY"
    policy = dict(part.split("=") for part in answer.headers["permissions-policy"].split(", "))
    assert {"camera", "geolocation", "microphone", "payment", "usb"} <= set(policy)
    assert set(policy.values()) == {"()"}


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_every_answer_has_them(shared: Place, method: str, path: str, status: int) -> None:
    answer = shared.browser().request(method, path)
    assert answer.status_code == status
    check(answer)
    assert "strict-transport-security" not in answer.headers


def test_a_post_from_elsewhere_and_a_body_that_is_too_large_have_them(shared: Place) -> None:
    foreign = shared.browser("sam").post("/account/tokens", headers={"Origin": "https://evil.example"})
    large = shared.browser().post("/signin", data={"name": "x" * 70_000})
    assert (foreign.status_code, large.status_code) == (403, 413)
    check(foreign)
    check(large)


def test_a_fault_of_ours_has_them_and_says_nothing_of_itself(shared: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret place /srv/grue")

    monkeypatch.setattr("leaderboard_site.accounts.routes.signin_view", broken)
    with structlog.testing.capture_logs() as logged:
        answer = shared.browser().get("/signin")
    assert [one["event"] for one in logged if one["log_level"] == "error"] == ["request failed"]
    assert answer.status_code == 500
    check(answer)
    assert "secret place" not in answer.text
    assert "Traceback" not in answer.text


def test_over_https_browsers_are_told_to_stay_there(opened: type[Place]) -> None:
    answer = opened(base_url="https://board.example").browser().get("/")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_pages_of_an_account_are_kept_by_no_cache(shared: Place) -> None:
    for name, path in (("sam", "/account"), (None, "/signin"), ("hana", "/host"), ("hana", "/host/audit")):
        assert shared.browser(name).get(path).headers["cache-control"] == "no-store"


def test_no_page_has_inline_script_or_style(shared: Place) -> None:
    for name, path in (("hana", "/account"), (None, "/signin"), ("hana", "/host"), ("hana", "/host/users")):
        text = shared.browser(name).get(path).text
        assert "<style" not in text
        assert " style=" not in text
        assert " onclick=" not in text
        assert "http-equiv" not in text
