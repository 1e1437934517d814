"""``/api/v1/uploads``: files of a checkpoint in pieces, then the checkpoint as a submission."""

from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import Path
from typing import Any

import httpx
import pytest

from grue.store.service.submissions import submission
from grue.submissions.model_files import is_allowed
from tests.submitting.conftest import ROWS, Account, Board

FILES = "/api/v1/uploads/files"


def demo_files() -> dict[str, bytes]:
    folder = Path(str(resources.files("grue.engine") / "demo" / "causal"))
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if is_allowed(path.name)}


class Sender:
    """Sends files of one account."""

    def __init__(self, board: Board, account: Account) -> None:
        self.client, self.headers = board.client, account.headers

    def begin(self, name: str, content: bytes, checkpoint: str | None = None, **other: Any) -> httpx.Response:
        said = {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest(), **other}
        return self.client.post(FILES, json=said | {"checkpoint": checkpoint}, headers=self.headers)

    def piece(self, file_id: str, offset: int, content: bytes) -> httpx.Response:
        return self.client.patch(f"{FILES}/{file_id}", params={"offset": offset}, content=content, headers=self.headers)

    def finish(self, file_id: str) -> httpx.Response:
        return self.client.post(f"{FILES}/{file_id}/finish", headers=self.headers)


@pytest.fixture(scope="module")
def account(shared: Board) -> Account:
    return shared.account("sends pieces")


@pytest.fixture(scope="module")
def sender(shared: Board, account: Account) -> Sender:
    return Sender(shared, account)


def test_a_checkpoint_in_pieces_becomes_a_submission(shared: Board, account: Account, sender: Sender) -> None:
    checkpoint = None
    files = demo_files()
    for name, content in files.items():
        begun = sender.begin(name, content, checkpoint).json()
        checkpoint = begun["checkpoint"]
        half = len(content) // 2
        assert sender.piece(begun["id"], 0, content[:half]).json()["offset"] == half
        # The same announcement finds what is there.
        assert sender.begin(name, content, checkpoint).json()["offset"] == half
        assert sender.piece(begun["id"], half, content[half:]).json()["offset"] == len(content)
        assert sender.finish(begun["id"]).json()["finished"] is True
    said = {"name": "in pieces", "kind": "model", "checkpoint": checkpoint}
    form = {name: (None, value) for name, value in said.items()}
    answer = shared.client.post("/api/v1/submissions", files=form, headers=account.headers)
    assert answer.status_code == 201, answer.text
    made = submission(shared.service.store, answer.json()["id"])
    assert made is not None
    assert made.tasks == tuple(ROWS)
    stored = shared.service.artifacts.local_folder(made.upload)
    assert {name: (stored / name).read_bytes() for name in files} == files
    # It was moved, so the same upload cannot be submitted again.
    again = shared.client.post("/api/v1/submissions", files=form, headers=account.headers)
    assert again.status_code == 409


def test_a_piece_at_the_wrong_place_is_told_where_to_go_on(sender: Sender) -> None:
    content = b"{}" * 50
    begun = sender.begin("config.json", content).json()
    sender.piece(begun["id"], 0, content[:40])
    answer = sender.piece(begun["id"], 10, content[10:])
    assert answer.status_code == 409
    assert answer.json()["offset"] == 40
    assert sender.finish(begun["id"]).status_code == 409


def test_another_hash_than_announced_is_refused(sender: Sender) -> None:
    begun = sender.begin("config.json", b"{}", sha256="0" * 64).json()
    sender.piece(begun["id"], 0, b"{}")
    answer = sender.finish(begun["id"])
    assert answer.status_code == 422
    assert "SHA-256" in answer.json()["detail"]


@pytest.mark.parametrize(
    "name", ["pytorch_model.bin", "../config.json", "model.safetensors/../x", "tokenizer.py", "x" * 201]
)
def test_a_name_that_no_checkpoint_has_is_refused(sender: Sender, name: str) -> None:
    assert sender.begin(name, b"x").status_code == 422


def test_pieces_of_others_are_not_there(shared: Board, sender: Sender) -> None:
    begun = sender.begin("config.json", b"{ }").json()
    other = Sender(shared, shared.account("pieces of others"))
    assert other.piece(begun["id"], 0, b"{ }").status_code == 404
    assert other.finish(begun["id"]).status_code == 404
    assert shared.client.get(f"{FILES}/{begun['id']}").status_code == 401
    assert shared.client.get(f"{FILES}/nothing", headers=sender.headers).status_code == 404


def test_what_is_given_up_or_invalid_leaves_room_for_others(shared: Board) -> None:
    account = shared.account("gives up")
    sender = Sender(shared, account)
    for number in range(5):
        begun = sender.begin("config.json", b"{}").json()
        assert "checkpoint" in begun, begun
        sender.piece(begun["id"], 0, b"{}")
        sender.finish(begun["id"])
        if number % 2:
            gone = shared.client.delete(f"/api/v1/uploads/{begun['checkpoint']}", headers=account.headers)
            assert gone.status_code == 204
            continue
        form = {"name": (None, "x"), "kind": (None, "model"), "checkpoint": (None, begun["checkpoint"])}
        answer = shared.client.post("/api/v1/submissions", files=form, headers=account.headers)
        assert answer.status_code == 422
        assert "There is no tokenizer." in [one["problem"] for one in answer.json()["errors"]]
    assert shared.client.delete("/api/v1/uploads/x").status_code == 401
