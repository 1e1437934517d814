"""Every route of the app against every kind of viewer; a route that is in no table fails."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
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
from tests.accounts.people import Place, place
from tests.accounts.route_table import (
    BAD_TOKENS,
    BROWSERS,
    ENDING,
    EVERYBODY,
    MORE,
    PROGRAMS,
    ROUTES,
    SENT,
    WHO,
    all_routes,
)
from tests.site.boards import sample_runs


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
