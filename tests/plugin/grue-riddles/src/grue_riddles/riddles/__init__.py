"""Riddles: answer in a word or two."""

from collections.abc import Iterable, Iterator

from grue.core.decoding import Decoding
from grue.core.record import Record
from grue.core.rows import Row
from grue.core.task import MetricSpec, Quirk, Suite, Task, Truncation
from grue.core.text import content_id


def rows(records: Iterable[Record]) -> Iterator[Row]:
    """One row a riddle."""
    for record in records:
        riddle = record.string("riddle")
        yield Row(
            id=content_id({"riddle": riddle}),
            prompt=f"Riddle: {riddle} Answer:",
            references=record.strings("answers"),
            inputs={"source": riddle},
        )


def suite(quirks: frozenset[str]) -> Suite:
    """The suite with the given quirks active."""
    return Suite(
        rows=rows,
        truncation=Truncation("left", 64),
        decoding=Decoding(max_new_tokens=8, num_beams=2 if "beams" in quirks else 1),
        metrics=(MetricSpec("exact_match"), MetricSpec("f1"), MetricSpec("mean_length")),
        primary=("exact_match", "f1"),
        postprocess=str.strip,
    )


TASK = Task(
    name="riddles",
    version=3,
    title="Riddles",
    summary="Answer a riddle in a word or two.",
    suite=suite,
    package=__name__,
    quirks=(Quirk("beams", "Two beams instead of greedy decoding."),),
    repeated_ids="number",
    licence="CC0-1.0",
    shows_texts=True,
    citation="None.",
)
