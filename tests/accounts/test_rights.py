"""Every route of the app against every kind of viewer; a route that is in no table fails."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from grue.core.rows import Row
from grue.store.service import jobs, tokens, users
from grue.store.service.values import Submission, Token, User
from grue.submissions.expected import write_expected
from leaderboard_site.accounts.rights import ORDER, RULES, RunThing, can
from leaderboard_site.accounts.viewer import Viewer
from leaderboard_site.app import create_app
from leaderboard_site.service import Service
from tests.accounts.people import PASSWORD, Place, place
from tests.site.boards import sample_runs

PROGRAMS = {
    "owner's token to read": ("sam", ("read",)),
    "owner's token to submit": ("sam", ("submit",)),
    "owner's token for both": ("sam", ("read", "submit")),
    "reader's token": ("rita", ("read",)),
    "other's token": ("olga", ("read", "submit")),
    "submitter's token for host": ("olga", ("host",)),
    "host's token for all else": ("hana", ("read", "submit")),
    "host's token for host": ("hana", ("host",)),
}
BROWSERS = {"reader": "rita", "owner": "sam", "other": "olga", "host": "hana"}
NOBODY = ("anonymous", "disabled")  # a cookie of an account that was disabled is none
BAD_TOKENS = ("disabled token", "revoked token", "expired token", "invented token")
EVERYBODY = {*NOBODY, *BROWSERS, *PROGRAMS}

# Who may -> the viewers; all others are refused.
WHO: Mapping[str, set[str]] = {
    "any": {*EVERYBODY, *BAD_TOKENS},  # the same for all, whatever they send along
    "open": EVERYBODY,
    "self": {*BROWSERS, "owner's token to read", "owner's token for both", "reader's token", "other's token",
             "host's token for all else"},
    "self in a browser": {*BROWSERS},
    "submit": {"owner", "other", "host", "owner's token to submit", "owner's token for both", "other's token",
               "host's token for all else"},
    "owner or host": {"owner", "owner's token to read", "owner's token to submit", "owner's token for both", "host",
                      "host's token for host"},
    "owner": {"owner", "owner's token to submit", "owner's token for both"},
    "owner to cancel, or host": {"owner", "owner's token to submit", "owner's token for both", "host"},
    "host": {"host", "host's token for host"},
}  # fmt: skip

# Method and path -> who may. {run} is public, {private} sam's own, {hidden} sam's on a hidden split, {submission}
# sam's, new for each viewer.
ROUTES: Mapping[tuple[str, str], str] = {
    ("GET", "/api/v1/openapi.json"): "any",
    ("GET", "/healthz"): "any",
    ("GET", "/readyz"): "any",
    ("GET", "/metrics"): "any",
    ("GET", "/robots.txt"): "any",
    ("GET", "/static/{name}"): "any",
    ("GET", "/signin"): "any",
    ("POST", "/signin"): "any",
    ("POST", "/signout"): "any",
    ("GET", "/signin/with/{key}"): "any",
    ("GET", "/signin/with/{key}/callback"): "any",
    ("GET", "/invites/{secret}"): "any",
    ("POST", "/invites/{secret}"): "any",
    ("POST", "/submit/confirm"): "any",  # of an upload that the browser does not have
    ("GET", "/"): "open",
    ("GET", "/cost"): "open",
    ("GET", "/tasks"): "open",
    ("GET", "/tasks/{name}"): "open",
    ("GET", "/tasks/{task}/cost"): "open",
    ("GET", "/about"): "open",
    ("GET", "/compare"): "open",
    ("GET", "/feed.xml"): "open",
    ("GET", "/queue"): "open",
    ("GET", "/runs/{run_id}"): "open",
    ("GET", "/runs/{run_id}/samples/{task}"): "open",
    ("GET", "/runs/{run_id}/files/{name:path}"): "open",
    ("GET", "/api/v1/leaderboard"): "open",
    ("GET", "/api/v1/tasks"): "open",
    ("GET", "/api/v1/queue"): "open",
    ("GET", "/api/v1/runs/{run_id}"): "open",
    ("GET", "/api/v1/runs/{run_id}/samples/{task}"): "open",
    ("GET", "/submit"): "open",
    ("POST", "/submit"): "open",
    ("GET", "/submit/template.jsonl"): "open",
    ("POST", "/api/v1/validate"): "open",
    ("GET", "/account"): "self",
    ("GET", "/api/v1/submissions"): "self",
    ("POST", "/account/tokens"): "self in a browser",
    ("POST", "/account/tokens/{token_id}/revoke"): "self in a browser",
    ("POST", "/account/password"): "self in a browser",
    ("POST", "/account/sign-out-everywhere"): "self in a browser",
    ("POST", "/api/v1/submissions"): "submit",
    ("POST", "/api/v1/uploads/files"): "submit",
    ("GET", "/api/v1/uploads/files/{file_id}"): "submit",
    ("PATCH", "/api/v1/uploads/files/{file_id}"): "submit",
    ("POST", "/api/v1/uploads/files/{file_id}/finish"): "submit",
    ("DELETE", "/api/v1/uploads/{checkpoint}"): "submit",
    ("GET", "/submissions/{submission_id}"): "owner or host",
    ("GET", "/submissions/{submission_id}/events"): "owner or host",
    ("GET", "/api/v1/submissions/{submission_id}"): "owner or host",
    ("POST", "/submissions/{submission_id}/{action}"): "owner",
    ("POST", "/api/v1/submissions/{submission_id}/{action}"): "owner",
    ("GET", "/host"): "host",
    ("GET", "/host/submissions"): "host",
    ("GET", "/host/users"): "host",
    ("GET", "/host/audit"): "host",
    ("POST", "/host/runs/hide"): "host",
    ("POST", "/host/runs/{run_id}/unhide"): "host",
    ("POST", "/host/tasks/{task}/close"): "host",
    ("POST", "/host/tasks/{task}/open"): "host",
    ("POST", "/host/submissions/{submission_id}/remove"): "host",
    ("POST", "/host/submissions/{submission_id}/restore"): "host",
    ("POST", "/host/submissions/{submission_id}/requeue"): "host",
    ("POST", "/host/submissions/{submission_id}/cancel"): "host",
    ("POST", "/host/users/{user_id}/role"): "host",
    ("POST", "/host/users/{user_id}/disable"): "host",
    ("POST", "/host/users/{user_id}/enable"): "host",
    ("POST", "/host/users/{user_id}/quota"): "host",
    ("POST", "/host/invites"): "host",
}
# The same routes on other things, or with other actions.
MORE = [
    ("GET", "/runs/{private}", "owner or host"),
    ("GET", "/runs/{private}/samples/{task}", "owner or host"),
    ("GET", "/runs/{private}/files/results.json", "owner or host"),
    ("GET", "/api/v1/runs/{private}", "owner or host"),
    ("GET", "/api/v1/runs/{private}/samples/{task}", "owner or host"),
    ("POST", "/submissions/{submission_id}/cancel", "owner to cancel, or host"),
    ("POST", "/api/v1/submissions/{submission_id}/cancel", "owner to cancel, or host"),
    ("POST", "/api/v1/submissions/{submission_id}/withdraw", "owner"),
    ("POST", "/api/v1/submissions/{submission_id}/unpublish", "owner"),
    ("GET", "/api/v1/submissions/{published}", "open"),
    ("GET", "/submissions/{published}", "open"),
]
# They give the browser another cookie, or take its own.
ENDING = ("/signin", "/signout", "/account/password", "/account/sign-out-everywhere", "/submit")
SENT: Mapping[str, Mapping[str, Any]] = {
    "/api/v1/submissions": {"data": {"name": "x", "kind": "predictions"}, "files": {"file": ("a", b"{}\n")}},
    "/api/v1/validate": {"files": {"file": ("a", b"{}\n")}},
    "/submit": {"files": {"file": ("a", b"{}\n")}},
    "/signin": {"data": {"name": "sam", "password": PASSWORD}},
    "/submit/confirm": {"data": {"upload": "none"}, "files": {"x": ("", b"")}},
    "/api/v1/uploads/files": {"json": {"name": "model.safetensors", "size": 4, "sha256": "0" * 64}},
    "/host/runs/hide": {"data": {"run_id": "none", "reason": "a test"}},
    "/host/users/{user_id}/role": {"data": {"role": "reader"}},
    "/host/submissions/{submission_id}/remove": {"data": {"reason": "a test"}},
    "/host/invites": {"data": {"role": "reader", "days": "1"}},
}


def all_routes(routes: Iterable[Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for route in routes:
        if hasattr(route, "original_router"):
            yield from all_routes(route.original_router.routes, prefix + route.include_context.prefix)
        else:
            yield from ((method, prefix + route.path) for method in route.methods or ("ANY",))


@dataclass(frozen=True)
class Scene:
    """The board, and what its things are called."""

    place: Place
    run: str
    private: str
    task: str
    published: str
    kept: dict[str, httpx.Client] = field(default_factory=dict)

    def viewer(self, name: str, path: str) -> httpx.Client:
        """A browser or a program; a new one where the route ends its sign-in."""
        if path in ENDING:
            self.kept.clear()
            return self.new_viewer(name)
        if name not in self.kept:
            self.kept[name] = self.new_viewer(name)
        return self.kept[name]

    def new_viewer(self, name: str) -> httpx.Client:
        """A new browser or program."""
        store = self.place.service.store
        if name in BROWSERS:
            return self.place.browser(BROWSERS[name])
        if name in PROGRAMS:
            user, scopes = PROGRAMS[name]
            return self.place.program(user, *scopes)
        if name == "anonymous":
            return self.place.browser()
        if name == "invented token":
            return self.place.client(headers={"Authorization": "Bearer grue_" + "a" * 43})
        if name == "expired token":
            before = datetime.now(UTC) - timedelta(days=2)
            raw, _ = tokens.create_token(
                store, self.place.people["hana"].user_id, "old", ("read", "submit", "host"), days=1, now=before
            )
            return self.place.client(headers={"Authorization": f"Bearer {raw}"})
        if name == "revoked token":
            user_id = self.place.people["hana"].user_id
            raw, made = tokens.create_token(store, user_id, "gone", ("read", "submit", "host"))
            tokens.revoke_token(store, made.token_id, user_id)
            return self.place.client(headers={"Authorization": f"Bearer {raw}"})
        users.set_disabled(store, self.place.people["dora"].user_id, False)
        client = self.place.browser("dora") if name == "disabled" else self.place.program("dora")
        users.set_disabled(store, self.place.people["dora"].user_id, True)
        return client

    def status(self, method: str, path: str, viewer: str) -> int:
        """The status of one request, 401 for being led to the sign-in page."""
        new = self.place.submitted("sam", f"{method} {path} {viewer}") if "{submission_id}" in path else None
        spare = self.place.people["dora"].user_id
        address = path.replace("{name:path}", "results.json").format_map(_Names(
            run_id=self.run, private=self.private, task=self.task, published=self.published, user_id=spare,
            submission_id=new.submission_id if new else "", action="publish",
        ))  # fmt: skip
        params = {"offset": "0"} if method == "PATCH" else {"runs": self.run} if path == "/compare" else {}
        headers = {"Accept": "application/json"} if path.startswith("/api/") else {"Accept": "text/html"}
        with (
            self.viewer(viewer, path).stream(
                method, address, params=params, headers=headers,
                **(SENT.get(path, {}) if method != "GET" else {}),
            ) as answer,
        ):  # fmt: skip
            is_led = answer.status_code == 303 and answer.headers["location"].startswith("/signin?")
            return 401 if is_led else answer.status_code


class _Names(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return {"name": "board.css"}.get(key, "none")


def queued(place: Place, content: str, **changes: Any) -> Submission:
    return place.submitted("sam", content, **changes)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    def prepare(service: Service) -> None:
        rows = {"commongen": [Row("c0", "generate a sentence with: dog.")]}
        write_expected(service.artifacts, service.settings.split, rows)

    folder = tmp_path_factory.mktemp("rights")
    limits = ("scored_per_day", "attempts_per_day", "jobs_waiting", "posts_per_minute", "api_per_minute")
    many = dict.fromkeys((*limits, "sign_in_failures"), "100000")
    with place(folder / "home", sample_runs(folder / "runs"), prepare, **many) as opened:
        service = opened.service
        found = service.boards.current().runs
        public, private, other = [run.id for run in found.values() if run.tasks][:3]
        names = {}
        for run_id, is_public in ((private, False), (other, True)):
            made = opened.submitted("sam", run_id, is_public=is_public)
            job = jobs.claim(service.store, "worker", 60)
            assert job is not None
            assert jobs.finish(service.store, job.job_id, job.attempt, None, run_id)
            names[run_id] = made.submission_id
        task = next(name for name in found[private].tasks if name in found[public].tasks)
        yield Scene(opened, public, private, task, names[other])


def test_every_route_is_in_the_table(scene: Scene) -> None:
    known = {key for key in all_routes(create_app(scene.place.service).routes) if key[0] != "HEAD"}
    assert known - set(ROUTES) == set(), "write down who may use it"
    assert set(ROUTES) - known == set()


@pytest.mark.parametrize(
    ("method", "path", "who"), [*((*key, who) for key, who in ROUTES.items()), *MORE], ids=lambda part: str(part)
)
def test_who_may_use_a_route(scene: Scene, method: str, path: str, who: str) -> None:
    found = {viewer: scene.status(method, path, viewer) for viewer in (*EVERYBODY, *BAD_TOKENS)}
    assert not [viewer for viewer, status in found.items() if status >= 500], found
    is_of_one = "owner" in who or "{private}" in path
    refused = {viewer for viewer, status in found.items() if status in (401, 403) or (status == 404 and is_of_one)}
    assert set(found) - refused == WHO[who], found
    assert {found[viewer] for viewer in BAD_TOKENS if viewer in refused} <= {401}


def user(role: str, user_id: str = "u1", *, is_disabled: bool = False) -> User:
    return User(
        user_id=user_id, name=user_id, role=role, created_at="2026-11-21T00:00:00Z", is_disabled=is_disabled,
        has_password=True, scored_per_day=None, attempts_per_day=None,
    )  # fmt: skip


def with_token(who: User, *scopes: str) -> Viewer:
    made = Token(
        token_id="t", user_id=who.user_id, label="", scopes=scopes, created_at="2026-11-21T00:00:00Z", expires_at=None,
        last_used_at=None, revoked_at=None,
    )  # fmt: skip
    return Viewer(user=who, token=made)


def test_a_token_never_may_more_than_its_owner() -> None:
    for role in ORDER[1:]:
        owner = user(role)
        for action, rule in RULES.items():
            if rule.thing is None and can(with_token(owner, "read", "submit", "host"), action):
                assert can(Viewer(user=owner), action), (role, action)


def test_each_role_may_what_the_one_before_may() -> None:
    for action, rule in RULES.items():
        if rule.thing is None:
            may = [can(Viewer(user=user(role)) if role != ORDER[0] else Viewer(), action) for role in ORDER]
            assert may == sorted(may), action


def test_a_disabled_account_is_nobody() -> None:
    gone = Viewer(user=user("host", is_disabled=True))
    assert {action for action, rule in RULES.items() if rule.thing is None and can(gone, action)} == {
        "read board",
        "read queue",
        "validate",
    }


def test_an_action_that_is_in_no_table_is_a_bug() -> None:
    with pytest.raises(KeyError):
        can(Viewer(user=user("host")), "reed board")


@pytest.fixture
def submission(scene: Scene) -> Callable[..., Submission]:
    from dataclasses import replace

    return functools.partial(replace, queued(scene.place, f"shape {datetime.now(UTC).isoformat()}"))


def test_what_is_published_is_read_by_all_until_it_is_withdrawn_or_removed(
    submission: Callable[..., Submission],
) -> None:
    at, later = "2026-11-21T00:00:00.000000Z", "2999-01-01T00:00:00.000000Z"
    done = {"status": "done", "is_public": True, "released_at": at}
    assert can(Viewer(), "read submission", submission(**done))
    for change in (
        {"is_public": False},
        {"status": "scoring"},
        {"withdrawn_at": at},
        {"removed_at": at},
        {"released_at": None},
        {"released_at": later, "is_hidden": True},
    ):
        assert not can(Viewer(), "read submission", submission(**{**done, **change})), change
        assert can(Viewer(user=user("host")), "read submission", submission(**{**done, **change}))


def test_no_sample_of_a_hidden_split_is_for_anybody(submission: Callable[..., Submission]) -> None:
    hidden = submission(is_hidden=True, status="done")
    thing = RunThing(run_id="r", submission=hidden, is_hidden=True)
    owner = Viewer(user=user("submitter", hidden.user_id))
    assert can(owner, "read run", thing)
    for viewer in (Viewer(), owner, Viewer(user=user("host"))):
        assert not can(viewer, "read samples", thing)


def test_a_removed_run_is_for_hosts_alone(submission: Callable[..., Submission]) -> None:
    gone = submission(removed_at="2026-11-21T00:00:00Z", removed_reason="spam")
    thing = RunThing(run_id="r", submission=gone, is_hidden=True)
    owner = Viewer(user=user("submitter", gone.user_id))
    assert not can(owner, "read run", thing)
    assert can(owner, "read submission", gone)  # which says why
    assert can(Viewer(user=user("host")), "read run", thing)


def test_refusals_say_what_would_help(scene: Scene) -> None:
    place = scene.place
    anonymous = place.browser().get("/api/v1/submissions")
    assert (anonymous.status_code, anonymous.headers["www-authenticate"]) == (401, "Bearer")
    assert anonymous.headers["content-type"] == "application/problem+json"
    assert "scope host" in place.program("hana", "read").get("/host", headers={"Accept": "application/json"}).text
    led = place.browser().get("/host/users?done=role", headers={"Accept": "text/html"})
    assert led.headers["location"] == "/signin?next=%2Fhost%2Fusers%3Fdone%3Drole"
