"""``grue.metric``: one metric on texts in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from grue.core.errors import MetricUnavailableError, UsageError
from grue.core.metric import Floats, Metric, Texts
from grue.core.task import MetricSpec, Setting
from grue.core.text import Json, finite_or_none
from grue.metrics.build import build, entry
from grue.metrics.compute import undefined_reason
from grue.metrics.profiles import profile_settings
from grue.metrics.stream import Running

NO_TEXTS = "there are no predictions"
NO_REFERENCES = "no references are given"


@dataclass(frozen=True, slots=True)
class Score:
    """What a metric says of a set of texts.

    Attributes:
        value: In the unit of the metric's reference implementation; ``None`` where absent or undefined.
        scale: Its maximum; ``None`` for counts, lengths and bits.
        n: Texts behind the value.
        signature: Every setting that can change the number; ``None`` where absent.
        row_values: One number a prediction, in their order, shape (n,), NaN where not defined; ``None`` for a metric
            that has none.
        reason: Why there is no value.
    """

    value: float | None
    scale: float | None
    n: int
    signature: str | None
    row_values: Floats | None = field(default=None, compare=False)
    reason: str | None = None

    @property
    def per_sample(self) -> list[float | None] | None:
        """One number a prediction, ``None`` where not defined; ``None`` as a whole for a metric that has none."""
        return None if self.row_values is None else [finite_or_none(value) for value in self.row_values]

    def to_json(self) -> dict[str, Json]:
        """The object that ``grue metrics compute --json`` prints for the metric."""
        out: dict[str, Json] = {"value": self.value, "scale": self.scale, "n": self.n, "signature": self.signature}
        return {**out, "reason": self.reason} if self.reason else out


@dataclass(frozen=True, slots=True)
class Scorer:
    """A metric ready to compute, or its absence."""

    name: str
    built: Metric | None
    reason: str | None = None

    def compute(
        self,
        predictions: Sequence[str],
        references: Sequence[Sequence[str]] | None = None,
        inputs: Sequence[Mapping[str, Json]] | None = None,
    ) -> Score:
        """Score predictions.

        Args:
            predictions: Texts.
            references: References of each prediction, a list for each; their number may differ.
            inputs: What the metric asks for besides, by name, for each prediction (``source``, ``concepts`` …).

        Raises:
            UsageError: where the lengths differ or something is no text.
        """
        return self.score(make_texts(predictions, references, inputs))

    def score(self, texts: Texts) -> Score:
        """Score texts that other metrics may share.

        Raises:
            Exception: whatever the metric raises.
        """
        if self.built is None:
            return Score(None, None, 0, None, None, self.reason)
        running = Running(self.built, {}, guarded=False)
        running.add(texts)
        return score_of(running, len(texts))


def score_of(running: Running, n_texts: int) -> Score:
    """The score of a metric that went through all its portions.

    Raises:
        Exception: whatever the metric raises.
    """
    metric = running.metric
    if not n_texts:
        return Score(None, metric.scale, 0, metric.signature(), np.empty(0), NO_TEXTS)
    if running.failure or running.missing:
        return Score(None, None, 0, None, None, running.failure or running.missing)
    if metric.needs_references and not running.has_references:
        return Score(None, None, 0, None, None, NO_REFERENCES)
    try:
        total = running.total()
    except MetricUnavailableError as error:
        return Score(None, None, 0, None, None, error.cause)
    value = finite_or_none(total.number)
    reason = undefined_reason(metric) if value is None else None
    return Score(value, metric.scale, total.n, metric.signature(), total.per_sample, reason)


def metric(name: str, profile: str | None = None, **settings: Setting) -> Scorer:
    """A metric by name.

    >>> metric("exact_match").compute(["The cat."], [["cat", "dog"]]).value
    1.0

    Args:
        name: Name of ``grue metrics list``, or ``evaluate:NAME_OR_PATH``.
        profile: ``"grue-paper"`` for the paper's settings; the metric's defaults otherwise.
        settings: Settings of the metric's family, named as in ``--set FAMILY.key=value``; they win over the profile.

    Raises:
        UsageError: for an unknown name, profile, setting or value.
    """
    family = entry(name).family
    layers = {**profile_settings(profile).get(family, {}), **settings}
    try:
        return Scorer(name, build(MetricSpec(name), {family: layers}))
    except MetricUnavailableError as error:
        return Scorer(name, None, error.cause)


def make_texts(
    predictions: Sequence[str],
    references: Sequence[Sequence[str]] | None = None,
    inputs: Sequence[Mapping[str, Json]] | None = None,
) -> Texts:
    """Check and join what is scored.

    Raises:
        UsageError: where the lengths differ or something is no text.
    """
    if isinstance(predictions, str) or not all(isinstance(text, str) for text in predictions):
        raise UsageError("predictions must be a list of texts.", 'For example: ["a text", "another"].')
    if references is None:
        references = [()] * len(predictions)
    if inputs is None:
        inputs = [{}] * len(predictions)
    for word, values in (("references", references), ("inputs", inputs)):
        if len(values) != len(predictions):
            raise UsageError(
                f"{word}: {len(values)} given for {len(predictions)} predictions.", f"Give {word} for each prediction."
            )
    for index, row in enumerate(references):
        if isinstance(row, str) or not all(isinstance(text, str) for text in row):
            raise UsageError(
                f"references[{index}] must be a list of texts, as a prediction may have several.",
                'For example: [["a reference"], ["another", "and one more"]].',
            )
    return Texts(list(predictions), [list(row) for row in references], list(inputs))
