"""From a row's new tokens to its generation."""

from __future__ import annotations

from collections.abc import Sequence

from grue.core.rows import Generation
from grue.engine.batching import Item
from grue.engine.protocol import Job, Request
from grue.engine.stops import cut_at_stop
from grue.engine.tokenization import PromptReader


def finished(
    request: Request,
    item: Item,
    ids: Sequence[int],
    finish_reason: str,
    reader: PromptReader,
    job: Job,
    seconds: float | None = None,
) -> Generation:
    """The generation of a row that ended, its text cut before the first stop string.

    Args:
        request: What is answered.
        item: Its prompt.
        ids: New tokens, the end token included.
        finish_reason: ``stop`` or ``length``.
        reader: Turns tokens into text.
        job: Has the stop strings.
        seconds: From admission to the last token; ``None`` where nobody measured it.
    """
    text = reader.decode(ids)
    before = cut_at_stop(text, job.decoding.stop)
    return Generation(
        id=request.row.id,
        sample=request.sample,
        prediction=text if before is None else before,
        prompt=item.prompt.text,
        finish_reason=finish_reason if before is None else "stop",
        prompt_tokens=item.n_tokens,
        generated_tokens=len(ids),
        prompt_cut=item.prompt.is_cut,
        latency_seconds=seconds,
    )
