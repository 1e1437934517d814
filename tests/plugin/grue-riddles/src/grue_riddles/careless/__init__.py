"""A task that reads a column without a check: building its second row raises an error of Python's own."""

from collections.abc import Iterable, Iterator

from grue.core.decoding import Decoding
from grue.core.record import Record
from grue.core.rows import Row
from grue.core.task import MetricSpec, Suite, Task, Truncation


def rows(records: Iterable[Record]) -> Iterator[Row]:
    """One row a riddle."""
    for record in records:
        yield Row(
            id=record.string("riddle"),
            prompt=record.string("riddle"),
            references=(record.columns["answers"][0],),
        )


def suite(quirks: frozenset[str]) -> Suite:
    """The suite; the task has no quirks."""
    return Suite(
        rows=rows,
        truncation=Truncation("left", 64),
        decoding=Decoding(max_new_tokens=8),
        metrics=(MetricSpec("f1"),),
        primary=("f1",),
    )


TASK = Task(
    name="riddles_careless",
    version=1,
    title="Careless riddles",
    summary="Answer a riddle, if its row can be built.",
    suite=suite,
    package=__name__,
    licence="CC0-1.0",
    citation="None.",
)
