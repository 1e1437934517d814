"""Where metrics and rewards that need a checkpoint run: values that a run hands to whatever builds them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """Surroundings of judges (classifiers, language models, encoders) in one run; picklable.

    Attributes:
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``: the run's device.
        offline: Look at local files only.
        cache: Folder of judges' outputs by (weights, settings, text); ``None`` keeps none.
        evaluated: Folder of the checkpoint under evaluation, for metrics that ask it; ``None`` where none is.
        evaluated_sha256: Hash of the evaluated weights, an adapter among them: a folder that holds others is not asked;
            ``None`` asks it as it is.
        embedded: The rows are those inside the package: judges are the package's toys unless told otherwise.
    """

    device: str = "auto"
    offline: bool = False
    cache: Path | None = None
    evaluated: Path | None = None
    evaluated_sha256: str | None = None
    embedded: bool = False
