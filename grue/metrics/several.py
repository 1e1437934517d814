"""Several metrics on one set of texts, sharing work; one that raises does not stop the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grue.core.errors import MetricUnavailableError
from grue.core.metric import Texts
from grue.core.task import MetricSpec
from grue.metrics.api import Score, Scorer, score_of
from grue.metrics.build import build, entry
from grue.metrics.profiles import profile_settings
from grue.metrics.settings import SettingTable
from grue.metrics.stream import DigestStore, Running, failure_of


@dataclass(frozen=True, slots=True)
class Outcome:
    """Scores by name, and the names of metrics that raised."""

    scores: dict[str, Score]
    failed: tuple[str, ...]


def scorers(names: Sequence[str], settings: SettingTable, profile: str | None = None) -> list[Scorer]:
    """Build metrics before any text is read; absent ones keep their reason.

    Raises:
        UsageError: for an unknown metric, profile, setting or value.
    """
    of_profile = profile_settings(profile)
    built = []
    for name in dict.fromkeys(names):
        family = entry(name).family
        try:
            layers = {family: {**of_profile.get(family, {}), **settings.get(family, {})}}
            built.append(Scorer(name, build(MetricSpec(name), layers)))
        except MetricUnavailableError as error:
            built.append(Scorer(name, None, error.cause))
    return built


def compute(wanted: Sequence[Scorer], portions: Iterable[Texts]) -> Outcome:
    """Score portions of texts by each metric; no text is kept.

    Args:
        wanted: Metrics, absent ones among them.
        portions: Texts in file order.
    """
    shared: DigestStore = {}
    running = {scorer.name: Running(scorer.built, shared) for scorer in wanted if scorer.built is not None}
    n_texts = 0
    for texts in portions:
        n_texts += len(texts)
        for metric in running.values():
            metric.add(texts)
    scores: dict[str, Score] = {}
    failed = []
    for scorer in wanted:
        name = scorer.name
        if name not in running:
            scores[name] = Score(None, None, 0, None, reason=scorer.reason)
            continue
        try:
            scores[name] = score_of(running[name], n_texts)
        except Exception as error:  # noqa: BLE001 - a metric may raise anything, and the others go on
            scores[name] = Score(None, None, 0, None, reason=failure_of(error))
            failed.append(name)
        if running[name].failure:
            failed.append(name)
    return Outcome(scores, tuple(failed))
