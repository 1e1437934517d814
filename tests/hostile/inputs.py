"""Thousands of hostile uploads, the same for a seed: what strangers may send to a board, and more.

``hostile_inputs(5000)`` gives them one at a time, so that bombs are not all in memory; each is small as it is sent.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence

from tests.hostile.archives import archive
from tests.hostile.checkpoints import checkpoint
from tests.hostile.prediction_files import prediction_file
from tests.hostile.texts import text
from tests.hostile.value import Hostile, Rows

SEED = 20261121
ROWS: Rows = {"toy": tuple(f"r{number}" for number in range(8)), "tale": ("1", "2", "3")}
# Of ten inputs, so many of each kind.
_MIX = ("predictions", "run", "model", "predictions", "run", "text", "predictions", "model", "run", "predictions")


def hostile_inputs(
    count: int = 5_000, *, seed: int = SEED, rows: Rows = ROWS, kinds: Sequence[str] = ("predictions", "run", "model")
) -> Iterator[Hostile]:
    """Hostile uploads.

    Args:
        count: How many.
        seed: Another one gives others.
        rows: Task -> ids of the rows that the board asks for, so that some files are nearly right.
        kinds: Of ``predictions``, ``run``, ``model`` and ``text``, those wanted.
    """
    makers = {"predictions": prediction_file, "run": archive, "model": checkpoint, "text": text}
    mix = [kind for kind in _MIX if kind in kinds]
    turns = dict.fromkeys(kinds, 0)
    for number in range(count):
        kind = mix[number % len(mix)]
        yield makers[kind](random.Random(f"{seed}:{number}"), turns[kind], rows)
        turns[kind] += 1


def sound_predictions(rows: Mapping[str, Sequence[str]] = ROWS) -> bytes:
    """A prediction file with nothing wrong in it."""
    from tests.hostile.prediction_files import sound

    return sound(rows)
