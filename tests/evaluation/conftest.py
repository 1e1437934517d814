"""The command line in this process, plugins written for one test, and the tiny checkpoint to spoil."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

PLUGIN = """
from grue.core.decoding import Decoding
from grue.core.rows import Row
from grue.core.task import MetricSpec, Suite, Task, Truncation


def rows(records):
    for record in records:
        {rows}
        yield Row(id=record.string("id"), prompt=record.string("prompt"), references=record.strings("references"))


def postprocess(text):
    {postprocess}


def suite(quirks):
    return Suite(
        rows=rows,
        truncation=Truncation("right", 64),
        decoding=Decoding(max_new_tokens=4),
        metrics=(MetricSpec("exact_match"), MetricSpec("f1")),
        primary=("f1",),
        postprocess=postprocess,
    )


TASK = Task(
    name="{name}", version=1, title="{name}", summary="A task of a test.", suite=suite, package=__name__,
    licence="CC0-1.0",
)
"""
CARD = "# A task of a test\n\nMeasures nothing. Licence: CC0-1.0.\n"


@pytest.fixture
def plugin(tmp_path: Path) -> Callable[..., Path]:
    """Writes a task plugin of six rows whose functions do what the test says."""

    def write(name: str, *, rows: str = "pass", postprocess: str = "return text") -> Path:
        folder = tmp_path / "plugins" / name
        (folder / "data").mkdir(parents=True)
        (folder / "__init__.py").write_text(PLUGIN.format(name=name, rows=rows, postprocess=postprocess))
        (folder / "card.md").write_text(CARD)
        lines = [
            json.dumps({"id": str(n), "prompt": f"Say {word}.", "references": [word]})
            for n, word in enumerate(["river", "stone", "bread", "milk", "light", "street"])
        ]
        (folder / "data" / "test.jsonl").write_text("\n".join(lines) + "\n")
        return folder

    return write


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A copy of the small causal checkpoint, to be spoiled."""
    folder = tmp_path / "checkpoint"
    shutil.copytree(str(files("grue.engine") / "demo" / "causal"), folder)
    return folder


@pytest.fixture
def results() -> Callable[[Path], dict[str, Any]]:
    """``results.json`` of a run directory without what may differ between two equal runs."""

    def read(path: Path) -> dict[str, Any]:
        document = json.loads((path / "results.json").read_text())
        for key in ("run_id", "checksum"):
            document.pop(key)
        document["files"].pop("manifest.json")
        for task in document["tasks"].values():
            task.pop("cost")
        return document

    return read
