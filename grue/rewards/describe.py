"""What ``grue rewards list`` and ``show`` say of a reward."""

from __future__ import annotations

from grue.core.errors import MetricUnavailableError
from grue.core.text import Json
from grue.rewards import REWARDS
from grue.rewards.api import opened
from grue.rewards.combine import formula
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
        "metrics": list(known.metrics) if known else [],
        "settings": {key: option.default for key, option in OPTIONS.get(text, {}).items()},
        "quirks": [{"switch": f"{text}.{quirk.switch}", "says": quirk.says} for quirk in QUIRKS.get(text, ())],
        "signature": signature,
        "formula": formula(built) if built else None,
        "reason": reason,
    }


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
