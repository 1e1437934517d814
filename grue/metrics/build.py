"""From a metric's name and settings to the metric itself."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from grue.core.errors import MetricUnavailableError, UsageError
from grue.core.judging import Judging
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
NO_TOY = "the embedded rows are judged by the package's toys alone, and there is none for this metric; name a judge"
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


def build(spec: MetricSpec, settings: SettingTable | None = None, judging: Judging | None = None) -> Metric:
    """Make a metric.

    Args:
        spec: The metric's name and a task's own settings for it.
        settings: What the user set, family -> key -> value; it wins over the task's.
        judging: Where judges run; the defaults of ``Judging`` where nothing is said.

    Raises:
        UsageError: for an unknown name, key or value.
        MetricUnavailableError: where the metric cannot be computed here; its cause is the reason to show.
    """
    known = entry(spec.name)
    given = (settings or {}).get(known.family, _NOTHING)
    values = resolve(known.family, spec.settings, given)
    if not known.maker:
        raise MetricUnavailableError(ABSENT_REASON)
    module, _, function = known.maker.partition(":")
    make = getattr(importlib.import_module(module), function)
    if not known.needs_model:
        metric: Metric = make(spec.name, values)
        return metric
    judging = judging or Judging()
    if judging.embedded and not given.get("model"):
        if values["model"] and not known.toy:
            raise MetricUnavailableError(f"{NO_TOY}: --set {known.family}.model=FOLDER_OR_HUB_ID")
        values["model"] = known.toy or None
    judged: Metric = make(spec.name, values, judging)
    return judged
