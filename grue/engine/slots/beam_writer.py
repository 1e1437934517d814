"""Beam search: a prompt's beams share a place, finished prompts leave, and the search is the library's for each alone.

The rules are those of ``transformers`` generation (5.x) for a batch of one: the best ``(1 + end tokens) x beams``
continuations are looked at, those that end count only among the first ``beams`` of them, a finished text's score is its
sum of log-probabilities over its length to the power of the length penalty, and the search is over when no running beam
can do better by its present length (Wu et al. 2016, section 7, gives the penalty's idea).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grue.core.decoding import Decoding
from grue.engine.scores import NOT_NUMBERS, is_plain, processed
from grue.engine.slots.rows import Ended, Row
from grue.engine.slots.shelves import Shelf
from grue.engine.token_ids import TokenIds

# What the library counts a beam that is not running with.
NEVER = np.float32(-1e9)


@dataclass(slots=True, eq=False)
class BeamRow(Row):
    """A prompt's beams.

    Attributes:
        beams: Running texts, each in the lane that holds its keys and values.
        scores: Their summed log-probabilities, in the beams' order.
        finished: The best finished texts with their scores, the best first.
    """

    beams: list[list[int]] = field(default_factory=list)
    scores: list[np.float32] = field(default_factory=list)
    finished: list[tuple[np.float32, list[int]]] = field(default_factory=list)

    def next_ids(self) -> Sequence[int]:
        """The last token of each beam."""
        return [beam[-1] for beam in self.beams]


@dataclass(frozen=True, slots=True)
class _Candidate:
    score: np.float32
    beam: int
    token: int


class BeamWriter:
    """Searches for one text a row.

    Attributes:
        lanes: Beams.
    """

    def __init__(self, decoding: Decoding, tokens: TokenIds, start: tuple[int, ...], *, reads_prompt: bool) -> None:
        self.lanes = decoding.num_beams
        self._decoding, self._tokens, self._start = decoding, tokens, start
        self._reads_prompt = reads_prompt
        self._ends = frozenset(tokens.ends)
        self._plain = is_plain(decoding, tokens)
        self._looked_at = max(2, 1 + len(tokens.ends)) * decoding.num_beams

    def take(self, rows: Sequence[BeamRow], logits: Any) -> list[tuple[Row, Ended]]:
        """Take every row's beams a token further; the rows that are done."""
        for row in rows:
            if not row.beams:
                row.beams = [[] for _ in range(self.lanes)]
                row.scores = [np.float32(0), *[NEVER] * (self.lanes - 1)]
        done: list[tuple[Row, Ended]] = []
        moves: dict[Shelf, list[tuple[BeamRow, list[tuple[int, int]]]]] = {}
        now = time.perf_counter()
        for row, found in zip(rows, self._best(rows, logits), strict=True):
            seconds = now - row.started
            if found is None:
                done.append((row, Ended(row.prompt.index, row.draw, [], "", seconds, NOT_NUMBERS)))
            elif (parents := self._advance(row, found)) is None:
                ids = row.finished[0][1]
                reason = "stop" if ids[-1] in self._ends else "length"
                done.append((row, Ended(row.prompt.index, row.draw, ids, reason, seconds)))
            elif row.shelf is not None and parents:
                moves.setdefault(row.shelf, []).append((row, parents))
        for shelf, moved in moves.items():
            self._branch(shelf, moved)
        return done

    def _best(self, rows: Sequence[BeamRow], logits: Any) -> list[list[_Candidate] | None]:
        """Each row's best continuations, the best first; ``None`` where the model wrote what is no number."""
        import torch

        k = self.lanes
        if logits.shape[0] == len(rows):
            logits = logits.repeat_interleave(k, dim=0)
        scores = torch.log_softmax(logits.float(), dim=-1)
        if not self._plain:
            contexts = [self._context(row, beam) for row in rows for beam in row.beams]
            new = [len(beam) for row in rows for beam in row.beams]
            scores = processed(scores, self._decoding, self._tokens, contexts, new)
        running = torch.tensor(np.array([row.scores for row in rows], dtype=np.float32), device=scores.device)
        vocabulary = scores.shape[-1]
        total = (scores.view(len(rows), k, vocabulary) + running[:, :, None]).view(len(rows), -1)
        best = torch.topk(total, min(self._looked_at, total.shape[1]))
        values, places = best.values.cpu().numpy(), best.indices.cpu().numpy()
        return [
            None
            if not np.isfinite(values[row, 0])
            else [
                _Candidate(value, int(place) // vocabulary, int(place) % vocabulary)
                for value, place in zip(values[row], places[row], strict=True)
            ]
            for row in range(len(rows))
        ]

    def _advance(self, row: BeamRow, found: Sequence[_Candidate]) -> list[tuple[int, int]] | None:
        """Finish and go on with what was found.

        Returns:
            Beams whose keys and values others take over, (from, to); ``None`` at the end.
        """
        n = len(row.beams[0]) + 1
        is_last = n >= self._decoding.max_new_tokens
        penalty = np.float32(float(n) ** self._decoding.length_penalty)
        if not (self._decoding.early_stopping and len(row.finished) == self.lanes):
            for candidate in found[: self.lanes]:
                if is_last or candidate.token in self._ends:
                    text = [*row.beams[candidate.beam], candidate.token]
                    row.finished.append((candidate.score / penalty, text))
            # Stable: of equal scores the earlier one stays.
            row.finished.sort(key=lambda one: -one[0])
            del row.finished[self.lanes :]
        going = [candidate for candidate in found if candidate.token not in self._ends][: self.lanes]
        if is_last or len(going) < self.lanes:
            return None
        if len(row.finished) == self.lanes and (
            self._decoding.early_stopping or not going[0].score / penalty > row.finished[-1][0]
        ):
            return None
        lanes = _lanes(going)
        row.beams = [[*row.beams[candidate.beam], candidate.token] for candidate in lanes]
        row.scores = [candidate.score for candidate in lanes]
        # Before the first token all beams hold the same.
        return [(c.beam, lane) for lane, c in enumerate(lanes) if c.beam != lane] if n > 1 else []

    def _branch(self, shelf: Shelf, moved: Sequence[tuple[BeamRow, list[tuple[int, int]]]]) -> None:
        """Give beams the keys and values of those they come from; the prompt's are the same in all."""
        moves = [
            (row.slot * self.lanes + origin, row.slot * self.lanes + lane)
            for row, pairs in moved
            for origin, lane in pairs
        ]
        start = min(len(row.prompt.ids) for row, _ in moved) if self._reads_prompt else 0
        shelf.branch(moves, start, max(row.length for row, _ in moved))

    def _context(self, row: BeamRow, beam: Sequence[int]) -> Sequence[int]:
        return [*(row.prompt.ids if self._reads_prompt else ()), *self._start, *beam]


def _lanes(going: Sequence[_Candidate]) -> list[_Candidate]:
    """Candidates by lane: the best of a beam stays where it is, the others take lanes that nobody goes on from."""
    placed: dict[int, _Candidate] = {}
    others = []
    for candidate in going:
        if candidate.beam in placed:
            others.append(candidate)
        else:
            placed[candidate.beam] = candidate
    free = iter(others)
    return [placed[lane] if lane in placed else next(free) for lane in range(len(going))]
