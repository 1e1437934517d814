"""Every route of the app, and who may use it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.accounts.people import PASSWORD

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
