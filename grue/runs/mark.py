"""How far the numbers of a run are ours."""

from __future__ import annotations

from grue.core.run import ModelInfo
from grue.runs.published import MARKS, Submission

_OF_KIND = {"predictions": "rescored", "imported": "imported"}


def mark_of(model: ModelInfo, submission: Submission | None = None) -> str:
    """``verified``, ``rescored``, ``self-reported`` or ``imported``.

    We ran a checkpoint or scored its predictions; nobody saw the weights behind an endpoint. A published result has
    the mark that its reviewers gave it.
    """
    if submission is not None:
        return submission.mark
    if model.kind in _OF_KIND:
        return _OF_KIND[model.kind]
    return model.endpoint.mark if model.endpoint is not None and model.endpoint.mark in MARKS else "verified"
