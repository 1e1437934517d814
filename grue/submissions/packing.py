"""What of a local file or folder is sent to a board, and as which kind of submission."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from grue.core.errors import UsageError
from grue.submissions.model_files import CONFIG, is_allowed, is_weights

_ARCHIVES = (".tar.gz", ".tgz", ".zip")
_HUB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*(@[A-Za-z0-9._/-]+)?")
_MANIFEST, _RESULTS, _SAMPLES = "manifest.json", "results.json", "samples"


@dataclass(frozen=True, slots=True)
class Source:
    """What is submitted: a file, files of a checkpoint, or a hub id.

    Attributes:
        kind: ``predictions``, ``run`` or ``model``.
        path: File or folder; ``None`` for a hub id.
        model: Hub id.
        revision: Branch, tag or commit of the hub id; empty for its main branch.
        files: Names of the files of a checkpoint.
    """

    kind: str
    path: Path | None
    model: str = ""
    revision: str = ""
    files: tuple[str, ...] = ()


def source_of(text: str, kind: str | None = None) -> Source:
    """Tell what a text on the command line names.

    Args:
        text: A file, a folder or a hub id.
        kind: What it has to be; found out where nothing is said.

    Raises:
        UsageError: where it is nothing that a board takes, or not of that kind.
    """
    path = Path(text)
    found = _local(path) if path.exists() else _hub(text)
    if kind is not None and kind != found.kind:
        raise UsageError(f"{text} is submitted as {found.kind}, not as {kind}.", "Leave --kind out.")
    return found


@contextmanager
def sendable(source: Source) -> Iterator[Path | None]:
    """The one file to send: itself, or an archive of a run directory with nothing but what a board reads."""
    if source.path is None or source.kind == "model" or source.path.is_file():
        yield source.path if source.kind != "model" else None
        return
    with TemporaryDirectory(prefix="grue-") as folder:
        archive = Path(folder) / "run.tar.gz"
        with tarfile.open(archive, "w:gz") as tar:
            for path in (source.path / _MANIFEST, source.path / _RESULTS):
                tar.add(path, path.name)
            for path in sorted((source.path / _SAMPLES).glob("*.parquet")):
                tar.add(path, f"{_SAMPLES}/{path.name}")
        yield archive


def _local(path: Path) -> Source:
    if path.is_file():
        return Source("run" if path.name.lower().endswith(_ARCHIVES) else "predictions", path)
    if (path / _MANIFEST).is_file() and (path / _RESULTS).is_file():
        return Source("run", path)
    names = sorted(one.name for one in path.iterdir() if one.is_file() and is_allowed(one.name))
    if CONFIG in names and any(map(is_weights, names)):
        return Source("model", path, files=tuple(names))
    raise UsageError(
        f"{path} is neither a run directory nor a checkpoint in safetensors.",
        f"A run directory has {_MANIFEST} and {_RESULTS}; a checkpoint {CONFIG} and model.safetensors.",
    )


def _hub(text: str) -> Source:
    if not _HUB_ID.fullmatch(text):
        raise UsageError(
            f"{text[:200]}: there is no such file or folder.", "A checkpoint of the hub is org/name@revision."
        )
    model, _, revision = text.partition("@")
    return Source("model", None, model=model, revision=revision)
