"""Models behind an OpenAI-compatible server, through the command line and over real sockets."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from grue.runs.read import read_run
from tests.engine import endpoint_runs
from tests.engine.endpoint_runs import TASKS, WHAT, at, events, texts
from tests.engine.openai_server import serving
from tests.evaluation import conftest

KEY = "sk-test-5f3aa1c09be84d6c"
# Fixtures.
results = conftest.results
model, server, whole, short_waits = (
    endpoint_runs.model, endpoint_runs.server, endpoint_runs.whole, endpoint_runs.short_waits,
)  # fmt: skip


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


def test_readers_of_a_run_see_that_it_is_self_reported(grue, whole, tmp_path):
    shown = grue("runs", "show", whole).out
    assert "self-reported" in shown
    assert "vllm 0.0.1" in shown
    assert grue("score", whole, "-o", tmp_path / "results" / "again").code == 0
    again = read_run(tmp_path / "results" / "again")
    assert again.manifest_value().model == read_run(whole).manifest_value().model
    assert grue("leaderboard", "build", "--results", tmp_path / "results", "--out", tmp_path / "board").code == 0
    [page] = (tmp_path / "board" / "runs").glob("*/index.html")
    assert "self-reported" in page.read_text()


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
    with serving(model, owner="llamacpp") as llama:
        half = ("-t", "daily_dialog", "-g", "min_new_tokens=0")
        assert grue(*at(llama), *half, *rest[:-1], tmp_path / "llama").code == 0
        assert {(body["top_k"], body["repeat_penalty"]) for body in llama.asked[1:]} == {(20, 1)}
        manifest = read_run(tmp_path / "llama").manifest_value()
        assert manifest.model.endpoint.server == "llamacpp 0.0.1"


def test_newer_name_of_the_bound_is_used_where_the_server_wants_it(grue, model, tmp_path, whole):
    with serving(model, owner="openai") as server:
        call = ("eval", "--engine", "openai", "-m", "demo", "--base-url", server.url, "--name", "A name")
        answer = grue(*call, *WHAT, "-g", "min_new_tokens=0", "-o", tmp_path / "run")
        assert answer.code == 0, answer.err
        assert "max_tokens" in server.asked[0]
        assert {body.get("max_completion_tokens") for body in server.asked[2:]} == {20, 128}
    manifest = read_run(tmp_path / "run").manifest_value()
    assert (manifest.model.name, manifest.model.source) == ("A name", "openai:demo")


def test_python_takes_an_endpoint_too(server, tmp_path, whole):
    import grue as package

    run = package.evaluate(
        "openai:demo", tasks="commongen", data="mini", limit=20, base_url=server.url, decoding="greedy",
        metrics=("mean_length",), output=tmp_path / "run",
    )  # fmt: skip
    assert run.path == tmp_path / "run"
    assert texts(run.path, "commongen") == texts(whole, "commongen")


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
        (("-m", "openai:demo", "--base-url", "http://\u00e4..b/v1"), "cannot be reached"),
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
