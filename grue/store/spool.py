"""Values on disk between reading and writing, so that tens of thousands of runs need no memory and no lock."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator
from typing import IO, Generic, TypeVar

T = TypeVar("T")


class Spool(Generic[T]):
    """Keeps values in a file without a name, which is gone with the process; gives them back in order."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__

    def put(self, value: T) -> None:
        """Add a value."""
        pickle.dump(value, self._file, protocol=pickle.HIGHEST_PROTOCOL)

    def __iter__(self) -> Iterator[T]:
        self._file.seek(0)
        while True:
            try:
                value: T = pickle.load(self._file)  # noqa: S301 - our own values, in a file that no other can open
            except EOFError:
                return
            yield value

    def __enter__(self) -> Spool[T]:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
