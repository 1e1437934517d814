"""The doctor before an endpoint: who answers, whether it decodes as tasks want it, for one request of one token."""

from __future__ import annotations

import json

import pytest

from grue.engine.endpoint import faults
from tests.engine import endpoint_runs

# Fixtures.
model, server, short_waits = endpoint_runs.model, endpoint_runs.server, endpoint_runs.short_waits
ROWS = ("-t", "imdb", "--data", "mini", "-L", "3", "--json")


def findings(done) -> dict[str, list[tuple[str, str, str]]]:
    found: dict[str, list[tuple[str, str, str]]] = {}
    for one in json.loads(done.out)["findings"]:
        found.setdefault(one["check"], []).append((one["status"], one["message"], one["fix"]))
    return found


def test_an_endpoint_is_reached_named_and_asked_for_one_token(grue, server):
    done = grue("doctor", "-m", "openai:demo", "--base-url", server.url, *ROWS)
    assert done.code == 0
    found = findings(done)
    said = " ".join(message for _, message, _ in found["endpoint"])
    assert "demo at " in said
    assert "vllm 0.0.1" in said
    assert "Self-reported" in said
    assert [status for status, _, _ in found["answer"]] == ["ok"]
    assert "checkpoint" not in found
    # Nothing else is paid for.
    assert [body["max_tokens"] for body in server.asked] == [1]


def test_a_name_that_the_server_does_not_have_fails_with_a_fix(grue, server):
    done = grue("doctor", "-m", "openai:other", "--base-url", server.url, *ROWS)
    assert done.code == 1
    [(status, message, fix)] = findings(done)["answer"]
    assert status == "fail"
    assert "The model 'other' does not exist" in message
    assert fix


def test_decoding_that_the_api_does_not_know_fails_for_that_task_alone(grue, server):
    """The suite of commongen searches with beams, which the API does not do."""
    done = grue("doctor", "-m", "openai:demo", "--base-url", server.url, *ROWS, "-t", "commongen,imdb")
    assert done.code == 1
    found = findings(done)
    [(status, message, fix)] = found["commongen"]
    assert status == "fail"
    assert "num_beams" in message + fix
    assert "imdb" not in found
    assert found["answer"][0][0] == "ok"


def test_a_server_that_is_not_there_fails(grue, monkeypatch):
    monkeypatch.setattr(faults, "LONGEST_WAIT_SECONDS", 0.01)
    done = grue("doctor", "-m", "openai:demo", "--base-url", "http://127.0.0.1:9/v1", *ROWS)
    assert done.code == 1
    assert findings(done)["checkpoint"][0][0] == "fail"


@pytest.mark.parametrize("flags", [("--base-url", "http://127.0.0.1:9/v1"), ("-m", "openai:demo")])
def test_an_address_without_a_model_or_the_other_way_round_is_told(grue, flags, monkeypatch):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    done = grue("doctor", *flags, *ROWS)
    assert done.code == (1 if "-m" in flags else 2)
    assert "--base-url" in done.out + done.err
