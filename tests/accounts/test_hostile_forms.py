"""Forms and addresses filled with what nobody types: refused or taken, never a fault of ours; on both databases."""

from __future__ import annotations

import random
import re
from pathlib import Path
from urllib.parse import quote

import httpx

from grue.core.rows import Row
from grue.store.service import users
from grue.submissions.expected import write_expected
from leaderboard_site.app import create_app
from leaderboard_site.service import Service
from tests.accounts.people import Place, place
from tests.accounts.route_table import all_routes
from tests.databases import Databases

PIECES = [
    "", " ", "\x00", "a\x00b", "x" * 5000, "\ufffd", "\U0001f600", "\u202e", "\ud7ff", "-1", "9" * 40, "1e9", "NaN",
    "<script>alert(1)</script>", "'; DROP TABLE users; --", "%00", "%ff%fe", "../..", "..%2f", "host", "reader", "7",
    "\r\nSet-Cookie: a=b", "{{7*7}}", "${7*7}", "hana", "commongen",
]  # fmt: skip
FIELDS = ("name", "password", "next", "label", "scope", "days", "current", "new", "run_id", "reason", "role", "scored",
          "attempts")  # fmt: skip
OWN = ("/signin", "/invites", "/account", "/host")
KEPT = ("/account/password", "/account/sign-out-everywhere")  # they would sign the host out


def test_no_form_and_no_address_is_a_fault_of_ours(databases: Databases, tmp_path: Path) -> None:
    def prepare(service: Service) -> None:
        write_expected(service.artifacts, service.settings.split, {"commongen": [Row("c0", "x")]})

    limits = dict.fromkeys(("posts_per_minute", "api_per_minute", "sign_in_failures"), "1000000")
    chance = random.Random(7)
    with place(tmp_path / "home", prepare=prepare, database_url=databases.new(), **limits) as found:
        routes = sorted(key for key in all_routes(create_app(found.service).routes) if key[1].startswith(OWN))
        assert len(routes) >= 28
        host = found.browser("hana")
        for method, path in routes * 6:
            if path in KEPT or method == "HEAD":
                continue
            address = path
            for name in ("secret", "token_id", "submission_id", "user_id", "run_id", "task", "key"):
                address = address.replace(f"{{{name}}}", quote(chance.choice(PIECES) or "x", safe=""))
            fields = {name: chance.choice(PIECES) for name in FIELDS if chance.random() < 0.7}
            status = asked(found, host, method, address, fields)
            assert status < 500, (method, address, fields)
        assert host.get("/host").status_code == 200
        assert set(found.people) <= {one.name for one in users.users(found.service.store)}


def asked(found: Place, host: httpx.Client, method: str, address: str, fields: dict[str, str]) -> int:
    client = found.browser() if address.startswith(("/signin", "/invites")) else host
    if method == "GET":
        return client.get(
            address, params={"cursor": fields.get("name", ""), "next": fields.get("next", "")}
        ).status_code
    return client.request(method, address, data=fields).status_code


def test_a_null_character_is_a_fault_of_the_request_on_every_route(databases: Databases, tmp_path: Path) -> None:
    limits = dict.fromkeys(("posts_per_minute", "api_per_minute", "sign_in_failures"), "1000000")
    with place(tmp_path / "home", database_url=databases.new(), **limits) as found:
        host = found.browser("hana")
        for method, path in sorted(set(all_routes(create_app(found.service).routes))):
            filled = re.sub(r"\{[^}]+\}", "a%00b", path)
            for address in {filled, f"{path}?cursor=%00&runs=a%00,b&task=%00&text=%00"}:
                if "%00" in address and method != "HEAD":
                    assert host.request(method, address).status_code == 400, (method, address)
        name = {"name": "a\x00b", "kind": "predictions", "description": "\x00"}
        line = b'{"task": "commongen", "id": "a\\u0000b", "prediction": "\\u0000"}'
        for file in (line, b"\x00" * 100):
            sent = host.post("/api/v1/submissions", data=name, files={"file": ("a\x00", file)})
            assert 400 <= sent.status_code < 500
