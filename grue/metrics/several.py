"""Several metrics on one set of texts, sharing work; one that raises does not stop the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grue.core.errors import MetricUnavailableError
from grue.core.metric import Texts
from grue.core.task import MetricSpec
from grue.metrics.api import Score, Scorer
from grue.metrics.build import build, entry
from grue.metrics.profiles import profile_settings
from grue.metrics.settings import SettingTable


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


def compute(wanted: Sequence[Scorer], texts: Texts) -> Outcome:
    """Score texts by each metric."""
    scores: dict[str, Score] = {}
    failed = []
    for scorer in wanted:
        try:
            scores[scorer.name] = scorer.score(texts)
        except Exception as error:  # noqa: BLE001 - a metric may raise anything, and the others go on
            scores[scorer.name] = Score(None, None, 0, None, None, f"failed: {type(error).__name__}: {error}")
            failed.append(scorer.name)
    return Outcome(scores, tuple(failed))
