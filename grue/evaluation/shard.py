"""``--shard i/n``: which rows belong to a part of a run, and a stand-in for scoring, which waits for ``grue merge``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence

from grue.core.errors import UsageError
from grue.core.rows import Generation, Row
from grue.core.run import Shard
from grue.evaluation.task_scoring import Recipe, Scored
from grue.evaluation.yardsticks import Yardstick

_SALT = "grue-shard-1:"
_FORM = re.compile(r"([0-9]{1,6})/([0-9]{1,6})")


def parse_shard(text: str, command: Sequence[str] = ()) -> Shard:
    """Read ``i/n``, parts counted from 1.

    Args:
        text: What the user wrote.
        command: The command line that it stands in, without the program's name.

    Raises:
        UsageError: where it is not of that form, or there is no such part.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"--shard: {text!r} is not of the form i/n.", "For example --shard 1/4, 2/4, 3/4 and 4/4.")
    number, of = int(found[1]), int(found[2])
    if not 1 <= number <= of:
        raise UsageError(
            f"--shard {text}: there is no part {number} of {of}.", f"Parts are counted from 1: 1/{of} to {of}/{of}."
        )
    return Shard(number=number, of=of, command=tuple(command))


def rows_of(tasks: Mapping[str, Sequence[Row]], shard: Shard) -> dict[str, tuple[Row, ...]]:
    """The rows of a part, by task, in their order; every row is in exactly one part.

    Task by task, rows are ordered by length of prompt, then by a hash of their id, and dealt out like cards, forth
    and back: parts differ by one row at most, and hold about as many rows and characters of each task. Which part a
    row is in depends on the rows of the run and on nothing else.

    Args:
        tasks: All rows of the run, by task.
        shard: The part.
    """
    cards = sorted((task, -len(row.prompt), _rank(row.id), row.id) for task in tasks for row in tasks[task])
    chosen: set[tuple[str, str]] = set()
    for start in range(0, len(cards), 2 * shard.of):
        hand = cards[start : start + 2 * shard.of]
        for place in (shard.number - 1, 2 * shard.of - shard.number):
            if place < len(hand):
                task, *_, row_id = hand[place]
                chosen.add((task, row_id))
    return {task: tuple(row for row in rows if (task, row.id) in chosen) for task, rows in tasks.items()}


class Unscored:
    """In the place of the scoring process of a part: the values of some rows are not those of the run."""

    def __init__(self, shard: Shard) -> None:
        self._reason = f"{shard} holds a part of the rows; 'grue merge' joins the parts and scores them"

    def begin(self, ticket: str, recipe: Recipe) -> None:
        """Nothing."""

    def measure(self, ticket: str, yardsticks: Iterable[Yardstick]) -> None:
        """Nothing."""

    def add(self, ticket: str, generations: Sequence[Generation], rows: Mapping[str, Row]) -> None:
        """Nothing."""

    def end(self, ticket: str) -> None:
        """Nothing."""

    def answer(self, ticket: str, *, wait: bool) -> Scored:  # noqa: ARG002 - as the scoring process's
        """No values, and why."""
        return Scored(ticket, error=self._reason)

    def stop(self) -> None:
        """Nothing."""


def _rank(row_id: str) -> str:
    return hashlib.sha256((_SALT + row_id).encode()).hexdigest()
