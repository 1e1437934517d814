"""How far the numbers of a run are ours."""

from __future__ import annotations

from grue.core.run import ModelInfo
from grue.runs.published import MARKS, Submission

_OF_KIND = {"predictions": "rescored", "imported": "imported"}


def mark_of(model: ModelInfo, submission: Submission | None = None) -> str:
    """``verified``, ``rescored``, ``self-reported`` or ``imported``.

    We ran a checkpoint or scored its predictions; nobody saw the weights behind an endpoint. What a published result
    says of itself counts where it claims less.
    """
    own = _OF_KIND.get(model.kind, "verified")
    if own == "verified" and model.endpoint is not None and model.endpoint.mark in MARKS:
        own = model.endpoint.mark
    return own if submission is None else max(own, submission.mark, key=MARKS.index)
