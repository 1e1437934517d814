"""Sign-in by GitHub, which has OAuth 2 and an address of its own for who somebody is; against a copy that runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from grue.store.service import users
from leaderboard_site.accounts import providers
from tests.accounts.oidc_server import Provider, provider
from tests.accounts.people import place


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    class GitHub(Provider):
        async def token(self, request: Request) -> Response:
            form = dict(httpx.QueryParams((await request.body()).decode()))
            query = self.codes.pop(form["code"], None)
            if query is None or (form["client_id"], form["client_secret"]) != ("board", "hush"):
                return JSONResponse({"error": "bad_verification_code"})  # GitHub says so with status 200
            self.tokens.add("gho_x")
            return JSONResponse({"access_token": "gho_x", "token_type": "bearer", "scope": "read:user"})

        def me(self, request: Request) -> Response:
            if request.headers["authorization"] != "Bearer gho_x" or self.fault == "nobody":
                return JSONResponse({"message": "Bad credentials"})
            return JSONResponse({"id": 583231, "login": "octocat", "name": "The Octocat"})

        def app(self):  # type: ignore[no-untyped-def]
            found = super().app()
            found.router.routes.append(Route("/user", self.me))
            return found

    monkeypatch.setattr("tests.accounts.oidc_server.Provider", GitHub)
    with provider() as found:
        there = replace(
            providers.GITHUB,
            authorization=f"{found.issuer}/authorize",
            token=f"{found.issuer}/token",
            user=f"{found.issuer}/user",
        )
        monkeypatch.setattr(providers, "GITHUB", there)
        yield found


def test_the_number_of_a_github_account_is_the_identity(github: Provider, tmp_path_factory) -> None:  # type: ignore[no-untyped-def]
    settings = {"github_client_id": "board", "github_client_secret": "hush", "registration": "anyone"}
    with place(tmp_path_factory.mktemp("github"), **settings) as found:
        browser = found.browser()
        answer = browser.get("/signin/with/github")
        back = httpx.get(answer.headers["location"]).headers["location"]
        assert github.seen[-1]["scope"] == "read:user"
        # GitHub names no issuer in its answers.
        assert browser.get(httpx.URL(back).copy_remove_param("iss")).status_code == 303
        assert "octocat" in browser.get("/account").text
        assert users.user_of_identity(found.service.store, "https://github.com", "583231") is not None
        github.fault = "nobody"
        other = found.browser()
        answer = other.get("/signin/with/github")
        back = httpx.get(answer.headers["location"]).headers["location"]
        assert other.get(httpx.URL(back).copy_remove_param("iss")).status_code == 403
