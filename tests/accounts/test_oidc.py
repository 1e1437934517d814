"""Sign-in by an identity provider, against one that runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from grue.store.service import invites, users
from leaderboard_site.accounts.providers import providers
from tests.accounts.oidc_server import CLIENT, SECRET, Provider, provider
from tests.accounts.people import Place, place
from tests.service.serving import settings_in


@pytest.fixture(scope="module")
def idp() -> Iterator[Provider]:
    with provider() as found:
        yield found


@pytest.fixture(autouse=True)
def _behaves(idp: Provider, request: pytest.FixtureRequest) -> None:
    idp.fault, idp.claims, idp.name = "", {}, "Ada Lovelace"
    idp.subject = request.node.name


@pytest.fixture(scope="module")
def board(idp: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Everybody may make an account."""
    with place(tmp_path_factory.mktemp("oidc"), registration="anyone", **_settings(idp)) as found:
        yield found


@pytest.fixture(scope="module")
def closed(idp: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Accounts are made by invites."""
    with place(tmp_path_factory.mktemp("closed"), **_settings(idp)) as found:
        yield found


def _settings(idp: Provider) -> dict[str, str]:
    return {
        "oidc_issuer": idp.issuer,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SECRET,
        "oidc_name": "Test provider",
    }


def left(browser: httpx.Client, path: str = "/account", **more: str) -> str:
    """Go to the provider; the address that it sends the browser back to."""
    answer = browser.get("/signin/with/oidc", params={"next": path, **more})
    assert answer.status_code == 303
    return httpx.get(answer.headers["location"]).headers["location"]


def signed_in(browser: httpx.Client, path: str = "/account", **more: str) -> httpx.Response:
    return browser.get(left(browser, path, **more))


def test_a_stranger_gets_an_account_and_comes_back_to_it(board: Place, idp: Provider) -> None:
    idp.name = "Ada Lovelace"
    browser = board.browser()
    answer = signed_in(browser, "/queue?a=b")
    assert (answer.status_code, answer.headers["location"]) == (303, "/queue?a=b")
    assert "Ada Lovelace" in browser.get("/account").text
    known = users.user_of_identity(board.service.store, idp.issuer, idp.subject)
    assert known is not None
    assert (known.role, known.has_password) == ("submitter", False)
    idp.name = "Renamed"
    again = board.browser()
    signed_in(again)
    assert "Ada Lovelace" in again.get("/account").text  # the subject counts, not the name


def test_a_name_that_is_taken_gets_a_number(board: Place, idp: Provider) -> None:
    idp.name = "SAM"
    browser = board.browser()
    signed_in(browser)
    text = browser.get("/account").text
    assert ">SAM-2<" in text


def test_each_departure_has_secrets_of_its_own(board: Place, idp: Provider) -> None:
    left(board.browser())
    left(board.browser())
    one, two = idp.seen[-2:]
    for name in ("state", "nonce", "code_challenge"):
        assert one[name] != two[name]
        assert len(one[name]) >= 32
    assert one["scope"] == "openid profile"
    assert one["redirect_uri"] == f"{board.address}/signin/with/oidc/callback"


def test_a_name_comes_from_userinfo_where_the_token_has_none(board: Place, idp: Provider) -> None:
    idp.claims = {"preferred_username": None}
    browser = board.browser()
    signed_in(browser)
    assert "From Userinfo" in browser.get("/account").text


def test_new_keys_are_fetched_when_a_token_needs_them(
    board: Place, idp: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    from joserfc.jwk import RSAKey

    assert signed_in(board.browser()).status_code == 303
    monkeypatch.setattr(idp, "key", RSAKey.generate_key(2048, {"kid": "two"}))
    # Not more often than once in a while, or anybody could make the board ask all day.
    assert signed_in(board.browser()).status_code == 403
    monkeypatch.setattr("leaderboard_site.accounts.providers._KEYS_SECONDS", 0.0)
    assert signed_in(board.browser()).status_code == 303
    idp.asked.clear()
    monkeypatch.undo()
    monkeypatch.setattr("leaderboard_site.accounts.providers._KEYS_SECONDS", 0.0)
    assert signed_in(board.browser()).status_code == 303
    assert idp.asked.count("/keys") == 1
    assert "/.well-known/openid-configuration" not in idp.asked  # kept


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": ["another-client", "third"]},
        {"aud": [CLIENT, "another-client"], "azp": "another-client"},
        {"iss": "https://another.example"},
        {"exp": 1_000_000},
        {"exp": None},
        {"iat": 99_999_999_999},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 300},
        {"sub": 7},
        {"at_hash": "not the hash of it"},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_signs_nobody_in(board: Place, idp: Provider, claims: dict[str, object]) -> None:
    idp.claims = claims
    refused(board, signed_in(board.browser()))


@pytest.mark.parametrize(
    "fault",
    ["unsigned", "signed by the public key", "signed by a stranger", "no id token", "no json", "denied",
     "answer of another"],
)  # fmt: skip
def test_a_provider_that_misbehaves_signs_nobody_in(board: Place, idp: Provider, fault: str) -> None:
    idp.fault = fault
    refused(board, signed_in(board.browser()))


def refused(board: Place, answer: httpx.Response) -> None:
    assert answer.status_code == 403
    assert 'role="alert"' in answer.text
    assert not [line for line in answer.headers.get_list("set-cookie") if line.startswith("grue=")]
    assert SECRET not in answer.text


def test_another_state_is_refused(board: Place) -> None:
    browser = board.browser()
    back = httpx.URL(left(browser))
    refused(board, browser.get(back.copy_set_param("state", "x" * 43)))
    assert browser.get(back).status_code == 400  # the departure was used up


def test_an_answer_in_another_browser_is_refused(board: Place) -> None:
    stolen = left(board.browser())
    assert board.browser().get(stolen).status_code == 400
    victim = board.browser()
    left(victim)
    refused(board, victim.get(stolen))


def test_an_answer_is_good_once(board: Place) -> None:
    browser = board.browser()
    back = left(browser)
    cookie = browser.cookies["grue-departure"]
    assert browser.get(back).status_code == 303
    assert "grue-departure" not in browser.cookies
    browser.cookies.set("grue-departure", cookie)
    refused(board, browser.get(back))  # the provider knows the code no longer


def test_a_departure_that_we_did_not_sign_is_none(board: Place) -> None:
    browser = board.browser()
    back = left(browser)
    head, body, signature = browser.cookies["grue-departure"].split(".")
    for forged in (f"{head}.{body}.{signature[:-4]}AAAA", "x", f"{head}.{body}.", ""):
        browser.cookies.clear()
        browser.cookies.set("grue-departure", forged)
        assert browser.get(back).status_code == 400


def test_a_departure_holds_ten_minutes(board: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leaderboard_site.accounts.departures.SECONDS", -1)
    browser = board.browser()
    answer = browser.get("/signin/with/oidc")
    back = httpx.get(answer.headers["location"]).headers["location"]
    cookie = answer.headers["set-cookie"].partition("=")[2].partition(";")[0]
    assert board.client().get(back, headers={"Cookie": f"grue-departure={cookie}"}).status_code == 400


def test_it_leads_to_own_paths_alone(board: Place) -> None:
    assert signed_in(board.browser(), "//evil.example/").headers["location"] == "/account"


def test_without_an_invite_a_stranger_stays_outside(closed: Place, idp: Provider) -> None:
    answer = signed_in(closed.browser())
    refused(closed, answer)
    assert "invite link" in answer.text
    assert users.user_of_identity(closed.service.store, idp.issuer, idp.subject) is None


def test_an_invite_lets_one_stranger_in(closed: Place, idp: Provider) -> None:
    store = closed.service.store
    raw, _ = invites.invite(store, closed.people["hana"].user_id, "reader", 1)
    browser = closed.browser()
    page = browser.get(f"/invites/{raw}").text
    assert f"invite={raw}" in page
    assert signed_in(browser, invite=raw).status_code == 303
    known = users.user_of_identity(store, idp.issuer, idp.subject)
    assert known is not None
    assert known.role == "reader"
    assert invites.open_invite(store, raw) is None
    idp.subject = "another person"
    refused(closed, signed_in(closed.browser(), invite=raw))


def test_a_disabled_account_stays_outside(board: Place, idp: Provider) -> None:
    signed_in(board.browser())
    known = users.user_of_identity(board.service.store, idp.issuer, idp.subject)
    assert known is not None
    users.set_disabled(board.service.store, known.user_id, True)
    refused(board, signed_in(board.browser()))


@pytest.mark.parametrize("fault", ["another issuer", "bad endpoint"])
def test_a_discovery_document_that_is_none_is_refused(idp: Provider, tmp_path: Path, fault: str) -> None:
    idp.fault = fault
    with place(tmp_path / "home", **_settings(idp)) as found:
        answer = found.browser().get("/signin/with/oidc")
        assert answer.status_code == 503
        assert 'role="alert"' in answer.text


def test_a_provider_that_is_down_is_said_so(idp: Provider, tmp_path: Path) -> None:
    settings = _settings(idp) | {"oidc_issuer": "http://127.0.0.1:9"}
    with place(tmp_path / "home", **settings) as found:
        answer = found.browser().get("/signin/with/oidc")
        assert answer.status_code == 503
        assert "cannot be reached" in answer.text


def test_an_unknown_provider_is_not_found(board: Place) -> None:
    assert board.browser().get("/signin/with/evil").status_code == 404


def test_the_settings_name_the_providers(tmp_path: Path) -> None:
    settings = settings_in(
        tmp_path,
        github_client_id="a",
        github_client_secret="b",
        huggingface_client_id="c",
        huggingface_client_secret="d",
        oidc_issuer="https://id.example",
        oidc_client_id="e",
    )
    found = providers(settings)
    assert [(one.key, one.issuer) for one in found] == [
        ("github", "https://github.com"),
        ("huggingface", "https://huggingface.co"),
        ("oidc", "https://id.example"),
    ]
    assert "'b'" not in repr(found)
