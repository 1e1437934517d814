"""Models behind an OpenAI-compatible server, through the command line and over real sockets."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from grue.engine.endpoint import client, faults
from grue.runs.read import read_run
from tests.engine.openai_server import Model, Running, serving
from tests.evaluation import conftest

KEY = "sk-test-5f3aa1c09be84d6c"
WHAT = ("--data", "mini", "-t", "commongen,iwslt2017", "--decoding", "greedy", "-L", 20, "--metrics", "mean_length")
TASKS = ("commongen", "iwslt2017")
PATIENCE_SECONDS = 60

grue, results = conftest.grue, conftest.results  # fixtures


@pytest.fixture(scope="module")
def model() -> Model:
    return Model()


@pytest.fixture
def server(model: Model) -> Iterator[Running]:
    with serving(model) as running:
        yield running


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "FIRST_WAIT_SECONDS", 0.005)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def at(server: Running) -> tuple[str, ...]:
    return ("eval", "-m", "openai:demo", "--base-url", server.url)


def texts(run: Path, task: str) -> dict[tuple[str, int], tuple[str, str]]:
    rows = read_run(run).samples(task).to_pylist()
    return {(row["id"], row["sample"]): (row["raw"] or row["prediction"], row["finish_reason"]) for row in rows}


def events(run: Path, kind: str) -> list[dict[str, Any]]:
    lines = (run / "events.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["kind"] == kind]


def everything_written(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.fixture(scope="module")
def whole(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run against a server that does nothing wrong."""
    from grue.cli.main import run

    folder = tmp_path_factory.mktemp("whole") / "run"
    with serving(model) as server:
        assert run([str(part) for part in (*at(server), *WHAT, "--quiet", "-o", folder)]) == 0
    return folder


@pytest.mark.parametrize("template", ["auto", "off"])
def test_endpoint_writes_what_the_checkpoint_behind_it_writes(grue, server, tmp_path, template):
    assert grue(*at(server), *WHAT, "--chat-template", template, "-o", tmp_path / "endpoint").code == 0
    assert grue("eval", "-m", "demo:causal", *WHAT, "-o", tmp_path / "local").code == 0
    for task in TASKS:
        local = read_run(tmp_path / "local").samples(task).to_pylist()
        assert not any(row["prompt_cut"] for row in local)
        assert texts(tmp_path / "endpoint", task) == texts(tmp_path / "local", task)
        asked = read_run(tmp_path / "endpoint").samples(task).to_pylist()
        # The server counts with the same tokenizer.
        for column in ("prompt", "prompt_tokens", "generated_tokens", "prompt_cut"):
            assert [row[column] for row in asked] == [row[column] for row in local]
    sent = server.asked[-1]
    assert ("messages" in sent) == (template == "auto")
    assert "seed" not in sent
    assert sent["temperature"] == 0


def test_manifest_says_self_reported_and_who_answered(whole):
    stored = read_run(whole)
    manifest = json.loads((whole / "manifest.json").read_text())
    endpoint = manifest["model"]["endpoint"]
    assert endpoint["mark"] == "self-reported"
    assert endpoint["model"] == "demo"
    assert endpoint["server"] == "vllm 0.0.1"
    assert endpoint["address"].startswith("http://127.0.0.1:")
    assert manifest["model"]["engine"] == "openai"
    assert manifest["model"]["weights_sha256"] is None
    assert manifest["tasks"]["commongen"]["generation"]["truncation"] is None
    assert manifest["tasks"]["commongen"]["generation"]["api"] == "chat/completions"
    assert stored.manifest_value().model.endpoint.address == endpoint["address"]
    cost = json.loads((whole / "results.json").read_text())["tasks"]["commongen"]["cost"]
    samples = stored.samples("commongen").to_pylist()
    assert cost["prompt_tokens"] == sum(row["prompt_tokens"] for row in samples) > 0
    assert cost["generated_tokens"] == sum(row["generated_tokens"] for row in samples) > 0
    assert cost["peak_memory_bytes"] is None
    work = [one for event in events(whole, "generated") for one in event["work"] if event["task"] == "commongen"]
    assert sum(one["decode_tokens"] for one in work) == cost["generated_tokens"]
    assert {one["worker"] for one in work} == {endpoint["address"].split("/")[2]}


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


def test_model_that_the_server_does_not_have_is_told_before_anything_is_made(grue, server, tmp_path):
    answer = grue("eval", "-m", "openai:dema", "--base-url", server.url, *WHAT, "-o", tmp_path / "run")
    assert answer.code == 2
    assert "404 Not Found" in answer.err
    assert "Did you mean 'demo'?" in answer.err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("fault", ["status:401", "no credit", "wait:86400"])
def test_answer_that_ends_all_ends_the_task_at_once_and_keeps_what_is_there(grue, server, tmp_path, whole, fault):
    rows = read_run(whole).samples("commongen").to_pylist()
    last = rows[12]["prompt"]
    server.orders.always = lambda prompt: fault if prompt == last else None
    command = (*at(server), *WHAT, "-b", 1, "-o", tmp_path / "run")
    answer = grue(*command, "--json")
    assert answer.code == 3
    error = answer.document["results"]["tasks"]["commongen"]["error"]
    assert {"no credit": "pay first", "wait:86400": "86400 s"}.get(fault, "told to fail") in error
    assert answer.document["results"]["tasks"]["iwslt2017"]["status"] == "finished"
    assert set(texts(tmp_path / "run", "commongen")) == {(row["id"], 0) for row in rows[:12]}
    server.orders.always = lambda prompt: None
    assert grue(*command).code == 0
    assert texts(tmp_path / "run", "commongen") == texts(whole, "commongen")


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


def test_what_the_api_cannot_do_is_refused_with_the_flags_that_leave_it_out(grue, model, tmp_path):
    rest = ("--data", "mini", "-L", 2, "--metrics", "mean_length", "-o", tmp_path / "run")
    with serving(model, owner="somebody") as plain:
        beams = grue(*at(plain), "-t", "commongen", *rest)
        assert beams.code == 2
        assert "beam search (num_beams=5)" in beams.err
        assert "--decoding greedy -g min_new_tokens=0" in beams.err
        sampled = grue(*at(plain), "-t", "daily_dialog", *rest)
        assert sampled.code == 2
        assert "-g top_k=0,min_new_tokens=0" in sampled.err
        assert not plain.asked
        assert not (tmp_path / "run").exists()
        followed = ("-t", "commongen,iwslt2017", "--decoding", "greedy", "-g", "min_new_tokens=0")
        assert grue(*at(plain), *followed, *rest).code == 0
    with serving(model) as knowing:
        assert grue(*at(knowing), "-t", "daily_dialog", *rest[:-1], tmp_path / "known").code == 0
        assert {(body["top_k"], body["min_tokens"]) for body in knowing.asked[1:]} == {(20, 2)}


def test_sampling_depends_on_seed_row_and_sample_and_not_on_how_many_are_under_way(grue, server, tmp_path):
    what = ("-t", "daily_dialog", "--data", "mini", "-L", 4, "--samples", 3, "--metrics", "mean_length")
    for name, rest in (("a", ("-b", 1)), ("b", ("-b", 8)), ("c", ("--seed", 1))):
        assert grue(*at(server), *what, *rest, "-o", tmp_path / name).code == 0
    first = texts(tmp_path / "a", "daily_dialog")
    assert len(first) == 12
    assert texts(tmp_path / "b", "daily_dialog") == first
    assert texts(tmp_path / "c", "daily_dialog") != first
    seeds = [body["seed"] for body in server.asked if body["max_tokens"] > 1]
    assert len(set(seeds)) == 24
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_batch_bounds_how_many_are_under_way(grue, server, tmp_path):
    server.orders.delay_seconds = 0.03
    assert grue(*at(server), *WHAT, "-b", 3, "-o", tmp_path / "few").code == 0
    assert server.most_at_once == 3
    assert grue(*at(server), *WHAT, "-o", tmp_path / "run").code == 0
    assert 3 < server.most_at_once <= 16


def test_plan_counts_and_asks_for_nothing(grue, server, tmp_path):
    answer = grue(*at(server), *WHAT, "--plan", "--json", "-o", tmp_path / "run")
    assert answer.code == 0
    assert answer.document["plan"]["tasks"]["commongen"]["new_tokens_at_most"] == 400
    assert answer.document["plan"]["prompt_tokens"] > 100
    assert not server.asked


def test_version_of_the_server_is_part_of_the_identity(grue, server, tmp_path):
    identities = []
    for server.version in ("1.0", "2.0", "1.0"):
        answer = grue(*at(server), *WHAT, "--plan", "--json")
        identities.append(answer.document["identity"])
    assert identities[0] == identities[2] != identities[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-m", "openai:demo"), "--base-url"),
        (("-m", "openai:", "--base-url", "http://127.0.0.1:1/v1"), "names no model"),
        (("-m", "openai:demo", "--base-url", "127.0.0.1:8000/v1"), "no http or https address"),
        (("-m", "openai:demo", "--base-url", f"http://me:{KEY}@127.0.0.1:1/v1"), "OPENAI_API_KEY"),
        (("-m", "openai:demo", "--base-url", f"http://127.0.0.1:1/v1?key={KEY}"), "OPENAI_API_KEY"),
        (("-m", "openai:demo", "--base-url", "http://127.0.0.1:1/v1", "--engine", "hf"), "contradict"),
        (("-m", "openai:demo", "--base-url", "http://127.0.0.1:1/v1", "--dtype", "float16"), "--dtype"),
        (("-m", "demo:causal", "--base-url", "http://127.0.0.1:1/v1"), "openai:demo:causal"),
    ],
)
def test_wrong_calls(grue, tmp_path, arguments, said):
    answer = grue("eval", *arguments, *WHAT, "-o", tmp_path / "run")
    assert answer.code == 2
    assert said in answer.err
    assert KEY not in answer.err
    assert not (tmp_path / "run").exists()


def start(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "grue", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_until(happened: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None and not happened():
        time.sleep(0.01)
    assert happened(), process.communicate()[1] if process.poll() is not None else "still running"


def test_killed_run_goes_on_and_asks_for_no_stored_row_twice(grue, server, tmp_path, whole, results):
    command = (*at(server), *WHAT, "-b", 2, "-o", tmp_path / "run")
    server.orders.delay_seconds = 0.1
    process = start(*command)
    partial = tmp_path / "run" / "samples" / "commongen.partial.jsonl"
    wait_until(lambda: partial.exists() and partial.read_bytes().count(b"\n") >= 5, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
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


def test_neither_torch_nor_transformers_is_loaded(server, tmp_path):
    program = (
        "import sys; from grue.cli.main import run; code = run(sys.argv[1:]);"
        "print(code, [name for name in ('torch', 'transformers') if name in sys.modules], file=sys.stderr)"
    )
    arguments = [str(part) for part in (*at(server), *WHAT, "--quiet", "-o", tmp_path / "run")]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, env=os.environ, check=True
    )
    assert done.stderr.splitlines()[-1] == "0 []"
