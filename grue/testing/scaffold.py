"""A new task that works from the first minute: package, rows, card and test."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

from grue.core.errors import UsageError

_NAME = re.compile(r"[a-z][a-z0-9_]*")

_PACKAGE = Template('''"""$title: answer a short question.

What it measures, where its rows come from and their licence: card.md.
"""

from collections.abc import Iterable, Iterator

from grue.core.decoding import Decoding
from grue.core.record import Record
from grue.core.rows import Row
from grue.core.task import MetricSpec, Suite, Task, Truncation


def rows(records: Iterable[Record]) -> Iterator[Row]:
    """One row a record. A record's methods check columns and types, and name file and line of a fault."""
    for record in records:
        question = record.string("question")
        yield Row(
            id=record.string("id"),
            prompt=f"Question: {question} Answer:",
            references=record.strings("answers"),
            inputs={"source": question},
        )


def suite(quirks: frozenset[str]) -> Suite:
    """What a profile may change. `quirks` holds the keys of the task's quirks that are active: here there are none."""
    return Suite(
        rows=rows,
        truncation=Truncation("left", 128),
        decoding=Decoding(max_new_tokens=16),
        metrics=(
            MetricSpec("f1"),
            MetricSpec("exact_match"),
            MetricSpec("rougeL", {"use_stemmer": True}),
            MetricSpec("mean_length"),
        ),
        primary=("f1",),
    )


TASK = Task(
    name="$name",
    version=1,  # raise it when prompts, rows or metrics change a score
    title="$title",
    summary="Answer a short question.",
    suite=suite,
    package=__name__,
    licence="CC0-1.0",
    shows_texts=True,
    citation="None yet.",
)
''')

_CARD = Template("""# $title

- **Measures:** short answers to short questions.
- **Origin:** rows written for this task.
- **Licence:** CC0-1.0.
- **Citation:** none yet.
- **Version of the data:** 1.
- **Known weaknesses:** a handful of rows; any score on them is noise.
- **Texts may be shown:** yes.
""")

_TEST = Template('''"""The task keeps the contract of a task."""

from pathlib import Path

from grue.registry.tasks import load_folder
from grue.testing import check_task

FOLDER = Path(__file__).resolve().parents[1]


def test_task_keeps_the_contract() -> None:
    assert check_task(load_folder(FOLDER)) == []
''')

_ROWS: Mapping[str, Sequence[tuple[str, str, Sequence[str]]]] = {
    "train": (
        ("train-1", "Which day comes after Monday?", ("Tuesday",)),
        ("train-2", "How many legs does a spider have?", ("eight", "8")),
        ("train-3", "What colour is fresh snow?", ("white",)),
        ("train-4", "What do bees make?", ("honey",)),
    ),
    "validation": (
        ("validation-1", "Which month comes before May?", ("April",)),
        ("validation-2", "How many days has a week?", ("seven", "7")),
        ("validation-3", "What falls from clouds?", ("rain", "rain or snow")),
    ),
    "test": (
        ("test-1", "Which day comes before Sunday?", ("Saturday",)),
        ("test-2", "How many wheels has a bicycle?", ("two wheels", "two")),
        ("test-3", "What colour is a ripe lemon?", ("yellow",)),
        ("test-4", "What does a hen lay?", ("brown eggs", "eggs")),
    ),
}


def write_task(name: str, folder: Path) -> Path:
    """Write a working task.

    Args:
        name: The task's name: lower-case letters, digits and underscores, a letter first.
        folder: Where its folder is made.

    Returns:
        The task's folder, ``folder/name``.

    Raises:
        UsageError: for a name that cannot be a task's, or where something of that name is there already.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise UsageError(
            f"{name!r} cannot be a task's name.", "Use lower-case letters, digits and underscores, a letter first."
        )
    task = folder / name
    if task.exists():
        raise UsageError(f"{task} is there already; nothing was written.", "Choose another name or --dir.")
    values = {"name": name, "title": name.replace("_", " ").capitalize()}
    try:
        (task / "data").mkdir(parents=True)
        (task / "tests").mkdir()
        (task / "__init__.py").write_text(_PACKAGE.substitute(values), encoding="utf-8")
        (task / "card.md").write_text(_CARD.substitute(values), encoding="utf-8")
        (task / "tests" / f"test_{name}.py").write_text(_TEST.substitute(values), encoding="utf-8")
        for split, rows in _ROWS.items():
            lines = (
                json.dumps({"id": identifier, "question": question, "answers": list(answers)}) + "\n"
                for identifier, question, answers in rows
            )
            (task / "data" / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{task} cannot be written: {error.strerror}.", "Choose another --dir.") from error
    return task
