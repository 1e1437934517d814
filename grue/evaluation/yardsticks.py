"""The yardsticks of a task: what null systems and the oracle write for the same rows, to be scored beside a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from grue.core.decoding import Decoding
from grue.core.rows import Row
from grue.core.task import Truncation
from grue.engine.null import ORACLE, open_null
from grue.engine.options import EngineOptions
from grue.engine.protocol import Job, Request
from grue.evaluation.chunks import Chunk
from grue.evaluation.portions import PORTION, chunk_of

FLOOR = "null:random-reference"
NULL_SYSTEMS = ("null:empty", "null:constant", "null:copy-input", FLOOR)
SEED = 0


@dataclass(frozen=True, slots=True)
class Yardstick:
    """A system without a model and a portion of what it writes."""

    system: str
    chunk: Chunk


def yardsticks(rows: Sequence[Row], postprocess: Callable[[str], str] | None) -> Iterator[Yardstick]:
    """What every yardstick writes for a task's rows, portion by portion.

    Args:
        rows: The rows of the run, in id order.
        postprocess: The task's post-processing, which every system goes through.

    Raises:
        Exception: whatever the post-processing raises.
    """
    for system in (*NULL_SYSTEMS, ORACLE):
        engine = open_null(system, EngineOptions())
        covered = engine.covered(rows)
        by_id: Mapping[str, Row] = {row.id: row for row in covered}
        job = Job(decoding=Decoding(max_new_tokens=1), truncation=Truncation("right", 1), seed=SEED, rows=covered)
        for start in range(0, len(covered), PORTION):
            requests = [Request(row, 0) for row in covered[start : start + PORTION]]
            written = [one for portion in engine.generate(requests, job) for one in portion.generations]
            if postprocess is not None:
                written = [replace(one, prediction=postprocess(one.prediction)) for one in written]
            yield Yardstick(system, chunk_of(written, by_id))
