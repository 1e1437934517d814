"""Rewards from elsewhere: the entry point group ``grue.rewards``, or an object in a file, ``PATH.py:NAME``.

What stands there is a reward (``grue.core.reward.Reward``), a class or function that makes one from settings, or a
batch function: one that takes some of ``prompts, predictions, references, meta``, lists of one length, and gives one
number a prediction. Listing imports nothing; a broken plugin fails alone.
"""

from __future__ import annotations

import importlib.util
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grue.core.errors import GrueError, UsageError
from grue.core.plugins import points
from grue.core.task import Setting
from grue.core.text import nearest
from grue.rewards import REWARDS

if TYPE_CHECKING:
    from grue.core.reward import Reward

GROUP = "grue.rewards"
# Words of formulas, which no reward may have for its name.
RESERVED = frozenset(
    {"calibrate", "classifier", "clip", "growing_mean", "load", "log_sigmoid", "row", "running", "standardise"}
)
_CONTRACT = (
    "Define a reward object, a class or function that makes one, or a function of some of prompts, predictions, "
    "references and meta."
)


@dataclass(frozen=True, slots=True)
class RewardPlugin:
    """A reward that an installed distribution claims.

    Attributes:
        name: Its name.
        module: Where it stands: ``package.module:OBJECT``.
        distribution: Name and version of who brings it.
        problem: Why it cannot be used, as far as this is known without importing it.
    """

    name: str
    module: str
    distribution: str
    problem: str | None = None


def list_plugins() -> list[RewardPlugin]:
    """All claims by name; imports no plugin."""
    return [
        RewardPlugin(name, claims[0][1].value, claims[0][0], _conflict(name, claims))
        for name, claims in sorted(_claims().items())
    ]


def plugin_names() -> tuple[str, ...]:
    """Names that installed distributions claim, sorted; imports no plugin."""
    return tuple(sorted(_claims()))


def plugin_reward(name: str, settings: Mapping[str, Setting]) -> Reward:
    """The reward of an installed plugin.

    Raises:
        UsageError: where the name is claimed twice or by grue itself, or the plugin is broken.
    """
    claims = _claims().get(name, [])
    if not claims:
        raise UsageError(f"Unknown reward {name!r}.{nearest(name, plugin_names())}", "Run 'grue rewards list'.")
    if problem := _conflict(name, claims):
        raise UsageError(problem, "Uninstall one of them.")
    distribution, point = claims[0]
    found = _loaded(f"Reward {name!r} of {distribution}", point.value, point.load)
    return _made(found, name, settings, f"{distribution} ({point.value})", from_path=False)


def path_reward(text: str, settings: Mapping[str, Setting]) -> Reward:
    """The reward ``NAME`` in the file ``PATH.py``, given as ``PATH.py:NAME``.

    Raises:
        UsageError: where there is no such file or object, or it is broken.
    """
    path, _, name = text.rpartition(":")
    file = Path(path)
    if not file.is_file():
        raise UsageError(f"There is no file {path!r}.", "Write PATH.py:NAME, for example rewards/mine.py:REWARD.")
    module = _loaded(f"File {path}", path, lambda: _imported(file))
    if not hasattr(module, name):
        defined = [key for key in vars(module) if not key.startswith("_")]
        raise UsageError(f"{path} defines no {name!r}.{nearest(name, defined)}", _CONTRACT)
    return _made(getattr(module, name), text, settings, path, from_path=True)


def is_path(text: str) -> bool:
    """Whether a text has the form ``PATH.py:NAME``."""
    path, colon, name = text.rpartition(":")
    return bool(colon) and path.endswith(".py") and name.isidentifier()


def _claims() -> dict[str, list[tuple[str, EntryPoint]]]:
    found: dict[str, dict[tuple[str, str], EntryPoint]] = defaultdict(dict)
    for point in points(GROUP):
        who = f"{point.dist.name} {point.dist.version}" if point.dist else "an unnamed distribution"
        found[point.name].setdefault((who, point.value), point)  # one distribution may be found twice on the path
    return {name: [(who, points[who, value]) for who, value in sorted(points)] for name, points in found.items()}


def _conflict(name: str, claims: list[tuple[str, EntryPoint]]) -> str | None:
    who = [f"{distribution} ({point.value})" for distribution, point in claims]
    if name in REWARDS:
        who.insert(0, "grue itself")
    if not name.isidentifier():
        return f"Reward {name!r} of {who[0]} cannot be named in a formula: letters, digits and underscores only."
    if name in RESERVED:
        return f"Reward {name!r} of {who[0]} has the name of a function of formulas."
    return f"Reward {name!r} is claimed by {' and '.join(who)}." if len(who) > 1 else None


def _loaded(what: str, place: str, load: Callable[[], Any]) -> Any:
    try:
        return load()
    except (Exception, SystemExit) as error:
        said = error.cause if isinstance(error, GrueError) else f"{type(error).__name__}: {error}"
        raise UsageError(
            f"{what} cannot be loaded from {place}: {said}", "Mend it; the other rewards work without it."
        ) from error


def _imported(file: Path) -> Any:
    """Import a file without touching ``sys.path``; the same content is imported once a process."""
    whole = file.resolve()
    digest = sha256(str(whole).encode() + b"\0" + whole.read_bytes()).hexdigest()[:16]
    name = f"grue_reward_file_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, whole)
    if spec is None or spec.loader is None:
        raise UsageError(f"{file} is no Python file.", _CONTRACT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # first, so that what it defines can be pickled
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _made(found: Any, name: str, settings: Mapping[str, Setting], origin: str, *, from_path: bool) -> Reward:
    from grue.rewards.combine import combined
    from grue.rewards.foreign import as_reward
    from grue.rewards.named import Named

    reward = as_reward(found, name, settings, origin)
    return combined(Named(name, tuple(sorted(settings.items())), from_path), reward)
