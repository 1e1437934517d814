"""``grue submit`` against a real server."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

import pytest
import structlog

from grue.store.service import jobs
from grue.store.service.submissions import submission, submissions_of, usage
from tests.commands import Answer, in_process
from tests.submitting.conftest import ROWS, Account, Board, answers

Command = Callable[..., Answer]


@pytest.fixture(scope="module", autouse=True)
def quiet_server() -> Iterator[None]:
    """The server is in this process too; its log is not what the command prints."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture
def account(shared: Board, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Account:
    made = shared.account(request.node.name)
    monkeypatch.setenv("GRUE_TOKEN", made.token)
    return made


@pytest.fixture
def submit(shared: Board, capsys: pytest.CaptureFixture[str]) -> Command:
    command = in_process(capsys, Answer)

    def run(source: object, *more: object) -> Answer:
        return command("submit", source, "--url", shared.served.address, "--name", "by command", *more)

    return run


@pytest.fixture
def file(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = tmp_path / "answers.jsonl"
    path.write_bytes(answers(ROWS, request.node.name))
    return path


def test_a_file_is_submitted_with_what_is_said_of_it(
    submit: Command, shared: Board, account: Account, file: Path
) -> None:
    found = submit(
        file, "--json", "--public", "--description", "D", "--licence", "MIT", "--link", "https://example.org"
    )
    assert found.code == 0
    made = submission(shared.service.store, found.document["id"])
    assert made is not None
    assert found.document == {
        "schema_version": 1, "id": made.submission_id, "status": "queued",
        "url": f"{shared.served.address}/submissions/{made.submission_id}",
    }  # fmt: skip
    said = (made.kind, made.name, made.is_public, made.description, made.licence, made.url)
    assert said == ("predictions", "by command", True, "D", "MIT", "https://example.org")


def test_a_faulty_file_prints_its_errors_and_exits_with_2(
    submit: Command, shared: Board, account: Account, tmp_path: Path
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b'{"task": "commongen", "id": "c9", "prediction": "x"}\n')
    found = submit(path, "--json")
    assert found.code == 2
    assert found.document["valid"] is False
    assert [one["id"] for one in found.document["errors"]] == ["c9", "c0", "c1", "c2", "c3"]
    table = submit(path)
    assert table.code == 2
    assert "Unknown id" in table.out
    assert "Not submitted: 5 errors." in table.out
    assert usage(shared.service.store, account.user.user_id, shared.service.limits).scored == 0


def test_the_same_file_again_is_not_submitted_twice(
    submit: Command, shared: Board, account: Account, file: Path
) -> None:
    first, second = submit(file, "--json"), submit(file, "--json")
    assert (first.code, second.code) == (0, 0)
    assert first.document["id"] == second.document["id"]
    assert "was not sent again" in second.err
    assert len(submissions_of(shared.service.store, account.user.user_id).submissions) == 1


def test_waiting_follows_to_the_end(submit: Command, shared: Board, account: Account, file: Path) -> None:
    store = shared.service.store

    def fail_it() -> None:
        while not (found := submissions_of(store, account.user.user_id).submissions):
            time.sleep(0.1)
        while (taken := jobs.claim(store, "worker", 600)) is None or taken.job_id != found[0].job_id:
            time.sleep(0.1)
        jobs.fail(store, taken.job_id, taken.attempt, "invalid-file", "Not good.", is_ours=False)

    worker = threading.Thread(target=fail_it)
    worker.start()
    found = submit(file, "--wait", "--json")
    worker.join()
    assert found.code == 1
    assert (found.document["status"], found.document["reason"]) == ("failed", "invalid-file")


def test_a_checkpoint_folder_is_sent_in_pieces(submit: Command, shared: Board, account: Account) -> None:
    found = submit(Path(str(resources.files("grue.engine") / "demo" / "causal")), "--json")
    assert found.code == 0, found.err
    made = submission(shared.service.store, found.document["id"])
    assert made is not None
    assert made.kind == "model"
    assert (shared.service.artifacts.local_folder(made.upload) / "model.safetensors").is_file()


def test_a_wrong_call_is_2_and_sends_nothing(
    submit: Command, shared: Board, account: Account, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for source, more in (
        (tmp_path / "nothing.jsonl", ()),
        (tmp_path, ()),
        (file, ("--kind", "model")),
        (file, ("--url", "ftp://x")),
        (file, ("--url", "http://127.0.0.1:9")),
    ):
        assert submit(source, *more).code == 2
    monkeypatch.setenv("GRUE_TOKEN", "grue_0000000000000000000000")
    wrong = submit(file)
    assert wrong.code == 2
    assert "Set GRUE_TOKEN" in wrong.err
    monkeypatch.delenv("GRUE_TOKEN")
    assert "GRUE_TOKEN is not set" in submit(file).err
    assert submissions_of(shared.service.store, account.user.user_id).submissions == ()


def test_nothing_but_one_document_is_on_standard_output(submit: Command, account: Account, file: Path) -> None:
    found = submit(file, "--json", "--quiet")
    assert json.loads(found.out)["status"] == "queued"
    assert found.err == ""
