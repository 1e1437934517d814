"""From a metric's name and settings to the metric itself."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from grue.core.errors import MetricUnavailableError, UsageError
from grue.core.task import MetricSpec, Setting
from grue.core.text import nearest
from grue.metrics import ABSENT_REASON, METRICS, Entry
from grue.metrics.settings import SettingTable, check_settings, resolve

if TYPE_CHECKING:
    # Commands look names up here before they need numpy.
    from grue.core.metric import Metric

__all__ = ["EVALUATE_PREFIX", "build", "check_settings", "entry", "names"]

EVALUATE_PREFIX = "evaluate:"
_EVALUATE = Entry("evaluate", "grue.metrics.hf_evaluate:make", "A metric of Hugging Face evaluate, by name or path.")
_NOTHING: Mapping[str, Setting] = {}


def names() -> tuple[str, ...]:
    """All metric names, in the order of the documentation; ``evaluate:NAME_OR_PATH`` goes beside them."""
    return tuple(METRICS)


def entry(name: str) -> Entry:
    """What is known of a metric by name.

    Raises:
        UsageError: for an unknown name, with the nearest known one.
    """
    if name.startswith(EVALUATE_PREFIX) and len(name) > len(EVALUATE_PREFIX):
        return _EVALUATE
    if name not in METRICS:
        raise UsageError(
            f"Unknown metric {name!r}.{nearest(name, METRICS)}",
            "Run 'grue metrics list' to see all; 'evaluate:NAME_OR_PATH' loads one of Hugging Face evaluate.",
        )
    return METRICS[name]


def build(spec: MetricSpec, settings: SettingTable | None = None) -> Metric:
    """Make a metric.

    Args:
        spec: The metric's name and a task's own settings for it.
        settings: What the user set, family -> key -> value; it wins over the task's.

    Raises:
        UsageError: for an unknown name, key or value.
        MetricUnavailableError: where the metric cannot be computed here; its cause is the reason to show.
    """
    known = entry(spec.name)
    values = resolve(known.family, spec.settings, (settings or {}).get(known.family, _NOTHING))
    if not known.maker:
        raise MetricUnavailableError(ABSENT_REASON)
    module, _, function = known.maker.partition(":")
    metric: Metric = getattr(importlib.import_module(module), function)(spec.name, values)
    return metric
