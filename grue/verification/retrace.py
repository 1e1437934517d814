"""Could a checkpoint have written a stored text? It is followed token by token, with what rounding allows.

Two honest machines, or one that decodes other rows beside a row, add in another order; where two tokens are about as
likely, the last bits decide. So a text that differs from the one generated here is read by the model from its start:
at each place the token it goes on with has to be the model's own choice given what stands before, or one that the
model puts within rounding of it. A text that was edited, or written by another model, soon has a token that is
neither.

Greedy: a token is within rounding whose score is less than ``ROUNDING`` times the spread of the scores (largest less
mean) below the largest. Sampling: the run's own random number chooses by the inverse distribution function, and
rounding moves the borders between tokens; its size there follows from that of the scores, each taken as independent.
Beam search keeps several texts and has no such rule by token: two texts are taken as equally good where their
log-probabilities a token differ by less than ``BEAM_ROUNDING``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grue.core.rows import Row
from grue.engine.hf import HFEngine
from grue.engine.protocol import Job
from grue.engine.sampling import RowRandom
from grue.engine.scores import processed, warped
from grue.engine.steppers import start_causal, start_seq2seq
from grue.engine.stops import cut_at_stop

# Error of a score by number type, as a share of the scores' spread; of a log-probability a token.
ROUNDING = {"float32": 1e-4, "bfloat16": 0.03, "float16": 0.005}
BEAM_ROUNDING = {"float32": 1e-3, "bfloat16": 0.05, "float16": 0.01}
MOST_CHOICES = 64
# Ways along one text that are tried.
MOST_PATHS = 32
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class Trace:
    """How far a text can be followed.

    Attributes:
        position: 0-based number of the first new token that the model would not have written; ``None`` where it
            could have written all.
        ties: Tokens on the way that are within rounding of the model's choice.
        wrote: What the model writes at ``position``, as text.
        found: What the stored text has there.
    """

    position: int | None
    ties: int
    wrote: str = ""
    found: str = ""


class Retracer:
    """Follows stored texts through one loaded checkpoint.

    Args:
        engine: Its weights are loaded.
        job: How the run decoded.
    """

    def __init__(self, engine: HFEngine, job: Job) -> None:
        self._engine, self._job = engine, job
        self._rounding = ROUNDING.get(engine.dtype, ROUNDING["bfloat16"])
        self._ends = frozenset(engine.tokens.ends)

    def follow(self, row: Row, sample: int, text: str, finish_reason: str | None) -> Trace:
        """Follow a greedy or sampled text, as it was before post-processing.

        Where several tokens within rounding go on with the text (``I`` and ``It``), each is tried.
        """
        prompt = list(self._engine.encode([row], self._job)[0].prompt.ids)
        paths: list[list[int]] = [[]]
        furthest = Trace(-1, 0)
        for _ in range(MOST_PATHS):
            trace, others = self._walk(row, sample, prompt, paths.pop(), text, finish_reason)
            if trace.position is None:
                return trace
            furthest = max(furthest, trace, key=lambda one: one.position or 0)
            paths += others
            if not paths:
                break
        return furthest

    def _walk(
        self, row: Row, sample: int, prompt: list[int], known: Sequence[int], text: str, finish_reason: str | None
    ) -> tuple[Trace, list[list[int]]]:
        """One way along the text, its first tokens given; and the ways that part from it later."""
        import torch

        decoding, tokens, engine = self._job.decoding, self._engine.tokens, self._engine
        random = RowRandom(self._job.seed, row.id, sample) if decoding.do_sample else None
        ids: list[int] = []
        ties = 0
        others: list[list[int]] = []
        with torch.inference_mode():
            stepper = self._start(prompt)
            context = [int(tokens.decoder_start or 0)] if engine.checkpoint.is_encoder_decoder else list(prompt)
            for step in range(decoding.max_new_tokens):
                scores = processed(stepper.logits().clone(), decoding, tokens, [context], [step])
                choices = self._greedy(scores[0]) if random is None else self._drawn(scores, random.uniform())
                if step < len(known):
                    token = known[step]
                else:
                    fitting = [one for one in choices if self._goes_on([*ids, one], text, finish_reason)]
                    if not fitting:
                        return self._stopped(ids, choices[0], ties, text), others
                    token = fitting[0]
                    others += [[*ids, one] for one in reversed(fitting[1:])]
                ties += token != choices[0]
                ids.append(token)
                context.append(token)
                if self._is_end(ids):
                    break
                stepper.step(torch.tensor([token], device=scores.device))
        return Trace(None, ties), others

    def score(self, row: Row, text: str, finish_reason: str | None) -> float:
        """Log-probability a token of a text, its tokens as the tokenizer splits it."""
        import torch

        engine = self._engine
        prompt = list(engine.encode([row], self._job)[0].prompt.ids)
        ids = tokens_of(engine, text)
        if finish_reason == "stop" and engine.tokens.ends and not self._job.decoding.stop:
            ids = [*ids, engine.tokens.ends[0]]
        if not ids:
            return 0.0
        total = 0.0
        with torch.inference_mode():
            stepper = self._start(prompt, len(ids))
            for place, token in enumerate(ids):
                total += float(torch.log_softmax(stepper.logits().float(), dim=-1)[0, token])
                if place + 1 < len(ids):
                    stepper.step(torch.tensor([token], device=stepper.logits().device))
        return total / len(ids)

    @property
    def beam_rounding(self) -> float:
        """Most by which log-probabilities a token of two texts may differ that a beam search may swap."""
        return BEAM_ROUNDING.get(self._engine.dtype, BEAM_ROUNDING["bfloat16"])

    def _start(self, prompt: Sequence[int], n_new: int | None = None) -> Any:
        start = start_seq2seq if self._engine.checkpoint.is_encoder_decoder else start_causal
        new = n_new or self._job.decoding.max_new_tokens
        return start(self._engine.model, [prompt], self._engine.tokens, new)

    def _greedy(self, scores: Any) -> list[int]:
        """The largest score's token and those within rounding of it, best first."""
        margin = self._rounding * _spread(scores)
        values, order = scores.topk(min(MOST_CHOICES, len(scores)))
        kept = int((values >= values[0] - margin).sum())
        return [int(token) for token in order[: max(1, kept)]]

    def _drawn(self, scores: Any, uniform: float) -> list[int]:
        """The drawn token and those that the same number would draw if rounding moved the borders, nearest first."""
        import torch

        margin = self._rounding * _spread(scores[0])
        chances = torch.softmax(warped(scores, self._job.decoding)[0].double().cpu(), dim=-1)
        cumulative = chances.cumsum(dim=0)
        wanted = uniform * float(cumulative[-1])
        chosen = min(int(torch.searchsorted(cumulative, torch.tensor(wanted).double(), right=True)), len(chances) - 1)
        below = float(cumulative[chosen]) / float(cumulative[-1])
        squares = chances.square()
        before, after = float(squares[: chosen + 1].sum()), float(squares[chosen + 1 :].sum())
        moved = margin * ((1 - below) ** 2 * before + below**2 * after) ** 0.5
        if self._job.decoding.top_k or self._job.decoding.top_p < 1:
            # Which token is the last that is kept may be as close.
            moved += float(chances[chances > 0].min()) if self._rounding > ROUNDING["float32"] else 0.0
        low, high = (
            min(int(torch.searchsorted(cumulative, torch.tensor(at).double(), right=True)), len(chances) - 1)
            for at in (max(0.0, wanted - moved), wanted + moved)
        )
        around = [token for token in range(low, high + 1) if token != chosen and float(chances[token]) > 0]
        around.sort(key=lambda token: abs(token - chosen))
        return [chosen, *around[: MOST_CHOICES - 1]]

    def _goes_on(self, ids: Sequence[int], text: str, finish_reason: str | None) -> bool:
        """Whether these tokens are the beginning of the stored text, or all of it where they end it."""
        stop = self._job.decoding.stop
        written = self._engine.reader.decode(ids)
        if self._is_end(ids):
            cut = cut_at_stop(written, stop)
            ended = "stop" if cut is not None or ids[-1] in self._ends else "length"
            return (written if cut is None else cut) == text and finish_reason in (None, ended)
        known = written.rstrip(REPLACEMENT)
        return text.startswith(known) or any(f"{text}{mark}".startswith(known) for mark in stop)

    def _is_end(self, ids: Sequence[int]) -> bool:
        decoding = self._job.decoding
        if ids[-1] in self._ends or len(ids) >= decoding.max_new_tokens:
            return True
        return bool(decoding.stop) and cut_at_stop(self._engine.reader.decode(ids), decoding.stop) is not None

    def _stopped(self, ids: Sequence[int], choice: int, ties: int, text: str) -> Trace:
        before = self._engine.reader.decode(ids)
        wrote = self._engine.reader.decode([*ids, choice])[len(before) :]
        found = text[len(before.rstrip(REPLACEMENT)) :]
        end = "the end of the text"
        return Trace(len(ids), ties, end if choice in self._ends else repr(wrote), repr(found[:30]) if found else end)


def tokens_of(engine: HFEngine, text: str) -> list[int]:
    """Token ids of a text, as the tokenizer splits it, without specials."""
    return [int(token) for token in engine.reader.tokenizer(text, add_special_tokens=False)["input_ids"]]


def _spread(scores: Any) -> float:
    """Largest less mean of the scores that are numbers."""
    finite = scores[scores.isfinite()]
    return float(finite.max() - finite.mean()) if len(finite) else 0.0
