"""From what a user writes as a judge's model to a folder: the package's toys, a folder here, or a hub id."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from grue.checkpoints.hub import locate
from grue.core.errors import CheckpointError
from grue.core.judging import Judging
from grue.core.text import nearest

TOYS = ("demo:sentiment", "demo:intent", "demo:lm")


@dataclass(frozen=True, slots=True)
class Folder:
    """A judge's folder.

    Attributes:
        model: What the user wrote.
        path: Where it lies.
        kind: ``local``, ``hub`` or ``toy``.
        revision: Commit of the hub; ``None`` for the others.
    """

    model: str
    path: Path
    kind: str
    revision: str | None = None


def resolve(model: str, judging: Judging) -> Folder:
    """Find the checkpoint of a judge.

    Args:
        model: ``demo:sentiment``, ``demo:intent``, ``demo:lm``, a folder, or a hub id ``org/name[@revision]``. A
            repository whose only weights are pickle files is taken: they are read as plain tensors, and no code of
            theirs runs.
        judging: Whether the hub may be asked.

    Raises:
        CheckpointError: where there is no such toy, folder or model, or the hub does not answer and its local cache
            does not have it.
    """
    if model.startswith("demo:") and not Path(model).is_dir():
        return _toy(model)
    found = locate(model, offline=judging.offline, allow_pickle=True, flag="the judge's model")
    return Folder(model, found.folder.absolute(), found.kind, found.revision)


def _toy(model: str) -> Folder:
    if model not in TOYS:
        raise CheckpointError(f"No such toy judge: {model!r}.{nearest(model, TOYS)}", f"Toys: {', '.join(TOYS)}.")
    path = Path(str(files("grue") / "metrics" / "neural" / "demo" / model.removeprefix("demo:")))
    if not path.is_dir():
        raise CheckpointError(f"The toy judge {model} is not in this installation.", "Install grue again.")
    return Folder(model, path, "toy")
