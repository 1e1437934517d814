"""Weight hashes that were computed before, kept by what the file system says of the files."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

from grue.checkpoints.hashing import weights_sha256
from grue.checkpoints.weights import WeightFiles
from grue.core.text import sha256_text

STORE_NAME = "weights.json"
MAX_ENTRIES = 1_000
# A file changed this shortly ago might change again without its times showing it.
SETTLED_SECONDS = 2.0

_known: dict[str, str] = {}


def stored_weights_sha256(weights: WeightFiles, cache: Path | None) -> str:
    """The content hash of weight files, computed once while nothing of their names, sizes, times and inodes changes.

    Args:
        weights: The files.
        cache: Folder that keeps hashes between processes; ``None`` keeps them in this process alone.

    Raises:
        CheckpointError: where the files cannot be read.
    """
    stats = [(str(path.resolve()), path.stat()) for path in weights.paths]
    key = sha256_text(
        "\n".join(f"{name}\t{s.st_size}\t{s.st_mtime_ns}\t{s.st_ctime_ns}\t{s.st_ino}" for name, s in stats)
    )
    store = cache / STORE_NAME if cache else None
    if key in _known:
        return _known[key]
    found = _read(store).get(key) if store else None
    digest = found or weights_sha256(weights)
    if time.time() - max(max(s.st_mtime, s.st_ctime) for _, s in stats) > SETTLED_SECONDS:
        _known[key] = digest
        if store and not found:
            _write(store, {**_read(store), key: digest})
    return digest


def _read(store: Path) -> dict[str, str]:
    try:
        value = json.loads(store.read_text(encoding="utf-8"))["hashes"]
        return {str(key): str(digest) for key, digest in value.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _write(store: Path, hashes: Mapping[str, str]) -> None:
    """Replace the file as a whole; a store that cannot be written costs time alone."""
    kept = dict(list(hashes.items())[-MAX_ENTRIES:])
    temporary = store.with_name(f".{store.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        store.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps({"schema_version": 1, "hashes": kept}), encoding="utf-8")
        temporary.replace(store)
