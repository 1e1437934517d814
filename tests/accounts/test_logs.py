"""What a real `grue serve` writes down: who asked for what, and no secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from grue.store.database import open_store
from grue.store.service import invites, tokens, users
from leaderboard_site.accounts.passwords import hash_password
from tests.accounts.oidc_server import CLIENT, SECRET, provider

PASSWORD = "a password that nobody logs"


@pytest.mark.parametrize("log_format", ["json", pytest.param("text", marks=pytest.mark.long)])
def test_no_secret_is_in_the_log(tmp_path: Path, log_format: str) -> None:
    database = f"sqlite:///{tmp_path}/grue.db"
    with open_store(database) as store:
        sam = users.create_user(store, "sam", "submitter", password_hash=hash_password(PASSWORD))
        token, _ = tokens.create_token(store, sam.user_id, "x", ("read",))
        invite, _ = invites.invite(store, sam.user_id, "reader", 1)
    with provider() as idp:
        environ = os.environ | {
            "GRUE_HOME": str(tmp_path),
            "GRUE_DATABASE_URL": database,
            "GRUE_DATA": "mini",
            "GRUE_SECRET_KEY": "the key of this deployment",
            "GRUE_LOG_FORMAT": log_format,
            "GRUE_REGISTRATION": "anyone",
            "GRUE_OIDC_ISSUER": idp.issuer,
            "GRUE_OIDC_CLIENT_ID": CLIENT,
            "GRUE_OIDC_CLIENT_SECRET": SECRET,
        }
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "grue", "serve", "--port", "0", "--no-worker"],
                stdout=log, stderr=log, env=environ, cwd=tmp_path,
            )  # fmt: skip
        try:
            address = _address(process, tmp_path / "log")
            secrets = [PASSWORD, quote(PASSWORD), token, invite, SECRET, "the key of this deployment"]
            with httpx.Client(base_url=address, timeout=30) as client:
                client.post("/signin", data={"name": "sam", "password": f"not {PASSWORD}"})
                client.post("/signin", data={"name": "sam", "password": PASSWORD})
                secrets.append(client.cookies["grue"])
                client.get("/account")
                client.get(f"/invites/{invite}")
                client.post(f"/invites/{invite}", data={"name": "gus", "password": PASSWORD})
                secrets.append(client.cookies["grue"])
                client.get("/api/v1/submissions", headers={"Authorization": f"Bearer {token}"})
                client.get(f"/nowhere/{token}?password={quote(PASSWORD)}")
                client.cookies.clear()
                answer = client.get("/signin/with/oidc")
                secrets.append(client.cookies["grue-departure"])
                back = httpx.get(answer.headers["location"]).headers["location"]
                secrets += [httpx.URL(back).params["code"], httpx.URL(back).params["state"]]
                assert client.get(back).status_code == 303
                secrets.append(client.cookies["grue"])
                idp.claims = {"nonce": "wrong"}
                answer = client.get("/signin/with/oidc")
                client.get(httpx.get(answer.headers["location"]).headers["location"])
        finally:
            process.terminate()
            process.wait(60)
    text = (tmp_path / "log").read_text()
    assert not [secret for secret in secrets if secret in text]
    assert "/invites/…" in text
    assert text.count("/signin") >= 5
    if log_format == "json":
        lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        failed = [line for line in lines if line.get("event") == "sign-in by a provider failed"]
        assert len(failed) == 1


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        for word in log.read_text(errors="replace").split():
            if word.startswith("http://127.0.0.1:"):
                return word.rstrip(".,/")
        time.sleep(0.1)
    raise RuntimeError(log.read_text(errors="replace"))
