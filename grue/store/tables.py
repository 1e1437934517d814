"""Rows into the tables, and out of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, insert, select

from grue.store.models import AskedModel, Base, ResultModel, RunModel, SuiteModel
from grue.store.rows import RunRows, Values


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
