"""The rows that a submission has to answer: ids and prompts, no references and no inputs.

A process that checks uploads needs no more, and so never holds a label of a hidden split.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grue.core.errors import StoreError
from grue.core.rows import Row
from grue.core.run import SCHEMA_VERSION
from grue.core.text import Json, canonical_json, sha256_text
from grue.submissions.artifacts import Artifacts

_INDEX = "index.json"


@dataclass(frozen=True, slots=True)
class Expected:
    """The rows of a split.

    Attributes:
        split: Name of the split.
        tasks: Task -> rows in id order, with neither references nor inputs.
        rows: Rows of all tasks.
        sha256: Hash over tasks, ids and prompts.
    """

    split: str
    tasks: Mapping[str, Sequence[Row]]
    rows: int
    sha256: str


def write_expected(artifacts: Artifacts, split: str, tasks: Mapping[str, Sequence[Row]]) -> None:
    """Store the rows of a split without their labels; a list that is there already is left as it is.

    Args:
        artifacts: Where to.
        split: Name of the split.
        tasks: Task -> rows, as the data have them.
    """
    texts = {task: _text(rows) for task, rows in tasks.items()}
    index: dict[str, Json] = {
        "schema_version": SCHEMA_VERSION,
        "split": split,
        "tasks": {task: {"rows": len(tasks[task]), "sha256": sha256_text(text)} for task, text in texts.items()},
    }
    stored = _index(artifacts, split)
    if stored == index:
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows"
        for task, text in texts.items():
            path.write_text(text, encoding="utf-8")
            artifacts.put_file(path, f"rows/{split}/{task}.jsonl")
        path.write_text(canonical_json(index), encoding="utf-8")
        artifacts.put_file(path, f"rows/{split}/{_INDEX}")


def read_expected(artifacts: Artifacts, split: str) -> Expected | None:
    """The rows of a split; ``None`` where no worker has published them yet.

    Raises:
        StoreError: where a list is not what its index says, as it is for a moment while a worker publishes others.
    """
    index = _index(artifacts, split)
    if index is None:
        return None
    tasks: dict[str, tuple[Row, ...]] = {}
    for task, said in index["tasks"].items():
        with artifacts.open(f"rows/{split}/{task}.jsonl") as file:
            text = file.read().decode("utf-8")
        if sha256_text(text) != said["sha256"]:
            raise StoreError(f"The rows of {task} are not what their index says.", "A worker publishes them anew.")
        values = (json.loads(line) for line in text.splitlines())
        tasks[task] = tuple(Row(value["id"], value["prompt"]) for value in values)
    return Expected(split, tasks, sum(map(len, tasks.values())), sha256_text(canonical_json(index)))


def _index(artifacts: Artifacts, split: str) -> dict[str, dict[str, dict[str, str]]] | None:
    key = f"rows/{split}/{_INDEX}"
    if not artifacts.exists(key):
        return None
    with artifacts.open(key) as file:
        found: dict[str, dict[str, dict[str, str]]] = json.loads(file.read())
    return found


def _text(rows: Sequence[Row]) -> str:
    ordered = sorted(rows, key=lambda row: row.id)
    # ASCII alone, so that no sign of a text is taken for the end of a line.
    return "".join(json.dumps({"id": row.id, "prompt": row.prompt}) + "\n" for row in ordered)
