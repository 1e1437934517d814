"""From generations and rows to portions of texts that are scored together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from grue.core.metric import Texts
from grue.core.rows import Generation, Row
from grue.core.text import Json
from grue.evaluation.chunks import Chunk

PORTION = 2000


def inputs_of(row: Row) -> dict[str, Json]:
    """What metrics may ask of a row: its inputs, its untruncated prompt, and its id, which several samples share."""
    return {"prompt": row.prompt, "row": row.id, **row.inputs}


def chunk_of(generations: Sequence[Generation], rows: Mapping[str, Row]) -> Chunk:
    """Generations as a chunk to score, in their order."""
    return Chunk(
        keys=[(g.id, g.sample) for g in generations],
        texts=Texts(
            predictions=[g.prediction for g in generations],
            references=[rows[g.id].references for g in generations],
            inputs=[inputs_of(rows[g.id]) for g in generations],
        ),
    )


def chunks_of(generations: Sequence[Generation], rows: Mapping[str, Row]) -> Iterator[Chunk]:
    """Generations in portions."""
    for start in range(0, len(generations), PORTION):
        yield chunk_of(generations[start : start + PORTION], rows)
