"""grue: the benchmark harness for text generators that are trained with rewards.

The names of the Python API are found on demand, so that ``import grue`` loads neither torch nor pandas.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

# API name -> "module:attribute". Strings, not imports: a layer rule that sees an import here would tie
# every package that says `import grue` to the whole evaluation stack.
_API = {
    "evaluate": "grue.evaluation.api:evaluate",
    "merge": "grue.evaluation.api:merge",
    "score": "grue.evaluation.api:score",
    "load_run": "grue.runs.frames:load_run",
    "leaderboard": "leaderboard_site.tables:leaderboard",
    "compare": "grue.comparison.compare:compare",
    "metric": "grue.metrics.api:metric",
    "reward": "grue.rewards.api:reward",
    "task": "grue.registry.tasks:load_task",
    "GrueCallback": "grue.evaluation.callback:GrueCallback",
}

__all__ = [
    "GrueCallback",
    "__version__",
    "compare",
    "evaluate",
    "leaderboard",
    "load_run",
    "merge",
    "metric",
    "reward",
    "score",
    "task",
]


def __getattr__(name: str) -> Any:
    if name not in _API:
        raise AttributeError(f"module 'grue' has no attribute {name!r}")
    module, _, attribute = _API[name].partition(":")
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
