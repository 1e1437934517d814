"""Weight hashes that were computed before, kept by what the file system says of the files."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from grue.checkpoints.hashing import weights_sha256
from grue.checkpoints.weights import WeightFiles
from grue.core.text import Json, canonical_json, sha256_text

STORE_NAME = "weights.json"
MAX_ENTRIES = 1_000
# A file changed this shortly ago might change again without its times showing it.
SETTLED_SECONDS = 2.0

_known: dict[str, str] = {}


def stored_weights_sha256(
    weights: WeightFiles, cache: Path | None, adapter: WeightFiles | None = None, adapter_config: Json = None
) -> str:
    """The content hash of weight files, computed once while nothing of their names, sizes, times and inodes changes.

    Args:
        weights: The files.
        cache: Folder that keeps hashes between processes; ``None`` keeps them in this process alone.
        adapter: Files of an adapter that is laid over them.
        adapter_config: Its settings.

    Raises:
        CheckpointError: where the files cannot be read.
    """
    return PendingHash(weights, cache, adapter, adapter_config).value()


class PendingHash:
    """A content hash that is looked up now, and where it is not known computed in a thread when that is started.

    The hash function runs without the interpreter's lock: a thread computes it beside imports and loading.
    """

    def __init__(
        self,
        weights: WeightFiles,
        cache: Path | None = None,
        adapter: WeightFiles | None = None,
        adapter_config: Json = None,
    ) -> None:
        self._stats = [path.stat() for path in (*weights.paths, *(adapter.paths if adapter else ()))]
        self._key = _key(weights, adapter, adapter_config, self._stats)
        self._store = cache / STORE_NAME if cache else None
        self._arguments = (weights,) if adapter is None else (weights, adapter, adapter_config)
        self._value = _known.get(self._key) or (_read(self._store).get(self._key) if self._store else None)
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None
        if self._value is not None:
            self._keep(self._value, is_new=False)

    @property
    def is_known(self) -> bool:
        """Whether ``value`` answers at once."""
        return self._value is not None or self._error is not None

    def start(self) -> PendingHash:
        """Compute it in a thread, unless it is known; returns itself."""
        if not self.is_known and self._thread is None:
            # A process that ends before does not wait: nothing but the hash is lost.
            self._thread = threading.Thread(target=self._compute, name="grue-hash", daemon=True)
            self._thread.start()
        return self

    def value(self) -> str:
        """64 hex digits; waits for the thread, or computes where none was started.

        Raises:
            CheckpointError: where the files cannot be read.
        """
        if self._thread is not None:
            self._thread.join()
        elif not self.is_known:
            self._compute()
        if self._error is not None:
            raise self._error
        return str(self._value)

    def _compute(self) -> None:
        try:
            digest = weights_sha256(*self._arguments)
        except BaseException as error:  # noqa: BLE001 - told to whoever asks for the value
            self._error = error
            return
        self._keep(digest, is_new=True)
        self._value = digest

    def _keep(self, digest: str, *, is_new: bool) -> None:
        if time.time() - max((max(s.st_mtime, s.st_ctime) for s in self._stats), default=0.0) > SETTLED_SECONDS:
            _known[self._key] = digest
            if self._store and is_new:
                _write(self._store, {**_read(self._store), self._key: digest})


def _key(
    weights: WeightFiles, adapter: WeightFiles | None, adapter_config: Json, stats: Sequence[os.stat_result]
) -> str:
    """What the file system says of the files, as one hash."""
    names = [str(path.resolve()) for path in (*weights.paths, *(adapter.paths if adapter else ()))]
    lines = [
        f"{name}\t{s.st_size}\t{s.st_mtime_ns}\t{s.st_ctime_ns}\t{s.st_ino}"
        for name, s in zip(names, stats, strict=True)
    ]
    if adapter is not None:
        lines.append(f"adapter\t{len(adapter.paths)}\t{canonical_json(adapter_config)}")
    return sha256_text("\n".join(lines))


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
