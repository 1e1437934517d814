"""What the worker asks of the scoring program, as one line of JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from grue.core.text import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRequest:
    """One run to make.

    Attributes:
        kind: ``predictions``, ``run`` or ``model``.
        source: The prediction file, the archive, or the folder that the first step wrote.
        is_archive: Whether ``source`` is an archive of a run directory.
        out: The run directory to make.
        work: Folder for what is needed on the way.
        run_id: Id of the run.
        name: Display name.
        data: Where the labels are: ``mini``, ``hub`` or a folder.
        tasks: What is scored.
        checkpoint: Folder of the checkpoint, whose weights are hashed again here; ``None`` without one.
        origin: What the manifest says of a checkpoint's source: a hub id, or the key of an upload.
        revision: Commit of a hub id; empty without one.
        is_hidden: Whether no message may show a row.
        rows: Folder of the rows that an archive is checked against, without labels.
        file_bytes: Largest file.
        unpacked_bytes: Largest content.
    """

    kind: str
    source: Path
    is_archive: bool
    out: Path
    work: Path
    run_id: str
    name: str
    data: str
    split: str
    tasks: tuple[str, ...]
    checkpoint: Path | None
    origin: str
    revision: str
    is_hidden: bool
    rows: Path
    file_bytes: int
    unpacked_bytes: int

    def to_json(self) -> dict[str, Json]:
        """The line."""
        values = asdict(self)
        return {key: str(value) if isinstance(value, Path) else value for key, value in values.items()}

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> ScoreRequest:
        """Read the line."""
        paths = {key: Path(values[key]) for key in ("source", "out", "work", "rows")}
        checkpoint = Path(values["checkpoint"]) if values["checkpoint"] else None
        return cls(**{**values, **paths, "checkpoint": checkpoint, "tasks": tuple(values["tasks"])})
