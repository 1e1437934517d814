"""When a folder is not taken for a run: it holds something else, or another run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from grue.core.errors import RunDirectoryError
from grue.core.run import Manifest
from grue.core.text import Json
from grue.runs.files import is_temporary
from grue.runs.identity import identity_document
from grue.runs.lock import LOCK_FILE
from grue.runs.read import MANIFEST

_SHOWN = 6


def refuse_foreign(path: Path) -> None:
    """Refuse a path that is there and neither a run directory nor an empty folder.

    Raises:
        RunDirectoryError: names what is there.
    """
    if not path.exists() and not path.is_symlink():
        return
    if not path.is_dir():
        raise RunDirectoryError("is a file, no folder.", "Choose another folder with -o.", place=str(path))
    try:
        names = sorted(entry.name for entry in path.iterdir())
    except OSError as error:
        raise RunDirectoryError(
            f"cannot be read: {error.strerror or error}.", "Choose another folder with -o.", place=str(path)
        ) from error
    other = [name for name in names if name != LOCK_FILE and not is_temporary(name)]
    if other and MANIFEST not in other:
        shown = ", ".join(other[:3]) + (" …" if len(other) > 3 else "")
        raise RunDirectoryError(
            f"holds other files and no run ({shown}).",
            "Choose another folder with -o, or empty this one.",
            place=str(path),
        )


def refuse_other(path: Path, stored: Manifest, wanted: Manifest) -> None:
    """Refuse to go on with a run of another identity.

    Raises:
        RunDirectoryError: names the fields of the manifest in which the two differ.
    """
    if stored.identity == wanted.identity:
        _refuse_other_part(path, stored, wanted)
        return
    differences = differing_fields(stored, wanted)
    shown = "; ".join(differences[:_SHOWN]) + (f"; and {len(differences) - _SHOWN} more" * (len(differences) > _SHOWN))
    raise RunDirectoryError(
        f"holds another run ({stored.run_id}). It differs in: {shown or 'identity, made by another version of grue'}.",
        "Choose another folder with -o, or start anew here with --fresh (the old run is kept until then).",
        place=str(path),
    )


def _refuse_other_part(path: Path, stored: Manifest, wanted: Manifest) -> None:
    """Parts of one run have its identity, and a directory each."""
    kept, asked = (f"{manifest.shard or 'the whole'} of this run" for manifest in (stored, wanted))
    if kept != asked:
        raise RunDirectoryError(
            f"holds {kept}; wanted is {asked}.", "Choose another folder with -o, or none.", place=str(path)
        )


def differing_fields(stored: Manifest, wanted: Manifest) -> list[str]:
    """``field: stored, now wanted`` for every field of the identity in which two manifests differ."""
    old = _flat(identity_document(stored.model, stored.tasks, stored.seed))
    new = _flat(identity_document(wanted.model, wanted.tasks, wanted.seed))
    return [
        f"{field}: stored {_short(old.get(field))}, now {_short(new.get(field))}"
        for field in dict.fromkeys([*old, *new])
        if old.get(field) != new.get(field)
    ]


def _flat(document: Mapping[str, Json], prefix: str = "") -> dict[str, Json]:
    out: dict[str, Json] = {}
    for key, value in document.items():
        if isinstance(value, Mapping):
            out.update(_flat(value, f"{prefix}{key}."))
        else:
            # Lists of a stored manifest and tuples of a new one are the same to the hash.
            is_list = isinstance(value, Sequence) and not isinstance(value, str)
            out[f"{prefix}{key}"] = list(value) if is_list else value  # type: ignore[arg-type]
    return out


def _short(value: Json) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 24 else f"{text[:16]}…"
