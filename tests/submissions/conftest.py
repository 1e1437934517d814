"""Rows that submissions answer, and uploads with nothing wrong in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from grue.submissions.expected import Expected
from tests.hostile.answering import expected_rows
from tests.hostile.sound_model import sound_checkpoint


@pytest.fixture
def expected() -> Expected:
    """Eight rows of ``toy`` and three of ``tale``, on the split ``test``."""
    return expected_rows()


@pytest.fixture
def write_lines(tmp_path: Path) -> Callable[..., Path]:
    """Writes values as the lines of a prediction file."""

    def write(*values: object, name: str = "p.jsonl") -> Path:
        path = tmp_path / name
        path.write_text("".join(f"{json.dumps(value)}\n" for value in values), encoding="utf-8")
        return path

    return write


@pytest.fixture
def checkpoint(tmp_path: Path) -> Callable[..., Path]:
    """Writes a sound checkpoint, some files of which are replaced or, with ``None``, left out."""

    def write(**changed: object) -> Path:
        folder = tmp_path / "model"
        folder.mkdir()
        files: dict[str, object] = {**sound_checkpoint(), **changed}
        for name, content in files.items():
            if content is not None:
                assert isinstance(content, bytes)
                (folder / name).write_bytes(content)
        return folder

    return write
