"""A task's metrics and rewards as they can be computed here: built, or absent with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from grue.core.errors import MetricUnavailableError
from grue.core.judging import Judging
from grue.core.metric import Metric
from grue.core.reward import Reward
from grue.core.task import MetricSpec, Suite
from grue.metrics.build import build, entry
from grue.metrics.settings import SettingTable
from grue.rewards.build import build as build_reward
from grue.rewards.build import entry as reward_entry
from grue.rewards.build import metric_settings, own_settings

NO_MODEL_METRICS = "left out by --no-model-metrics"


@dataclass(frozen=True, slots=True)
class BuiltSuite:
    """A task's suite as it can be computed here.

    Attributes:
        metrics: Name -> metric.
        absent: Name -> reason.
        rewards: Name -> reward.
        rewards_absent: Reward name -> reason.
        order: All metric names, in the suite's order; empty for present ones before absent ones.
    """

    metrics: dict[str, Metric]
    absent: dict[str, str]
    rewards: dict[str, Reward] = field(default_factory=dict)
    rewards_absent: dict[str, str] = field(default_factory=dict)
    order: tuple[str, ...] = ()

    def names(self) -> tuple[str, ...]:
        """All metric names, in the order in which they are shown."""
        return self.order or (*self.metrics, *self.absent)

    def signatures(self) -> dict[str, str | None]:
        """Name -> signature, ``None`` for an absent metric."""
        return {name: self.metrics[name].signature() if name in self.metrics else None for name in self.names()}

    def reward_signatures(self) -> dict[str, str | None]:
        """Reward name -> signature, ``None`` for an absent one."""
        present: dict[str, str | None] = {name: reward.signature() for name, reward in self.rewards.items()}
        return {**present, **dict.fromkeys(self.rewards_absent)}

    def only(self, names: Sequence[str]) -> BuiltSuite:
        """Those of the names that it has, and no reward."""
        known = tuple(name for name in names if name in self.metrics or name in self.absent)
        return BuiltSuite(
            {name: self.metrics[name] for name in known if name in self.metrics},
            {name: self.absent[name] for name in known if name in self.absent},
            order=known,
        )


def build_suite(
    suite: Suite,
    *,
    metrics: Sequence[str] | None = None,
    settings: SettingTable | None = None,
    model_metrics: bool = True,
    judging: Judging | None = None,
) -> BuiltSuite:
    """Build what a task names, or the metrics that a user names instead.

    Rewards belong to the task's suite: where the user names metrics, none is computed.

    Args:
        suite: The task's suite; its own settings stay for the metrics it names.
        metrics: Names instead of the suite's.
        settings: What the user set, family -> key -> value; it wins over the suite's.
        model_metrics: Whether metrics and rewards that need a checkpoint are built.
        judging: Where judges run.

    Raises:
        UsageError: for an unknown metric, setting or value.
    """
    settings = settings or {}
    of_metrics, of_rewards = metric_settings(settings), own_settings(settings)
    own = {spec.name: spec for spec in suite.metrics}
    wanted = own if metrics is None else {name: own.get(name, MetricSpec(name)) for name in metrics}
    built: dict[str, Metric] = {}
    absent: dict[str, str] = {}
    for name, spec in wanted.items():
        if entry(name).needs_model and not model_metrics:
            absent[name] = NO_MODEL_METRICS
            continue
        if spec.absent:
            absent[name] = spec.absent
            continue
        try:
            built[name] = build(spec, of_metrics, judging)
        except MetricUnavailableError as error:
            absent[name] = error.cause
    rewards: dict[str, Reward] = {}
    rewards_absent: dict[str, str] = {}
    for reward in suite.rewards if metrics is None else ():
        if reward_entry(reward.name).needs_model and not model_metrics:
            rewards_absent[reward.name] = NO_MODEL_METRICS
            continue
        try:
            rewards[reward.name] = build_reward(reward, of_rewards, judging)
        except MetricUnavailableError as error:
            rewards_absent[reward.name] = error.cause
    return BuiltSuite(built, absent, rewards, rewards_absent, tuple(wanted))
