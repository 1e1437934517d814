"""``grue serve`` as a process: it says where it is, refuses a wrong call, and stops in good order."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from grue.cli.main import run
from grue.submissions.settings import ServiceSettings
from leaderboard_site.web.logs import without_secrets
from tests.site.boards import scored_runs

COMMAND = [sys.executable, "-m", "grue", "serve"]


def _environ(home: Path, **changes: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GRUE_")}
    return kept | {"GRUE_HOME": str(home), "GRUE_DATA": "mini", "GRUE_LOG_FORMAT": "json"} | changes


@contextlib.contextmanager
def _serving(home: Path, *flags: str, **changes: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    words = [*COMMAND, "--port", "0", *flags]
    with (home.parent / "errors.txt").open("w") as errors:
        process = subprocess.Popen(
            words, env=_environ(home, **changes), cwd=home.parent, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            address = re.search(r"http://\S+", line)
            assert address, (line, (home.parent / "errors.txt").read_text())
            yield process, address[0]
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(30)
            process.stdout and process.stdout.close()


def test_it_serves_a_board_and_stops_in_good_order(tmp_path: Path) -> None:
    runs = scored_runs(tmp_path / "runs")
    with _serving(tmp_path / "home", "--no-worker", "--results", str(runs)) as (process, address):
        with httpx.Client(base_url=address, timeout=60) as client:
            assert client.get("/readyz").status_code == 200
            n_runs = sum(one["runs"] for one in client.get("/api/v1/leaderboard").json()["settings"])
            client.get("/invites/abcdefghijklmnop-secret?next=hidden-query")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert n_runs == len(list(runs.iterdir()))
    errors = (tmp_path / "errors.txt").read_text()
    assert "grue admin user add NAME --role host" in errors
    lines = [json.loads(line) for line in errors.splitlines() if line.startswith("{")]
    answered = [line for line in lines if line["event"] == "request"]
    assert answered[0]["path"] == "/api/v1/leaderboard"
    assert all(line["milliseconds"] >= 0 and line["request_id"] for line in answered)
    assert "hidden-query" not in errors
    assert "-secret" not in errors


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("GRUE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GRUE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.mark.usefixtures("home")
def test_a_port_in_use_is_said_and_nothing_is_served(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert run(["serve", "--no-worker", "--port", port]) == 2
    out, err = capsys.readouterr()
    assert port in err
    assert "--port" in err
    assert not out


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("GRUE_PORT", "eighty", "GRUE_PORT"),
        ("GRUE_BASE_URL", "example.org", "https://"),
        ("GRUE_DATABASE_URL", "mysql://x", "GRUE_DATABASE_URL"),
        ("GRUE_ARTIFACTS", "nowhere://x", "GRUE_ARTIFACTS"),
    ],
)
def test_wrong_settings_end_the_start_with_a_clear_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, said: str
) -> None:
    monkeypatch.setenv("GRUE_PORT", "0")
    monkeypatch.setenv(name, value)
    assert run(["serve", "--no-worker"]) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert "Traceback" not in err
    assert not out


def test_logs_hold_no_secrets() -> None:
    event = {
        "token": "grue_abcdefgh0123456789ABCDEFGHIJ",
        "url": "postgresql://grue:hunter2@db/grue",
        "header": "Authorization: Bearer eyJhbGciOi.J9",
        "path": "/runs/01ABC",
        "n": 3,
    }
    shown = without_secrets(None, "info", event)
    assert shown == {
        "token": "grue_abcdefgh…",
        "url": "postgresql://grue:…@db/grue",
        "header": "Authorization: Bearer …",
        "path": "/runs/01ABC",
        "n": 3,
    }


def test_every_setting_and_address_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "service.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(GRUE_[A-Z_]+)`", text))
    assert {f"GRUE_{name.upper()}" for name in ServiceSettings.model_fields} <= named
    for address in ("/api/v1/leaderboard", "/api/v1/openapi.json", "/feed.xml", "/healthz", "/readyz", "/metrics"):
        assert address in text
