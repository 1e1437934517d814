"""What a reward's maker works with: its settings, and the metrics behind it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from grue.core.errors import MetricUnavailableError
from grue.core.judging import Judging
from grue.core.reward import Reward
from grue.core.task import MetricSpec, Setting
from grue.metrics.build import build, entry
from grue.metrics.settings import FAMILIES
from grue.rewards.combine import weighted_sum
from grue.rewards.metric_reward import metric_reward


@dataclass(frozen=True, slots=True)
class Backing:
    """A reward about to be made.

    Attributes:
        name: Its name.
        values: All of its settings.
        user: Keys that the user set, and not the task: a toy judge gives way to a model among them.
        judging: Where judges run.
    """

    name: str
    values: Mapping[str, Setting | None]
    user: Collection[str]
    judging: Judging | None

    def number(self, key: str) -> float:
        """A setting that is a number."""
        return float(self.values[key] or 0)

    def flag(self, key: str) -> bool:
        """A setting that is true or false."""
        return bool(self.values[key])

    def metric(
        self,
        name: str,
        low: float | None,
        high: float | None,
        *,
        keys: Collection[str] | None = None,
        divisor: float = 1.0,
        printed_list: bool = False,
    ) -> Reward:
        """A metric as a reward.

        Args:
            name: Its name.
            low: Smallest reward.
            high: Largest reward.
            keys: Settings of the reward that are the metric's too; all that its family knows where not said.
            divisor: What the metric's values are divided by.
            printed_list: Show it the printed list of references.

        Raises:
            MetricUnavailableError: where the metric cannot be computed here.
        """
        family = entry(name).family
        shared = [key for key in (FAMILIES[family] if keys is None else keys) if key in self.values]
        given: dict[str, Setting] = {key: value for key in shared if (value := self.values[key]) is not None}
        of_user = {key: value for key, value in given.items() if key in self.user}
        try:
            made = build(MetricSpec(name, given), {family: of_user}, self.judging)
        except MetricUnavailableError as error:
            reason = error.cause if name == self.name else f"{name}: {error.cause}"
            # A fix that names the metric's setting names this reward's, where it has it.
            for key in shared:
                reason = reason.replace(f"{family}.{key}=", f"{self.name}.{key}=")
            raise MetricUnavailableError(reason) from error
        return metric_reward(made, tuple(given.items()), low, high, divisor=divisor, printed_list=printed_list)

    def shaped(self, reward: Reward) -> Reward:
        """A reward with its shaping added, where there is one."""
        if self.values["shaping"] == "none":
            return reward
        from grue.rewards.common_gen import RepeatPenalty

        return weighted_sum([(1.0, reward), (1.0, RepeatPenalty())])
