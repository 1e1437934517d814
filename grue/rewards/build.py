"""From a reward's name and settings to the reward itself."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from grue.core.errors import UsageError
from grue.core.judging import Judging
from grue.core.task import RewardSpec, Setting
from grue.core.text import nearest
from grue.metrics.settings import SettingTable
from grue.rewards import REWARDS, RewardEntry
from grue.rewards.plugins import plugin_names, plugin_reward
from grue.rewards.settings import OPTIONS, changed, metric_settings, resolve
from grue.rewards.settings import check_settings as _check_settings

if TYPE_CHECKING:
    # Commands look names up here before they need numpy.
    from grue.core.reward import Reward

__all__ = ["build", "check_settings", "entry", "is_known", "metric_settings", "names", "own_settings"]

_NOTHING: Mapping[str, Setting] = {}


def names() -> tuple[str, ...]:
    """All reward names: the built-in ones, then those of installed plugins; imports no plugin."""
    return (*REWARDS, *(name for name in plugin_names() if name not in REWARDS))


def is_known(name: str) -> bool:
    """Whether a name is a reward's; plugins are looked for only where it is none of grue's."""
    return name in REWARDS or name in plugin_names()


def entry(name: str) -> RewardEntry:
    """What is known of a reward by name.

    Raises:
        UsageError: for an unknown name, with the nearest known one.
    """
    if name in REWARDS:
        return REWARDS[name]
    if name in plugin_names():
        return RewardEntry("", "A reward of an installed plugin.", None, None, "what its plugin does")
    raise UsageError(f"Unknown reward {name!r}.{nearest(name, names())}", "Run 'grue rewards list' to see all.")


def build(spec: RewardSpec, settings: SettingTable | None = None, judging: Judging | None = None) -> Reward:
    """Make a reward.

    Args:
        spec: The reward's name and a task's own settings for it.
        settings: What the user set, name -> key -> value; it wins over the task's.
        judging: Where judges run; the defaults of ``Judging`` where nothing is said.

    Raises:
        UsageError: for an unknown name, key or value.
        MetricUnavailableError: where the reward cannot be computed here; its cause is the reason to show.
    """
    known = entry(spec.name)
    user = (settings or {}).get(spec.name, _NOTHING)
    if not known.maker:
        return plugin_reward(spec.name, {**spec.settings, **user})
    from grue.rewards.backing import Backing
    from grue.rewards.combine import combined
    from grue.rewards.named import Named

    values = resolve(spec.name, spec.settings, user)
    module, _, function = known.maker.partition(":")
    make = getattr(importlib.import_module(module), function)
    made: Reward = make(Backing(spec.name, values, frozenset(user), judging))
    return combined(Named(spec.name, tuple(changed(spec.name, values).items())), made)


def check_settings(settings: SettingTable, others: Collection[str] = ()) -> None:
    """Check what a user set for rewards, whether or not they are asked for; a plugin checks its own when built.

    Args:
        settings: Name -> key -> value.
        others: Names that something else judges (tasks, metric families).

    Raises:
        UsageError: for an unknown name or key, or a value of the wrong type or range.
    """
    _check_settings(settings, (*others, *(name for name in plugin_names() if name not in OPTIONS)))


def own_settings(settings: SettingTable) -> SettingTable:
    """What of a user's settings names a reward, built in or of a plugin."""
    known = names()
    return {name: values for name, values in settings.items() if name in known}
