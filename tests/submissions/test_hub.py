"""Checkpoints by hub id: pinned, listed before anything is fetched, from one hub and without this machine's token."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from grue.core.errors import CheckpointError, UsageError
from grue.submissions.hub import pinned
from tests.hostile.sound_model import sound_checkpoint

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ASK = """
import json, sys
from pathlib import Path
from grue.core.errors import GrueError
from grue.submissions.hub import fetch, pinned
from grue.submissions.values import UploadLimits
model, revision, folder, most = sys.argv[1:]
try:
    found = pinned(model, revision, UploadLimits(model_bytes=int(most)))
    if folder:
        fetch(found, Path(folder))
    print(json.dumps({"revision": found.revision, "size": found.size, "files": [file.name for file in found.files]}))
except GrueError as error:
    print(json.dumps({"kind": type(error).__name__, "cause": error.cause, "fix": error.fix}))
"""


class Hub:
    """A stand-in for the hub: one model, and what was asked of it."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {**sound_checkpoint(), "README.md": b"# card", "pytorch_model.bin": b"pickle",
                                        "modeling_evil.py": b"import os", "onnx/model.safetensors": b"x"}  # fmt: skip
        self.listed: dict[str, Any] = {}
        self.commit = COMMIT
        self.asked: list[tuple[str, str | None]] = []
        self.status = 200
        self.code = ""
        self.address = ""

    def siblings(self) -> list[dict[str, Any]]:
        """Files as the hub lists them."""
        found = []
        for name, content in self.files.items():
            entry: dict[str, Any] = {"rfilename": name, "size": len(content), "blobId": "b"}
            if name.endswith(".safetensors"):
                sha256 = hashlib.sha256(content).hexdigest()
                entry["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 100}
            found.append({**entry, **self.listed.get(name, {})})
        return found


@pytest.fixture
def hub() -> Iterator[Hub]:
    """The stand-in, answering on a port of this machine."""
    state = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append((self.path, self.headers.get("Authorization")))
            path = self.path.partition("?")[0]
            if state.status != 200:
                self.answer(b"{}", state.status, X_Error_Code=state.code)
            elif path.startswith("/api/models/org/tiny/revision/"):
                body = {"id": "org/tiny", "modelId": "org/tiny", "sha": state.commit, "siblings": state.siblings()}
                self.answer(json.dumps(body).encode())
            elif (
                path.startswith(f"/org/tiny/resolve/{COMMIT}/") and (name := path.split(COMMIT + "/")[1]) in state.files
            ):
                self.answer(state.files[name], ETag=f'"{name}"', X_Repo_Commit=COMMIT)
            else:
                self.answer(b"{}", 404, X_Error_Code="RepoNotFound")

        def do_HEAD(self) -> None:
            self.do_GET()

        def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    state.address = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def ask(hub: Hub, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Asks in a process of its own: the library reads its addresses when it is loaded."""

    def run(
        model: str = "org/tiny",
        revision: str = "main",
        folder: Path | None = None,
        most: int = 10**9,
        **environment: str,
    ) -> dict[str, Any]:
        given = {
            **os.environ, "HF_HOME": str(tmp_path / "hf"), "HF_ENDPOINT": hub.address, "HF_HUB_OFFLINE": "0",
            "HF_TOKEN": "hf_secret", "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
            "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", **environment,
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", ASK, model, revision, str(folder or ""), str(most)],
            env=given, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    return run


def test_a_branch_is_pinned_to_its_commit_and_safe_files_alone_are_fetched(
    hub: Hub, ask: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    answer = ask(folder=tmp_path / "model")
    wanted = sound_checkpoint()
    assert answer == {"revision": COMMIT, "size": sum(map(len, wanted.values())), "files": sorted(wanted)}
    assert {path.name: path.read_bytes() for path in (tmp_path / "model").iterdir()} == wanted
    fetched = {path.rpartition("/")[2] for path, _ in hub.asked if "/resolve/" in path}
    assert fetched == set(wanted)
    assert all(COMMIT in path for path, _ in hub.asked if "/resolve/" in path)
    # A token of this machine would let submitters read what only its owner may.
    assert {token for _, token in hub.asked} == {None}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"] or not (tmp_path / ".fetch").exists()


def test_nothing_is_fetched_where_the_list_is_refused(
    hub: Hub, ask: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    hub.listed["model.safetensors"] = {"size": 10**12}
    answer = ask(folder=tmp_path / "model")
    assert answer["kind"] == "CheckpointError"
    assert "model.safetensors: The file has 1,000,000,000,000 bytes" in answer["cause"]
    assert ask(most=1_000)["kind"] == "CheckpointError"
    hub.files = {name: content for name, content in hub.files.items() if "safetensors" not in name}
    assert "There are no weights" in ask()["cause"]
    assert not [path for path, _ in hub.asked if "/resolve/" in path]


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_another_file_than_the_listed_one_is_refused(
    hub: Hub, ask: Callable[..., dict[str, Any]], tmp_path: Path, name: str
) -> None:
    hub.listed[name] = {"size": len(hub.files[name]), "lfs": {"sha256": "0" * 64, "size": 1, "pointerSize": 1}}
    answer = ask(folder=tmp_path / "model")
    assert answer["cause"] == f"{name} is not the file that the hub listed."
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (404, "RepoNotFound", "is not there, or private"),
        (401, "RepoNotFound", "is not there, or private"),
        (403, "GatedRepo", "is gated"),
        (404, "RevisionNotFound", "no such revision"),
        (500, "", "does not answer"),
        (429, "", "does not answer"),
    ],
)
def test_what_the_hub_refuses_is_told(
    hub: Hub, ask: Callable[..., dict[str, Any]], status: int, code: str, said: str
) -> None:
    hub.status, hub.code = status, code
    answer = ask()
    assert answer["kind"] == "CheckpointError"
    assert said in answer["cause"]
    assert answer["fix"]


def test_a_hub_that_names_no_commit_or_another_is_refused(hub: Hub, ask: Callable[..., dict[str, Any]]) -> None:
    hub.commit = "main"
    assert "another commit" in ask()["cause"]
    hub.commit = COMMIT
    assert "another commit" in ask(revision="f" * 40)["cause"]
    assert ask(revision=COMMIT)["revision"] == COMMIT


def test_offline_and_unreachable_hubs_are_told(ask: Callable[..., dict[str, Any]]) -> None:
    assert ask(HF_HUB_OFFLINE="1")["cause"] == "This board is offline and asks no hub."
    assert ask(HF_ENDPOINT="http://127.0.0.1:9")["cause"] == "The hub does not answer."


@pytest.mark.parametrize(
    "model",
    ["", "tiny", "org/", "/tiny", "a/b/c", "../../etc/passwd", "org/..", "http://evil.example/x", "org/tiny@main",
     "org/ti ny", "org/tiny?x=1", "org/tiny#", "org\\tiny", "org/" + "x" * 500, "örg/tiny", "org/tiny\n",
     "localhost:80/x"],
)  # fmt: skip
def test_what_is_no_name_asks_nothing(model: str) -> None:
    with pytest.raises(UsageError):
        pinned(model)
    with pytest.raises(CheckpointError, match="offline"):
        pinned("org/tiny")


@pytest.mark.parametrize(
    "revision", ["", "../main", "a b", "/main", "main?x", "-main", "x" * 500, "main\n", "refs/../x"]
)
def test_what_is_no_revision_asks_nothing(revision: str) -> None:
    with pytest.raises(UsageError):
        pinned("org/tiny", revision)
