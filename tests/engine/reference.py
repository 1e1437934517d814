"""What the library's own ``generate`` writes for one prompt without padding, and how an engine's texts compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from transformers import GenerationConfig, LogitsProcessor

from grue.core.decoding import Decoding
from grue.core.rows import Generation, Row
from grue.core.task import Truncation
from grue.engine.hf import HFEngine
from grue.engine.protocol import Failure, Job, Portion, Request

# Two best scores nearer than this may change places by rounding.
TIE = 1e-4


@dataclass(frozen=True, slots=True)
class Text:
    """New tokens, the end token included."""

    ids: tuple[int, ...]
    text: str
    finish_reason: str


@dataclass(slots=True)
class Comparison:
    """How an engine's texts compare: what differs by more than a tie is ``wrong``."""

    rows: int = 0
    ties: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    lengths: set[int] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)

    def add(self, other: Comparison) -> None:
        """Count another one in."""
        self.rows += other.rows
        self.ties += other.ties
        self.wrong += other.wrong
        self.lengths |= other.lengths
        self.texts |= other.texts


class Alone:
    """Texts of one prompt alone, each asked of the library once."""

    def __init__(self, engine: HFEngine) -> None:
        self.engine = engine
        self.model = engine.model
        self._known: dict[tuple[Any, ...], Text] = {}

    def ids(self, prompt: str) -> list[int]:
        """The prompt's tokens; a decoder-only model is given its begin or end token where there is none."""
        ids: list[int] = list(self.engine.reader.tokenizer(prompt)["input_ids"])
        tokenizer = self.engine.reader.tokenizer
        return ids or [tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id]

    def text(self, prompt: str, decoding: Decoding) -> Text:
        """What is written for a prompt."""
        whole = replace(decoding, stop=())
        key = (prompt, whole, self.engine.tokens.ends)
        if key not in self._known:
            self._known[key] = self._text(self._generate(prompt, whole)[0])
        found = self._known[key]
        for n in range(1, len(found.ids) + 1 if decoding.stop else 0):
            text = self._decode(found.ids[:n])
            places = [text.index(mark) for mark in decoding.stop if mark in text]
            if places:
                return Text(found.ids[:n], text[: min(places)], "stop")
        return found

    def alternatives(self, prompt: str, decoding: Decoding) -> list[tuple[Text, float]]:
        """What would be written had rounding decided a tie the other way, each with the gap of the two scores."""
        whole = replace(decoding, stop=())
        found: list[tuple[Text, float]] = []
        if decoding.num_beams > 1:
            sequences, scores = self._generate(prompt, whole, returned=decoding.num_beams, with_scores=True)
            best = float(scores[0])
            return [
                (self._text(ids), best - float(score))
                for ids, score in zip(sequences[1:], scores[1:], strict=True)
                if best - float(score) < TIE
            ]
        pending: list[tuple[int, ...]] = [()]
        while pending and len(found) < 8:
            forced = pending.pop()
            [ids], scores = self._generate(prompt, whole, forced=forced, with_scores=True)
            for step in range(len(forced), len(scores)):
                two = torch.topk(scores[step][0].double(), 2)
                gap = float(two.values[0] - two.values[1])
                if gap < TIE:
                    other = (*ids[:step], int(two.indices[1]))
                    [branch], _ = self._generate(prompt, whole, forced=other, with_scores=True)
                    found.append((self._text(branch), gap))
                    pending.append(other)
        return found

    def compare(self, rows: Sequence[Row], decoding: Decoding, portions: Sequence[Portion]) -> Comparison:
        """Compare all generations of rows with the library's."""
        prompts = {row.id: row.prompt for row in rows}
        result = Comparison()
        for generation in (one for portion in portions for one in portion.generations):
            prompt = prompts[generation.id]
            expected = self.text(prompt, decoding)
            result.rows += 1
            result.lengths.add(len(expected.ids))
            result.texts.add(expected.text)
            if _same(generation, expected):
                continue
            gap = next((gap for text, gap in self.alternatives(prompt, decoding) if _same(generation, text)), None)
            said = (
                f"{prompt!r}: {generation.prediction!r} ({generation.generated_tokens}, {generation.finish_reason})"
                f" where alone {expected.text!r} ({len(expected.ids)}, {expected.finish_reason})"
            )
            if gap is None or decoding.stop:
                result.wrong.append(said)
            else:
                result.ties.append(f"{said}: the two best scores are {gap:.1e} apart")
        return result

    def _decode(self, ids: Sequence[int]) -> str:
        text: str = self.engine.reader.tokenizer.decode(
            list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text

    def _text(self, new: Sequence[int]) -> Text:
        ids = list(new)
        ends = [place for place, token in enumerate(ids) if token in self.engine.tokens.ends]
        ids = ids[: ends[0] + 1] if ends else ids
        return Text(tuple(ids), self._decode(ids), "stop" if ends else "length")

    def _generate(
        self,
        prompt: str,
        decoding: Decoding,
        *,
        forced: Sequence[int] = (),
        returned: int = 1,
        with_scores: bool = False,
    ) -> Any:
        tokens, encoder = self.engine.tokens, self.engine.checkpoint.is_encoder_decoder
        ids = torch.tensor([self.ids(prompt)])
        config = GenerationConfig(
            max_new_tokens=decoding.max_new_tokens,
            min_new_tokens=decoding.min_new_tokens or None,
            num_beams=decoding.num_beams,
            num_return_sequences=returned,
            length_penalty=decoding.length_penalty,
            early_stopping=decoding.early_stopping,
            repetition_penalty=decoding.repetition_penalty,
            no_repeat_ngram_size=decoding.no_repeat_ngram_size or None,
            do_sample=False,
            eos_token_id=list(tokens.ends) or None,
            pad_token_id=tokens.pad,
            decoder_start_token_id=tokens.decoder_start,
            forced_bos_token_id=tokens.forced_first,
            return_dict_in_generate=True,
            output_scores=with_scores,
        )
        skipped = 1 if encoder else ids.shape[1]
        own = self.model.generation_config
        self.model.generation_config = GenerationConfig(pad_token_id=tokens.pad)
        recorder = _Recorder(skipped, forced)
        try:
            out = self.model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                generation_config=config,
                logits_processor=[recorder] if with_scores and decoding.num_beams == 1 else None,
            )
        finally:
            self.model.generation_config = own
        sequences = [sequence[skipped:] for sequence in out.sequences.tolist()]
        if not with_scores:
            return sequences
        return sequences, recorder.scores if decoding.num_beams == 1 else out.sequences_scores


class _Recorder(LogitsProcessor):
    """Forces the first tokens, and keeps the scores that others were chosen by."""

    def __init__(self, skipped: int, forced: Sequence[int]) -> None:
        self.skipped, self.forced = skipped, forced
        self.scores: list[torch.Tensor] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        self.scores.append(scores.clone())
        step = input_ids.shape[1] - self.skipped
        if step < len(self.forced):
            scores = torch.full_like(scores, float("-inf"))
            scores[:, self.forced[step]] = 0
        return scores


def _same(generation: Generation, expected: Text) -> bool:
    return (generation.prediction, generation.generated_tokens, generation.finish_reason) == (
        expected.text,
        len(expected.ids),
        expected.finish_reason,
    )


def rows_of(texts: Sequence[str]) -> list[Row]:
    """A row a prompt."""
    return [Row(id=f"r{place}", prompt=text) for place, text in enumerate(texts)]


def fitting(alone: Alone, texts: Sequence[str], most_tokens: int) -> list[str]:
    """Prompts cut between characters to so many tokens; what begins with the mark that is put before it is refused."""
    tokenizer = alone.engine.reader.tokenizer
    begin = tokenizer.bos_token
    found = []
    for text in texts:
        while begin and alone.ids(text)[:2] == [tokenizer.bos_token_id] * 2:
            text = text.replace(begin, "", 1)
        while len(alone.ids(text)) > most_tokens:
            text = text[: max(1, len(text) * most_tokens // len(alone.ids(text)) - 1)]
        found.append(text)
    return found


def run(
    engine: HFEngine, rows: Sequence[Row], decoding: Decoding, *, samples: int = 1, seed: int = 0, **bounds: Any
) -> list[Portion]:
    """All portions of a job; ``bounds`` are the job's ``batch_rows``, ``batch_tokens``, ``deterministic``.

    Every request is checked to be answered once.
    """
    job = Job(
        decoding=decoding,
        truncation=Truncation("right", 512),
        seed=seed,
        rows=rows,
        samples=samples,
        **bounds,
    )
    requests = [Request(row, sample) for row in rows for sample in range(samples)]
    portions = list(engine.generate(requests, job))
    answered = [(one.id, one.sample) for portion in portions for one in (*portion.generations, *portion.failures)]
    assert sorted(answered) == sorted((request.row.id, request.sample) for request in requests)
    return portions


def written(portions: Sequence[Portion]) -> dict[tuple[str, int], tuple[str, int | None, str | None]]:
    """(Id, sample) -> text, number of tokens and why it ended."""
    return {
        (one.id, one.sample): (one.prediction, one.generated_tokens, one.finish_reason)
        for portion in portions
        for one in portion.generations
    }


def failures(portions: Sequence[Portion]) -> list[Failure]:
    """All failures."""
    return [failure for portion in portions for failure in portion.failures]


def events(portions: Sequence[Portion]) -> list[dict[str, Any]]:
    """All events, in their order."""
    return [dict(event) for portion in portions for event in portion.events]
