"""Records as rows of the tables, and back; plain values that travel between processes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import Any, TypeAlias

from grue.core.run import ScoreValue
from grue.core.text import canonical_json, sha256_text
from grue.store.records import Asked, ResultRecord, RunRecord
from grue.store.suites import Suite, pack

Values: TypeAlias = "dict[str, Any]"
_SCORES = ("grue", "naturalness")
_PLAIN = tuple(field.name for field in fields(RunRecord) if field.name not in (*_SCORES, "results"))
_COUNTS = ("status", "error", "expected", "scored", "failed")


@dataclass(frozen=True, slots=True)
class RunRows:
    """A run as rows: column -> value.

    Attributes:
        run: Of ``runs``.
        results: Of ``results``, in the run's order of tasks.
        asked: Of ``asked``, by id.
        suites: Of ``suites``: text by id.
    """

    run: Values
    results: tuple[Values, ...]
    asked: Mapping[str, Values]
    suites: Mapping[str, str]

    @property
    def run_id(self) -> str:
        """The run's id."""
        return str(self.run["run_id"])


def rows_of(record: RunRecord) -> RunRows:
    """The rows of a record."""
    run: Values = {name: getattr(record, name) for name in _PLAIN}
    run |= {**_score_values("grue", record.grue), **_score_values("naturalness", record.naturalness)}
    results: list[Values] = []
    asked: dict[str, Values] = {}
    suites: dict[str, str] = {}
    for position, result in enumerate(record.results.values()):
        values = dict(_asked_values(result.asked))
        text, suite = Suite.of(result.metrics, result.rewards).to_text()
        asked[values["asked_id"]] = values
        suites[suite] = text
        keys = {"run_id": record.run_id, "task": result.asked.task, "position": position}
        shared = {"asked_id": values["asked_id"], "suite_id": suite}
        results.append({**keys, **shared, **_result_values(result)})
    return RunRows(run, tuple(results), asked, suites)


def record_from(rows: RunRows) -> RunRecord:
    """The record that rows were made of."""
    plain: Values = {name: rows.run[name] for name in _PLAIN}
    scores: Values = {name: score_from(rows.run, name) for name in _SCORES}
    results = {values["task"]: _result_from(values, rows) for values in rows.results}
    return RunRecord(**plain, **scores, results=results)


def asked_from(values: Mapping[str, Any]) -> Asked:
    """What was asked, from its row."""
    plain = {name: values[name] for name in Asked.__slots__ if name not in ("limit", "primary")}
    return Asked(**plain, limit=values["row_limit"], primary=tuple(json.loads(values["primary_metrics"])))


def score_from(values: Mapping[str, Any], name: str) -> ScoreValue:
    """A score from its four columns."""
    low, high = values[f"{name}_low"], values[f"{name}_high"]
    bounds = None if low is None or high is None else (low, high)
    return ScoreValue(values[name], bounds, values[f"{name}_reason"])


@lru_cache(maxsize=1024)  # most runs ask the same
def _asked_values(asked: Asked) -> Values:
    values = asdict(asked)
    asked_id = sha256_text(canonical_json(values))[:32]
    primary = json.dumps(values.pop("primary"))
    return {**values, "asked_id": asked_id, "row_limit": values.pop("limit"), "primary_metrics": primary}


def _result_values(result: ResultRecord) -> Values:
    return {
        "numbers": pack(result.metrics, result.rewards),
        **{name: getattr(result, name) for name in _COUNTS},
        **_score_values("quality", result.quality),
        **_score_values("naturalness", result.naturalness),
    }


def _result_from(values: Values, rows: RunRows) -> ResultRecord:
    metrics, rewards = Suite.from_text(rows.suites[values["suite_id"]]).values(values["numbers"])
    counts: Values = {name: values[name] for name in _COUNTS}
    return ResultRecord(
        asked=asked_from(rows.asked[values["asked_id"]]),
        **counts,
        metrics=metrics,
        rewards=rewards,
        quality=score_from(values, "quality"),
        naturalness=score_from(values, "naturalness"),
    )


def _score_values(name: str, score: ScoreValue) -> Values:
    low, high = score.ci95 or (None, None)
    return {name: score.value, f"{name}_low": low, f"{name}_high": high, f"{name}_reason": score.reason}
