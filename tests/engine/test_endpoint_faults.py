"""Endpoints that fail, hang, lie and die, over real sockets: what passes changes no result, what stays is named."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from grue.engine.endpoint import client, faults
from grue.runs.read import read_run
from tests.engine import endpoint_runs
from tests.engine.endpoint_runs import TASKS, WHAT, at, events, everything_written, texts
from tests.engine.openai_server import serving
from tests.evaluation import conftest

KEY = "sk-test-5f3aa1c09be84d6c"
PATIENCE_SECONDS = 60
# Fixtures.
results = conftest.results
model, server, whole, short_waits = (
    endpoint_runs.model, endpoint_runs.server, endpoint_runs.whole, endpoint_runs.short_waits,
)  # fmt: skip


def test_faults_that_pass_change_no_result(grue, server, tmp_path, whole, results, monkeypatch):
    monkeypatch.setattr(client, "MOST_BYTES", 2**16)
    kinds = ["status:500", "wait:0", "cut", "nothing", "half", "body:[]", 'body:{"choices": []}', "status:503"]
    kinds += ['body:{"choices": [{"message": {"content": 7}}]}', "huge:70000", "status:408", "body:"]

    def before(prompt: str) -> list[str]:
        place = len(prompt) % len(kinds)
        return (kinds[place:] + kinds[:place])[: len(prompt) % 6] if prompt != "Hello" else []

    server.orders.before = before
    answer = grue(*at(server), *WHAT, "-o", tmp_path / "run")
    assert answer.code == 0, answer.err
    assert results(tmp_path / "run") == results(whole)
    for task in TASKS:
        assert texts(tmp_path / "run", task) == texts(whole, task)
    assert len(server.asked) > 80
    assert events(tmp_path / "run", "slowed_down")


@pytest.mark.long
def test_server_that_hangs_is_asked_again(grue, server, tmp_path, whole, monkeypatch):
    monkeypatch.setattr(client, "REQUEST_SECONDS", 1.0)
    server.orders.before = lambda prompt: ["hang"] if len(prompt) % 7 == 0 else []
    assert grue(*at(server), *WHAT, "-o", tmp_path / "run").code == 0
    assert texts(tmp_path / "run", "commongen") == texts(whole, "commongen")


def test_rows_that_always_fail_are_named_and_the_same_command_finishes(grue, server, tmp_path, whole, results):
    rows = read_run(whole).samples("commongen").to_pylist()
    bad = {
        rows[3]["prompt"]: ("status:500", "500 Internal Server Error: told to fail"),
        rows[8]["prompt"]: ("status:400", "400 Bad Request: told to fail"),
        rows[11]["prompt"]: ('body:{"choices": []}', "no choices"),
    }
    server.orders.always = lambda prompt: bad[prompt][0] if prompt in bad else None
    command = (*at(server), *WHAT, "-o", tmp_path / "run")
    answer = grue(*command, "--json")
    assert answer.code == 3
    task = answer.document["results"]["tasks"]["commongen"]
    assert answer.document["results"]["tasks"]["iwslt2017"]["status"] == "finished"
    assert task["n"] == {"expected": 20, "scored": 0, "failed": 20}
    assert task["metrics"]["mean_length"]["value"] is None
    names = {rows[place]["id"] for place in (3, 8, 11)}
    assert all(name in task["error"] for name in names)
    failed = {event["id"]: event["reason"] for event in events(tmp_path / "run", "row_failed")}
    assert set(failed) == names
    for place in (3, 8, 11):
        assert bad[rows[place]["prompt"]][1] in failed[rows[place]["id"]]
    assert len(texts(tmp_path / "run", "commongen")) == 17
    # What the server refuses is not asked twice; what may pass is.
    assert server.orders.seen[rows[8]["prompt"]] == 1
    assert server.orders.seen[rows[3]["prompt"]] == faults.ATTEMPTS
    server.orders.always = lambda prompt: None
    n_asked = len(server.asked)
    assert grue(*command).code == 0
    assert len(server.asked) == n_asked + 3 + 1  # the probe
    assert results(tmp_path / "run") == results(whole)


def test_key_stands_nowhere(grue, model, tmp_path, monkeypatch, whole):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    texts_of_keys = json.dumps({"choices": [{"message": {"content": f"it is {KEY}"}, "finish_reason": "stop"}]})
    kinds = ["key", "status:400", f"body:{texts_of_keys}", f"body:{KEY}"]
    with serving(model, key=KEY) as server:
        prompts = [row["prompt"] for row in read_run(whole).samples("commongen").to_pylist()]
        bad = dict(zip(prompts[::5], kinds, strict=True))
        server.orders.always = bad.get
        answer = grue(*at(server), *WHAT, "-o", tmp_path / "run")
    assert answer.code == 3
    assert {header["Authorization"] for header in server.headers} == {f"Bearer {KEY}"}
    assert KEY not in answer.out + answer.err
    assert KEY.encode() not in everything_written(tmp_path)
    assert "[key]" in answer.err
    stored = texts(tmp_path / "run", "commongen")
    assert len(stored) == 16


def test_wrong_key_is_told_before_anything_is_made_and_not_repeated(grue, model, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with serving(model, key="another") as server:
        answer = grue(*at(server), *WHAT, "-o", tmp_path / "run")
    assert answer.code == 2
    assert "401 Unauthorized" in answer.err
    assert "OPENAI_API_KEY" in answer.err
    assert KEY not in answer.err + answer.out
    assert not (tmp_path / "run").exists()


def test_unreachable_server_is_told_before_anything_is_made(grue, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        answer = grue("eval", "-m", "openai:demo", "--base-url", url, *WHAT, "-o", tmp_path / "run")
    assert answer.code == 2
    assert "cannot be reached" in answer.err
    assert "fix: " in answer.err
    assert "Traceback" not in answer.err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("status", [404, 500])
def test_server_without_a_list_of_models_is_asked_all_the_same(grue, server, tmp_path, whole, status):
    server.models_status = status
    answer = grue(*at(server), *WHAT, "-g", "min_new_tokens=0", "-o", tmp_path / "run")
    assert answer.code == 0
    assert "(0.0.1)" in answer.err
    assert texts(tmp_path / "run", "iwslt2017") == texts(whole, "iwslt2017")


def test_model_that_the_server_does_not_have_is_told_before_anything_is_made(grue, server, tmp_path):
    answer = grue("eval", "-m", "openai:dema", "--base-url", server.url, *WHAT, "-o", tmp_path / "run")
    assert answer.code == 2
    assert "404 Not Found" in answer.err
    assert "Did you mean 'demo'?" in answer.err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("fault", ["status:401", "no credit"])
def test_answer_that_ends_all_ends_the_task_at_once_and_keeps_what_is_there(grue, server, tmp_path, whole, fault):
    rows = read_run(whole).samples("commongen").to_pylist()
    last = rows[12]["prompt"]
    server.orders.always = lambda prompt: fault if prompt == last else None
    command = (*at(server), *WHAT, "-b", 1, "-o", tmp_path / "run")
    answer = grue(*command, "--json")
    assert answer.code == 3
    error = answer.document["results"]["tasks"]["commongen"]["error"]
    assert {"no credit": "pay first"}.get(fault, "told to fail") in error
    assert answer.document["results"]["tasks"]["iwslt2017"]["status"] == "finished"
    assert set(texts(tmp_path / "run", "commongen")) == {(row["id"], 0) for row in rows[:12]}
    server.orders.always = lambda prompt: None
    assert grue(*command).code == 0
    assert texts(tmp_path / "run", "commongen") == texts(whole, "commongen")


@pytest.mark.long
def test_refusals_for_the_rate_fail_no_row_that_is_answered_in_the_end(grue, server, tmp_path, whole):
    server.orders.before = lambda prompt: ["status:429"] * 10 if len(prompt) % 9 == 0 and prompt != "Hello" else []
    answer = grue(*at(server), *WHAT, "-o", tmp_path / "run")
    assert answer.code == 0
    for task in TASKS:
        assert texts(tmp_path / "run", task) == texts(whole, task)
    bounds = [event["at_once"] for event in events(tmp_path / "run", "slowed_down")]
    assert min(bounds) < 16


@pytest.mark.long
def test_row_that_is_refused_for_the_rate_while_others_pass_is_given_up(grue, server, tmp_path, whole):
    rows = read_run(whole).samples("commongen").to_pylist()
    server.orders.always = lambda prompt: "status:429" if prompt == rows[4]["prompt"] else None
    assert grue(*at(server), *WHAT, "-o", tmp_path / "run").code == 3
    [failed] = events(tmp_path / "run", "row_failed")
    assert failed["id"] == rows[4]["id"]
    assert "429 Too Many Requests" in failed["reason"]


def test_nothing_but_refusals_for_the_rate_ends_the_task(grue, server, tmp_path, monkeypatch):
    monkeypatch.setattr("grue.engine.endpoint.asking.LONGEST_REFUSAL_SECONDS", 0.2)
    server.orders.always = lambda prompt: "status:429" if prompt != "Hello" else None
    answer = grue(*at(server), *WHAT, "-o", tmp_path / "run", "--json")
    assert answer.code == 3
    assert "refused all for 0.2 s" in answer.document["results"]["tasks"]["commongen"]["error"]


def test_server_that_dies_ends_the_tasks_and_not_row_by_row(grue, server, tmp_path, monkeypatch):
    monkeypatch.setattr("grue.engine.endpoint.asking.ATTEMPTS", 2)
    server.orders.always = lambda prompt: "nothing" if prompt != "Hello" else None
    command = ("--data", "mini", "-t", "commongen", "--decoding", "greedy", "--metrics", "mean_length", "-b", 2)
    answer = grue(*at(server), *command, "-o", tmp_path / "run", "--json")
    assert answer.code == 3
    assert "answered none of the last 8 rows" in answer.document["results"]["tasks"]["commongen"]["error"]
    assert len(events(tmp_path / "run", "row_failed")) < 12


def test_redirects_are_not_followed(grue, model, server, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with serving(model) as elsewhere:
        server.orders.always = lambda prompt: f"redirect:{elsewhere.url}/chat/completions"
        answer = grue(*at(server), *WHAT, "-o", tmp_path / "run")
        assert answer.code == 2
        assert "307" in answer.err
        assert elsewhere.url.split("/")[2] in answer.err
        assert not elsewhere.asked


@pytest.mark.long
def test_wait_that_the_server_asks_for_is_kept_by_all(grue, server, tmp_path):
    first = []

    def before(prompt: str) -> list[str]:
        if prompt != "Hello" and not first:
            first.append(prompt)
        return ["wait:1.0"] if prompt in first else []

    server.orders.before = before
    answer = grue(*at(server), *WHAT, "-b", 1, "-o", tmp_path / "run")
    assert answer.code == 0
    refused = 1  # after the probe
    assert server.times[refused + 1] - server.times[refused] >= 1.0
    assert events(tmp_path / "run", "row_failed") == []


def test_proxy_that_cannot_be_used_is_told_without_its_password(grue, server, tmp_path, monkeypatch):
    monkeypatch.setenv("ALL_PROXY", f"nonsense://me:{KEY}@127.0.0.1:1")
    answer = grue(*at(server), *WHAT, "-o", tmp_path / "run")
    assert answer.code == 2
    assert "ALL_PROXY" in answer.err
    assert KEY not in answer.err


def start(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "grue", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_until(happened: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> None:
    """Wait for something, or the end of a process."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and not happened() and (process is None or process.poll() is None):
        time.sleep(0.01)
    has_ended = process is not None and process.poll() is not None
    assert happened(), process.communicate()[1] if has_ended else "still running"


def test_killed_run_goes_on_and_asks_for_no_stored_row_twice(grue, server, tmp_path, whole, results):
    command = (*at(server), *WHAT, "-b", 2, "-o", tmp_path / "run")
    server.orders.delay_seconds = 0.1
    process = start(*command)
    partial = tmp_path / "run" / "samples" / "commongen.partial.jsonl"
    wait_until(lambda: partial.exists() and partial.read_bytes().count(b"\n") >= 5, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    # What the killed process had sent is counted before the next one asks.
    wait_until(lambda: server.connections == 0)
    stored = [json.loads(line)["id"] for line in partial.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    assert 5 <= len(stored) < 20
    server.orders.delay_seconds = 0.0
    n_asked = len(server.asked)
    assert grue(*command).code == 0
    assert len(server.asked) - n_asked == 1 + 40 - len(stored)
    assert results(tmp_path / "run") == results(whole)


def test_interrupt_ends_a_run_whose_server_does_not_answer(server, tmp_path):
    server.orders.always = lambda prompt: "hang" if prompt != "Hello" else None
    process = start(*at(server), *WHAT, "-o", tmp_path / "run")
    wait_until(lambda: len(server.asked) >= 10, process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert "Interrupted" in err
    assert "Traceback" not in err
    assert not (tmp_path / "run" / ".lock").exists()
