"""Accounts in a real browser: by keyboard, under the real policies, attacked from another site, seen by axe-core."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from grue.core.rows import Row
from grue.store.service import hosts, invites, jobs, tokens, users, visibility
from grue.submissions.expected import write_expected
from leaderboard_site.service import Service
from tests.accounts.oidc_server import CLIENT, SECRET, provider
from tests.accounts.people import PASSWORD, Place, place
from tests.journey.visits import Visitor
from tests.site.boards import sample_runs

pytestmark = [pytest.mark.browser, pytest.mark.long]


@pytest.fixture
def window(browser: Any) -> Iterator[Callable[..., Visitor]]:
    """Opens windows that share no cookies; the pages' policies hold in them unless said otherwise."""
    contexts = []

    def opened(found: Place, *, width: int = 1024, scheme: str = "light", bypass_csp: bool = False) -> Visitor:
        contexts.append(
            browser.new_context(
                base_url=found.address,
                viewport={"width": width, "height": 900},
                color_scheme=scheme,
                bypass_csp=bypass_csp,
            )
        )
        return Visitor.of(contexts[-1])

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A board on which a host has done everything once."""

    def prepare(service: Service) -> None:
        rows = {name: [Row("c0", "x")] for name in ("commongen", "totto")}
        write_expected(service.artifacts, service.settings.split, rows)

    folder = tmp_path_factory.mktemp("full")
    settings = {"oidc_issuer": "http://127.0.0.1:9", "oidc_client_id": "x", "github_client_id": "y"}
    with place(folder / "home", sample_runs(folder / "runs"), prepare, **settings) as found:
        store, host = found.service.store, found.people["hana"].user_id
        failed = found.submitted(
            "sam", "1", name="a long name that goes on and on, for a whole line and more", is_public=True
        )
        job = jobs.claim(store, "worker", 60)
        assert job is not None
        jobs.fail(store, job.job_id, job.attempt, "bad-checkpoint", "no", is_ours=False)
        removed = found.submitted("olga", "2", name="<b>bold</b>")
        hosts.remove(store, removed.submission_id, "It copies the references.", host)
        found.submitted("hana", "3")
        visibility.hide_run(store, next(iter(found.service.boards.current().runs)), "Wrong tokenizer.", host)
        hosts.set_task_closed(store, "totto", True, host)
        users.set_disabled(store, found.people["dora"].user_id, True)
        found.token("hana")
        tokens.revoke_token(store, tokens.tokens(store, host)[0].token_id, host)
        found.token("hana", "read")
        assert failed.status == "queued"
        yield found


def signed_in(visitor: Visitor, name: str) -> None:
    visitor.tab.goto("/signin")
    visitor.sign_in(name, PASSWORD)


def test_from_the_sign_in_to_a_token_and_out_again_by_keyboard(full: Place, window: Callable[..., Visitor]) -> None:
    visitor = window(full)
    tab = visitor.tab
    tab.goto("/host/users")
    assert tab.url.endswith("/signin?next=%2Fhost%2Fusers")
    visitor.sign_in("hana", PASSWORD)
    assert tab.url == f"{full.address}/host/users"
    visitor.follow("Your account", "A")
    visitor.tab_to("Label")
    tab.keyboard.type("my laptop")
    visitor.follow("Make the token", "BUTTON")
    raw = tab.locator("pre.secret").inner_text().strip()
    assert raw.startswith("grue_")
    assert full.client(headers={"Authorization": f"Bearer {raw}"}).get("/api/v1/submissions").status_code == 200
    visitor.follow("Revoke", "BUTTON")  # the newest stands first
    assert "revoked" in tab.get_by_role("status").inner_text()
    visitor.follow("Sign out", "BUTTON")
    assert tab.url == f"{full.address}/"
    tab.goto("/account")
    assert "/signin" in tab.url
    assert visitor.complaints == []


def test_a_host_closes_a_task_and_invites_somebody(full: Place, window: Callable[..., Visitor]) -> None:
    visitor = window(full)
    signed_in(visitor, "hana")
    visitor.tab.goto("/host")
    visitor.follow("Close", "BUTTON")
    assert hosts.closed_tasks(full.service.store) == {"commongen", "totto"}
    visitor.follow("Open", "BUTTON")
    visitor.follow("Accounts", "A")
    visitor.follow("Make the link", "BUTTON")
    link = visitor.tab.locator("pre.secret").inner_text().strip()
    guest = window(full)
    guest.tab.goto(link)
    guest.tab.get_by_label("Name", exact=True).fill("guest")
    guest.tab.get_by_label("Password", exact=True).fill(PASSWORD)
    guest.follow("Make the account", "BUTTON")
    assert guest.tab.get_by_role("heading", level=1).inner_text() == "guest"
    assert visitor.complaints + guest.complaints == []


def test_another_sites_page_changes_nothing(full: Place, window: Callable[..., Visitor]) -> None:
    visitor = window(full)
    signed_in(visitor, "hana")
    before = len(users.users(full.service.store))
    form = f"""<form method="post" action="{full.address}/host/invites" id="f"><input name="role" value="host">
        <input name="days" value="1"></form><iframe src="{full.address}/account"></iframe>"""

    class Evil(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(form.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Evil)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        tab = visitor.tab
        # One port beside is the same site, with cookies; another name is another site, without.
        for host in ("127.0.0.1", "localhost"):
            tab.goto(f"http://{host}:{server.server_port}/")
            assert "hana" not in (tab.frames[1].evaluate("document.body ? document.body.innerText : ''") or "")
            with tab.expect_navigation():
                tab.evaluate("document.getElementById('f').submit()")
            assert "A page of another site sent this" in tab.inner_text("body")
            assert "/invites/" not in tab.content()
    finally:
        server.shutdown()
        server.server_close()
    assert len(users.users(full.service.store)) == before


def test_a_provider_on_another_site_signs_in_under_the_real_policies(
    window: Callable[..., Visitor], tmp_path: Path
) -> None:
    with provider() as idp:
        settings = {"oidc_issuer": idp.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
        with place(tmp_path / "home", registration="anyone", oidc_name="My university", **settings) as found:
            tab = window(found).tab
            # The provider is at 127.0.0.1, so that the way back comes from another site.
            tab.goto(found.address.replace("127.0.0.1", "localhost") + "/signin?next=/account")
            with tab.expect_navigation():
                tab.get_by_role("link", name="My university").click()
            assert tab.url == found.address.replace("127.0.0.1", "localhost") + "/account"
            assert tab.get_by_role("heading", level=1).inner_text() == "Ada Lovelace"


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (390, "dark"),
        (1280, "light"),
        (320, "light"),
        (1600, "dark"),
    ],
)
def test_axe_finds_nothing_on_any_page(full: Place, window: Callable[..., Visitor], width: int, scheme: str) -> None:
    visitor = window(full, width=width, scheme=scheme, bypass_csp=True)
    tab, shown = visitor.tab, f"{width}-{scheme}"
    raw, _ = invites.invite(full.service.store, full.people["hana"].user_id, "submitter", 7)
    for name, path in (("signin", "/signin"), ("invite", f"/invites/{raw}")):
        tab.goto(path)
        visitor.look(f"{name}-{shown}")
    tab.goto("/signin")
    visitor.sign_in("hana", "not the password")
    visitor.look(f"signin-wrong-{shown}")
    visitor.sign_in("hana", PASSWORD)
    for path in ("/account?done=revoked", "/host?done=hidden", "/host/submissions", "/host/users", "/host/audit"):
        tab.goto(path)
        visitor.look(f"{path.strip('/').partition('?')[0].replace('/', '-')}-{shown}")
    assert [one for one in visitor.complaints if "401" not in one] == []
