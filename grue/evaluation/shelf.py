"""Scored texts put aside on disk, so that the few rows that are explained can be read again."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Mapping, Sequence

from grue.core.metric import Metric, Texts
from grue.core.text import Json
from grue.evaluation.chunks import Chunk, Key
from grue.evaluation.explaining import chosen, explain_rows
from grue.evaluation.scoring import TaskScores

SPOOL_BYTES = 32 * 2**20


class Shelf:
    """Portions of texts in a temporary file of this process; small runs never reach the disk."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(SPOOL_BYTES)  # noqa: SIM115 - as long-lived as the shelf
        self._places: list[tuple[int, list[Key]]] = []

    def put(self, chunk: Chunk) -> None:
        """Put a portion aside."""
        self._places.append((self._file.tell(), chunk.keys))
        texts = chunk.texts
        pickle.dump((texts.predictions, texts.references, texts.inputs), self._file)

    def explain(
        self, metrics: Mapping[str, Metric], scores: TaskScores, keys: Sequence[Key], primary: Sequence[str]
    ) -> list[dict[str, Json]]:
        """Explanations of the lowest and highest rows by the first primary metric that has row values.

        Stored are those of the primary metrics and of one metric of every other kind: BLEU-1 to 4 or the four ROUGEs
        show the same words four times over, and any of them can be asked for later.

        Args:
            metrics: The suite's metrics; those that explain do.
            scores: The task's values.
            keys: Order of the row values.
            primary: Names of the primary metrics.
        """
        by = next((name for name in (*primary, *scores.per_sample) if name in scores.per_sample), None)
        if by is None:
            return []
        wanted = {keys[index] for index in chosen(scores.per_sample[by])}
        found = sorted(self._take(wanted), key=lambda one: one[0])
        texts = Texts([one[1] for one in found], [one[2] for one in found], [one[3] for one in found])
        explained = [one[0] for one in found]
        place_of = {key: place for place, key in enumerate(keys)}
        places = [place_of[key] for key in explained]
        values = {name: column[places] for name, column in scores.per_sample.items()}
        return explain_rows(_different(metrics, primary), texts, explained, values)

    def close(self) -> None:
        """Drop the texts."""
        self._file.close()

    def _take(self, wanted: set[Key]) -> list[tuple[Key, str, Sequence[str], Mapping[str, Json]]]:
        taken = []
        for place, keys in self._places:
            if wanted.isdisjoint(keys):
                continue
            self._file.seek(place)
            columns = pickle.load(self._file)  # noqa: S301 - written above
            taken += [(key, *row) for key, *row in zip(keys, *columns, strict=True) if key in wanted]
        return taken


def _different(metrics: Mapping[str, Metric], primary: Sequence[str]) -> dict[str, Metric]:
    """The primary metrics, then the first of each kind that is not among them."""
    chosen = {name: metrics[name] for name in primary if name in metrics}
    for name, metric in metrics.items():
        if type(metric) not in map(type, chosen.values()):
            chosen[name] = metric
    return chosen
