"""Takes queued submissions: generates where no label is in reach, scores, and puts the result into the store."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grue.worker.expected import publish_expected as publish_expected
    from grue.worker.loop import run_worker as run_worker

# Found on demand: the program in the sandbox imports this package and nothing of what these need.
_NAMES = {"run_worker": "grue.worker.loop", "publish_expected": "grue.worker.expected"}


def __getattr__(name: str) -> Any:
    """What the package offers, imported when it is asked for."""
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_NAMES[name]), name)
