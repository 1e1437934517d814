"""Real rows of the eight tasks with predictions made from their references, for the benches of metrics."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grue.core.metric import Texts
from grue.evaluation.call import RowsCall
from grue.evaluation.portions import inputs_of
from grue.evaluation.selection import TaskRows, select
from grue.metrics.settings import SettingTable

TASKS = ("imdb", "commongen", "cnn_dailymail", "totto", "narrativeqa", "iwslt2017", "wmt16", "daily_dialog")
SPLITS = ("validation", "test")


@dataclass(frozen=True, slots=True)
class TaskTexts:
    """A task as it is selected, and texts to score for its rows."""

    rows: TaskRows
    texts: Texts

    def fresh(self) -> Texts:
        """The same texts without what metrics have kept on them."""
        return Texts(self.texts.predictions, self.texts.references, self.texts.inputs)


def load(
    material: Path, task: str, limit: int | None = None, at_least: int = 0, settings: SettingTable | None = None
) -> TaskTexts:
    """Read a task's rows of both splits and write a prediction for each.

    Args:
        material: Folder that holds ``data/``.
        task: Its name.
        limit: Rows to keep; ``None`` for all.
        settings: Family -> settings of the suite's metrics.
        at_least: Predictions wanted: rows are answered again, differently, until there are as many.
    """
    found = [
        select(
            RowsCall(
                tasks=task,
                data=str(material / "data"),
                split=split,
                settings=settings or {},
                model_metrics=False,
            )
        ).tasks[task]
        for split in SPLITS
    ]
    rows = [row for part in found for row in part.rows if row.references][:limit]
    generator = random.Random(f"bench {task}")
    pool = [reference for row in rows for reference in row.references]
    predictions: list[str] = []
    picked = []
    while not predictions or len(predictions) < at_least:
        predictions += [_written(row.references, pool, generator) for row in rows]
        picked += rows
    texts = Texts(predictions, [row.references for row in picked], [inputs_of(row) for row in picked])
    return TaskTexts(replace(found[0], rows=tuple(rows)), texts)


def _written(references: Sequence[str], pool: Sequence[str], generator: random.Random) -> str:
    """A reference with words lost, moved, doubled or taken from another row; now and then one of another row."""
    if generator.random() < 0.1:
        return generator.choice(pool)
    words = generator.choice(list(references)).split(" ")
    other = generator.choice(pool).split(" ")
    out: list[str] = []
    for word in words:
        chance = generator.random()
        if chance < 0.1:
            continue
        out.append(generator.choice(other) if chance < 0.25 else word)
        if chance > 0.97:
            out.append(word)
    if len(out) > 3 and generator.random() < 0.3:
        start = generator.randrange(len(out) - 2)
        out = out[start:] + out[:start]
    return " ".join(out)
