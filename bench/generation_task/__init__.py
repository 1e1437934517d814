"""The speed bench's prompts as a task: what stands in the data folder is given to the model whole.

Out of tree on purpose: `grue --include bench/generation_task eval …` is the door that users' own tasks take.
"""

from collections.abc import Iterable, Iterator

from grue.core.decoding import Decoding
from grue.core.record import Record
from grue.core.rows import Row
from grue.core.task import MetricSpec, Suite, Task, Truncation

# Longer than any prompt of the workload: nothing is cut, and the bench checks that.
LONGEST_PROMPT_TOKENS = 1_000_000


def rows(records: Iterable[Record]) -> Iterator[Row]:
    """One row a prompt, in file order."""
    for record in records:
        yield Row(id=record.string("id"), prompt=record.string("prompt"), references=(record.string("reference"),))


def suite(_quirks: frozenset[str]) -> Suite:
    """Greedy decoding; the bench gives lengths, beams and sampling by `-g`."""
    return Suite(
        rows=rows,
        truncation=Truncation("right", LONGEST_PROMPT_TOKENS),
        decoding=Decoding(max_new_tokens=128),
        metrics=(MetricSpec("mean_length"),),
        primary=("mean_length",),
    )


TASK = Task(
    name="generation_task",
    version=1,
    title="Prompts of the speed bench",
    summary="Prompts of log-normal length in an invented language.",
    suite=suite,
    package=__name__,
    licence="Apache-2.0",
    shows_texts=True,
    citation="None.",
)
