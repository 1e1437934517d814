"""A hub id is resolved to a commit by asking once; without the hub the local cache is looked at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OPEN = """
import json, sys
from grue.core.errors import GrueError
from grue.checkpoints.hub import locate
try:
    found = locate(sys.argv[1], offline=sys.argv[2] == "offline")
    files = sorted(path.name for path in found.folder.iterdir())
    print(json.dumps({"revision": found.revision, "kind": found.kind, "name": found.name, "files": files}))
except GrueError as error:
    print(json.dumps({"cause": error.cause, "fix": error.fix}))
"""


@pytest.fixture
def hub(checkpoints) -> Iterator[tuple[str, list[str]]]:
    """A stand-in hub on loopback with one model, and the paths it was asked for."""
    files = {path.name: path.read_bytes() for path in checkpoints["gpt2"].iterdir()}
    files["pytorch_model.bin"] = b"never fetched"
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            asked.append(f"{self.command} {path}")
            if path.startswith("/api/models/org/tiny/tree/"):
                tree = [{"type": "file", "path": n, "size": len(b), "oid": "0" * 40} for n, b in files.items()]
                self.answer(json.dumps(tree).encode(), Content_Type="application/json")
            elif path in (
                "/api/models/org/tiny",
                *(f"/api/models/org/tiny/revision/{r}" for r in ("main", "v1", COMMIT)),
            ):
                info = {"id": "org/tiny", "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}
                self.answer(json.dumps(info).encode(), Content_Type="application/json")
            elif path.startswith("/api/models/org/tiny/revision/"):
                self.answer(b"{}", 404, X_Error_Code="RevisionNotFound")
            elif path.startswith(f"/org/tiny/resolve/{COMMIT}/") and (name := path.rpartition("/")[2]) in files:
                self.answer(files[name], ETag=f'"{name}"', X_Repo_Commit=COMMIT)
            else:
                self.answer(b"{}", 404, X_Error_Code="RepoNotFound" if "/api/" in path else "EntryNotFound")

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()
    thread.join()


def ask(model: str, cache: Path, endpoint: str, mode: str = "online") -> dict[str, str]:
    """Where a model is found in a process of its own: the library reads its addresses at import."""
    environment = {**os.environ, "HF_HOME": str(cache), "HF_ENDPOINT": endpoint, "HF_HUB_OFFLINE": "0"}
    environment |= {"HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    done = subprocess.run(
        [sys.executable, "-c", OPEN, model, mode], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_hub_id_is_resolved_fetched_and_found_again_offline(hub, tmp_path, checkpoints):
    endpoint, asked = hub
    first = ask("org/tiny@v1", tmp_path, endpoint)
    files = sorted(path.name for path in checkpoints["gpt2"].iterdir())
    assert first == {"revision": COMMIT, "kind": "hub", "name": "tiny", "files": files}
    assert not any("pytorch_model.bin" in path for path in asked)
    n_asked = len(asked)
    assert ask("org/tiny@v1", tmp_path, endpoint, "offline") == first
    assert len(asked) == n_asked
    # A hub that does not answer: the cache, after one refused connection.
    assert ask(f"org/tiny@{COMMIT}", tmp_path, "http://127.0.0.1:9") == first


@pytest.mark.parametrize(
    ("model", "said"), [("org/other", "no such model on the hub"), ("org/tiny@v9", "no revision 'v9'")]
)
def test_an_unknown_model_or_revision_is_said(model, said, hub, tmp_path):
    answer = ask(model, tmp_path, hub[0])
    assert said in answer["cause"]
    assert answer["fix"]


@pytest.mark.parametrize("mode", ["offline", "online"])
def test_a_model_that_is_not_to_be_had_says_so(mode, tmp_path):
    answer = ask("org/tiny", tmp_path, "http://127.0.0.1:9", mode)
    assert "neither a folder here nor in the local cache" in answer["cause"]
