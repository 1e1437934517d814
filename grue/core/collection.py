"""Garbage collection put off while a command starts.

Importing the libraries behind checkpoints makes more than a million objects, nearly all of which stay; looking through
them again and again for garbage takes a seventh of the time to the first row.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_put_off: list[bool] = []


@contextmanager
def put_off() -> Iterator[None]:
    """Collect nothing until ``settle`` is called, or to the end."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    _put_off.append(True)
    try:
        yield
    finally:
        _put_off.clear()
        gc.unfreeze()
        gc.enable()


def settle() -> None:
    """The start is over: collect again, but never look at what is there now. Does nothing where nothing was put off."""
    if _put_off:
        _put_off.clear()
        gc.freeze()
        gc.enable()
