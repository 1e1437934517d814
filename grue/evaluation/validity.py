"""The validity report: whether a task's numbers rest on outputs that a reader would accept.

It counts degenerate outputs (``grue.evaluation.degenerate``) beside the same counts among the rows' references, and
correlates row values (``grue.evaluation.agreement``). What it says is a reason to look, not a verdict: a severity
``warning`` means that an effect is both large and beyond chance, ``notice`` that it is beyond chance.

A kind of output is judged by its share minus that among the first references of the same rows: a notice from half a
per cent, a warning from five, both only where the lower end of the share's 95 % Wilson interval lies above the
references' share. Outputs that the token limit ends are at most a notice while they are no longer than the references:
then the limit is the task's, not the model's doing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from grue.core.metric import Floats, MetricValue
from grue.core.rows import Generation, Row
from grue.core.run import TaskScore
from grue.evaluation.agreement import (
    HIGH_REWARD,
    MOST_EXAMPLES,
    Measured,
    agreement,
    family_of,
    length_bias,
    single_metric,
)
from grue.evaluation.degenerate import MEANINGS, Asked, Written, frame_of, kinds_of, shared_frames, words_of
from grue.evaluation.language import is_known
from grue.rewards import REWARDS
from grue.runs.validity import FINE, NOTICE, WARNING, Agreement, LengthBias, Share, TaskValidity

REWARD = "reward "
NOTICE_SHARE, WARNING_SHARE = 0.005, 0.05
LEAST_WARNED = 2
_Z2 = 1.959963984540054**2


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSamples:
    """A task's texts and values, one place a generation.

    Attributes:
        language: Of the task, as a BCP 47 tag.
        ids: Row of each place.
        predictions: What is scored.
        references: References of its row; empty where withheld.
        asked: Input of its row.
        finish_reasons: ``stop``, ``length`` or ``None`` where no model ran.
        values: The task's metrics.
        rewards: The task's rewards.
        columns: Metric -> shape (n,), NaN where not defined.
        reward_columns: Reward -> shape (n,), likewise.
        primary: Names of the primary metrics.
        score: Floor, ceiling and null systems of the task.
    """

    language: str
    ids: Sequence[str]
    predictions: Sequence[str]
    references: Sequence[Sequence[str]]
    asked: Sequence[Asked]
    finish_reasons: Sequence[str | None]
    values: Mapping[str, MetricValue] = field(default_factory=dict)
    rewards: Mapping[str, MetricValue] = field(default_factory=dict)
    columns: Mapping[str, Floats] = field(default_factory=dict)
    reward_columns: Mapping[str, Floats] = field(default_factory=dict)
    primary: Sequence[str] = ()
    score: TaskScore = field(default_factory=TaskScore)

    @classmethod
    def of(
        cls,
        rows: Mapping[str, Row],
        generations: Sequence[Generation],
        *,
        language: str,
        values: Mapping[str, MetricValue],
        rewards: Mapping[str, MetricValue],
        columns: Mapping[str, Floats],
        reward_columns: Mapping[str, Floats],
        primary: Sequence[str],
        score: TaskScore,
    ) -> TaskSamples:
        """From what a run holds when a task is scored; columns stand in the order of the generations."""
        asked = {row_id: Asked.of(row.prompt, row.inputs) for row_id, row in rows.items()}
        return cls(
            language=language,
            ids=[one.id for one in generations],
            predictions=[one.prediction for one in generations],
            references=[rows[one.id].references for one in generations],
            asked=[asked[one.id] for one in generations],
            finish_reasons=[one.finish_reason for one in generations],
            values=values,
            rewards=rewards,
            columns=columns,
            reward_columns=reward_columns,
            primary=primary,
            score=score,
        )


def task_validity(samples: TaskSamples) -> TaskValidity:
    """The report of one task; a pure function of its texts and values."""
    words = [len(words_of(text)) for text in samples.predictions]
    reference_words = [
        sum(len(words_of(one)) for one in texts) / len(texts) if texts else math.nan for texts in samples.references
    ]
    degenerate = _degenerate(samples, words, reference_words)
    metrics, rewards = _measured(samples)
    bias = {one.name: _length_bias(one, words, reference_words) for one in (*metrics, *rewards)}
    primary = [one for one in metrics if one.name in samples.primary]
    found = {one.name: agreement(one, metrics, _high(one, samples)) for one in (*rewards, *primary)}
    agreed = {name: one for name, one in found.items() if one is not None}
    single = {one.name: share for one in metrics if (share := single_metric(one, metrics, samples.ids)) is not None}
    return TaskValidity(
        n=len(samples.ids),
        language=samples.language,
        degenerate=degenerate,
        length_bias=bias,
        agreement=agreed,
        single_metric=single,
        findings=_findings(degenerate, bias, agreed, single),
    )


def _degenerate(samples: TaskSamples, words: Sequence[int], reference_words: Sequence[float]) -> dict[str, Share]:
    hits: dict[str, list[int]] = {kind: [] for kind in MEANINGS}
    expected = dict.fromkeys(MEANINGS, 0)
    with_reference = 0
    frames = [frame_of(text, asked) for text, asked in zip(samples.predictions, samples.asked, strict=True)]
    shared = shared_frames(frames, samples.ids)
    given = [place for place, texts in enumerate(samples.references) if texts]
    usual_frames = {place: frame_of(samples.references[place][0], samples.asked[place]) for place in given}
    usual = shared_frames(list(usual_frames.values()), [samples.ids[place] for place in given])
    for place, text in enumerate(samples.predictions):
        references, asked = samples.references[place], samples.asked[place]
        kinds = kinds_of(Written(text, samples.finish_reasons[place]), asked, references, samples.language)
        for kind in (*kinds, *(["same_text"] if frames[place] in shared else [])):
            hits[kind].append(place)
        if references:
            with_reference += 1
            kinds = kinds_of(Written(references[0]), asked, references, samples.language)
            for kind in (*kinds, *(["same_text"] if usual_frames[place] in usual else [])):
                expected[kind] += 1
    found = {}
    for kind, places in hits.items():
        baseline = expected[kind] / with_reference if with_reference else None
        found[kind] = _share(places, samples.ids, baseline, MEANINGS[kind])
    found["cut"] = _by_the_task(found["cut"], hits["cut"], words, reference_words)
    if not is_known(samples.language):
        found["wrong_language"] = Share(
            count=0,
            share=0.0,
            severity=FINE,
            meaning=MEANINGS["wrong_language"],
            reason=f"not looked for: no profile of the language {samples.language!r}",
        )
    return found


def _share(places: Sequence[int], ids: Sequence[str], baseline: float | None, meaning: str) -> Share:
    n, count = len(ids), len(places)
    share = count / n if n else 0.0
    excess = share - (baseline or 0.0)
    severity = FINE
    if n and count and _wilson_low(count, n) > (baseline or 0.0):
        if excess >= WARNING_SHARE and count >= LEAST_WARNED:
            severity = WARNING
        elif excess >= NOTICE_SHARE:
            severity = NOTICE
    return Share(
        count=count,
        share=share,
        severity=severity,
        meaning=meaning,
        examples=tuple(dict.fromkeys(ids[place] for place in places))[:MOST_EXAMPLES],
        references_share=baseline,
    )


def _by_the_task(share: Share, places: Sequence[int], words: Sequence[int], reference_words: Sequence[float]) -> Share:
    """A limit that ends texts no longer than the references is no fault of the model."""
    known = [place for place in places if not math.isnan(reference_words[place])]
    if share.severity != WARNING or not known:
        return share
    longer = sum(words[place] > reference_words[place] for place in known)
    if 2 * longer > len(known):
        return share
    return Share(
        count=share.count,
        share=share.share,
        severity=NOTICE,
        meaning=share.meaning,
        examples=share.examples,
        references_share=share.references_share,
        reason="most are no longer than their references: the limit is the task's",
    )


def _wilson_low(count: int, n: int) -> float:
    share = count / n
    centre = share + _Z2 / (2 * n)
    side = math.sqrt(_Z2 * (share * (1 - share) / n + _Z2 / (4 * n * n)))
    return (centre - side) / (1 + _Z2 / n)


def _measured(samples: TaskSamples) -> tuple[list[Measured], list[Measured]]:
    """Metrics that have row values and a direction, and rewards."""
    metrics = []
    for name, column in samples.columns.items():
        value = samples.values.get(name)
        if value is not None and value.higher_is_better is not None:
            turned = column if value.higher_is_better else -column
            metrics.append(Measured(name=name, values=turned, families=frozenset({family_of(name)})))
    rewards = [
        Measured(name=REWARD + name, values=column, families=_families(name))
        for name, column in samples.reward_columns.items()
    ]
    return metrics, rewards


def _families(reward: str) -> frozenset[str]:
    known = [entry for name, entry in REWARDS.items() if name in reward]
    families = {family_of(metric) for entry in known for metric in entry.metrics}
    return frozenset(families or {family_of(reward)})


def _length_bias(one: Measured, words: Sequence[int], reference_words: Sequence[float]) -> LengthBias:
    lengths, given = np.array(words, dtype=np.float64), np.array(reference_words, dtype=np.float64)
    return length_bias(one, lengths, None if np.isnan(given).all() else given)


def _high(one: Measured, samples: TaskSamples) -> str:
    """Whether a value is as high as people's texts while independent primary metrics are at a null system's level."""
    if one.name.startswith(REWARD):
        value = samples.rewards.get(one.name.removeprefix(REWARD))
        is_high = bool(value and value.value is not None and value.scale and value.value >= HIGH_REWARD * value.scale)
        level = f"{100 * HIGH_REWARD:.0f} % of its highest value"
    else:
        value, ceiling = samples.values.get(one.name), samples.score.ceiling.get(one.name)
        sign = -1 if value and value.higher_is_better is False else 1
        is_high = bool(
            value and value.value is not None and ceiling is not None and (value.value - ceiling) * sign >= 0
        )
        level = "the references' level"
    if not is_high:
        return ""
    independent = [name for name in samples.primary if name != one.name and family_of(name) not in one.families]
    low = [name for name in independent if _is_at_null_level(name, samples)]
    if not independent or len(low) < len(independent):
        return ""
    return f"{one.name} is at {level} or above, while {', '.join(low)} is at the level of the null systems"


def _is_at_null_level(name: str, samples: TaskSamples) -> bool:
    """Whether a metric puts a run where the null systems are.

    A metric that puts a null system near people's texts (coverage, where the input is copied) cannot tell.
    """
    value, floor, ceiling = samples.values.get(name), samples.score.floor.get(name), samples.score.ceiling.get(name)
    nulls = [one for system in samples.score.null_systems.values() if (one := system.get(name)) is not None]
    if value is None or value.value is None or not nulls or floor is None or ceiling is None:
        return False
    sign = -1 if value.higher_is_better is False else 1
    best = max(sign * one for one in nulls)
    if best > sign * (floor + ceiling) / 2:
        return False
    return sign * value.value <= best


_WORDS = {
    "empty": "are empty",
    "copied": "copy the input",
    "repeated": "go in circles",
    "cut": "stop at the token limit",
    "prompt_echoed": "echo the prompt or only list what they should use",
    "wrong_language": "are in another language",
    "refusal": "read like a refusal",
    "same_text": "are one text for many rows",
}


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _findings(
    degenerate: Mapping[str, Share],
    bias: Mapping[str, LengthBias],
    agreed: Mapping[str, Agreement],
    single: Mapping[str, Share],
) -> tuple[tuple[str, str], ...]:
    found = []
    for kind, share in degenerate.items():
        beside = f" (references: {_percent(share.references_share)})" if share.references_share is not None else ""
        reason = f"; {share.reason}" if share.reason else ""
        found.append((share.severity, f"{_percent(share.share)} of outputs {_WORDS[kind]}{beside}{reason}"))
    for name, one in bias.items():
        judged = one.given_references or one.with_length
        if judged.rho is not None:
            way = "longer" if judged.rho > 0 else "shorter"
            found.append((one.severity, f"{name} rates {way} outputs higher (rank correlation {judged.rho:+.2f})"))
    found += [(one.severity, one.finding) for one in agreed.values() if one.finding]
    found += [
        (share.severity, f"{_percent(share.share)} of rows are {share.meaning}")
        for share in single.values()
        if share.count
    ]
    return tuple((severity, text) for wanted in (WARNING, NOTICE) for severity, text in found if severity == wanted)
