"""What ``grue rewards list`` and ``show`` say of a reward."""

from __future__ import annotations

from collections.abc import Sequence

from grue.core.errors import MetricUnavailableError
from grue.core.reward import Reward
from grue.core.text import Json
from grue.metrics.card import cost
from grue.rewards import REWARDS
from grue.rewards.api import opened
from grue.rewards.combine import Combined, formula
from grue.rewards.metric_reward import MetricReward
from grue.rewards.plugins import list_plugins
from grue.rewards.settings import OPTIONS, QUIRKS


def describe(text: str) -> dict[str, Json]:
    """A reward by name, formula or path, built with its default settings.

    Returns:
        Name, summary, origin, range, direction, cost, settings, quirks, signature and formula; ``reason`` is
        ``None`` where the reward can be computed here.

    Raises:
        UsageError: for an unknown name or a faulty formula.
    """
    known = REWARDS.get(text)
    origins = {plugin.name: plugin.distribution for plugin in list_plugins()}
    scorer = opened(text)
    built, reason = scorer.built, scorer.reason
    signature = None
    if built is not None:
        try:
            signature = built.signature()
        except MetricUnavailableError as error:  # a judge's weights are looked at only now
            reason = error.cause
    metrics = known.metrics if known else _metrics(built) if built else ()
    return {
        "name": text,
        "summary": known.summary if known else "",
        "origin": "grue" if known else origins.get(text, "formula"),
        "needs_model": known.needs_model if known else False,
        "low": built.low if built else known.low if known else None,
        "high": built.high if built else known.high if known else None,
        "higher_is_better": True,
        "needs_references": built.needs_references if built else None,
        "cost": known.cost if known else "that of its parts",
        **_seconds(metrics),
        "metrics": list(metrics),
        "settings": {key: option.default for key, option in OPTIONS.get(text, {}).items()},
        "quirks": [{"switch": f"{text}.{quirk.switch}", "says": quirk.says} for quirk in QUIRKS.get(text, ())],
        "signature": signature,
        "formula": formula(built) if built else None,
        "reason": reason,
    }


def _metrics(reward: Reward) -> tuple[str, ...]:
    """Names of the metrics behind a reward, each once."""
    if isinstance(reward, MetricReward):
        return (reward.name,)
    parts = reward.parts if isinstance(reward, Combined) else ()
    return tuple(dict.fromkeys(name for part in parts for name in _metrics(part)))


def _seconds(metrics: Sequence[str]) -> dict[str, Json]:
    """Seconds a thousand rows, as measured for the metrics; ``None`` where one of them was not, or there is none."""
    measured = [cost(name) for name in metrics]
    seconds = [one["seconds_per_1000_rows"] for one in measured]
    known = [float(value) for value in seconds if isinstance(value, (int, float))]
    if not known or len(known) < len(seconds):
        return {"seconds_per_1000_rows": None, "cost_where": None}
    return {"seconds_per_1000_rows": sum(known), "cost_where": str(measured[0]["cost_where"])}


def describe_all() -> list[dict[str, Json]]:
    """All rewards: those of grue, built, and those of plugins, of which none is imported."""
    plugins: list[dict[str, Json]] = [
        {
            "name": plugin.name,
            "summary": plugin.module,
            "origin": plugin.distribution,
            "needs_model": False,
            "low": None,
            "high": None,
            "higher_is_better": True,
            "reason": plugin.problem,
        }
        for plugin in list_plugins()
    ]
    return [*(describe(name) for name in REWARDS), *plugins]
