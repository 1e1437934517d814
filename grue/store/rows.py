"""Records as rows of the tables, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from typing import Any, TypeAlias

from sqlalchemy import Connection, insert, select

from grue.core.run import ScoreValue
from grue.core.text import canonical_json, sha256_text
from grue.store.models import AskedModel, Base, ResultModel, RunModel, SuiteModel
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


@dataclass(slots=True)
class RowWriter:
    """Inserts runs, many at a time; what results share is inserted once."""

    connection: Connection
    known: set[str] = field(default_factory=set)

    @classmethod
    def on(cls, connection: Connection) -> RowWriter:
        """A writer that knows what is there already."""
        columns = (AskedModel.asked_id, SuiteModel.suite_id)
        return cls(connection, {found for column in columns for found in connection.execute(select(column)).scalars()})

    def insert(self, found: Sequence[RunRows]) -> None:
        """Insert runs that are not there yet."""
        asked = {key: values for rows in found for key, values in rows.asked.items() if key not in self.known}
        suites = {key: text for rows in found for key, text in rows.suites.items() if key not in self.known}
        self.known |= asked.keys() | suites.keys()
        tables: list[tuple[type[Base], list[Values]]] = [
            (RunModel, [rows.run for rows in found]),
            (AskedModel, list(asked.values())),
            (SuiteModel, [{"suite_id": key, "metrics": text} for key, text in suites.items()]),
            (ResultModel, [values for rows in found for values in rows.results]),
        ]
        for model, values in tables:
            if values:
                self.connection.execute(insert(model), values)


def read_rows(connection: Connection, run_ids: Iterable[str]) -> dict[str, RunRows]:
    """Rows of some runs of the index, by id; ids that are not there are passed over."""
    wanted = list(run_ids)
    runs = connection.execute(select(RunModel.__table__).where(RunModel.run_id.in_(wanted))).mappings()
    order = (ResultModel.run_id, ResultModel.position)
    results: dict[str, list[Values]] = {}
    for row in connection.execute(
        select(ResultModel.__table__).where(ResultModel.run_id.in_(wanted)).order_by(*order)
    ).mappings():
        results.setdefault(row["run_id"], []).append(dict(row))
    of_all = [values for found in results.values() for values in found]
    asked = read_asked(connection, {values["asked_id"] for values in of_all})
    suites = read_suites(connection, {values["suite_id"] for values in of_all})
    found = {}
    for run in runs:
        own = results.get(run["run_id"], [])
        found[run["run_id"]] = RunRows(
            dict(run),
            tuple(own),
            {values["asked_id"]: asked[values["asked_id"]] for values in own},
            {values["suite_id"]: suites[values["suite_id"]] for values in own},
        )
    return found


def read_asked(connection: Connection, wanted: Iterable[str]) -> dict[str, Values]:
    """Rows of ``asked`` by id."""
    table = AskedModel.__table__
    rows = connection.execute(select(table).where(AskedModel.asked_id.in_(list(wanted)))).mappings()
    return {row["asked_id"]: dict(row) for row in rows}


def read_suites(connection: Connection, wanted: Iterable[str]) -> dict[str, str]:
    """Texts of suites by id."""
    columns = select(SuiteModel.suite_id, SuiteModel.metrics)
    rows = connection.execute(columns.where(SuiteModel.suite_id.in_(list(wanted))))
    return {row.suite_id: row.metrics for row in rows}


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
