"""How often rounding changes a text: greedy texts in batches against one prompt at a time, and a number type against
float32.

Sums are taken in another order where other rows, or none, are decoded beside a row; what differs in the last bit may
turn the choice between two tokens that are about as likely. The share of such rows is counted here on a user's own
checkpoint and prompts, by the engine that decodes a run. Interval: Wilson 1927 (JASA 22, 209-212).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import takewhile

from grue.core.decoding import override
from grue.core.errors import CheckpointError
from grue.core.text import Json
from grue.engine.doctor import Finding
from grue.engine.hf import HFEngine
from grue.engine.protocol import Job, Request

EXACT = "float32"
SHOWN_CHARACTERS = 60
_Z = 1.959963984540054

Texts = Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A row whose text differs: the two texts as they are."""

    task: str
    id: str
    text: str
    other: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Greedy texts of the same rows, made in two ways.

    Attributes:
        way: How the texts were made, such as ``bfloat16 in batches``.
        against: How the others were made, such as ``float32 alone``.
        rows: Rows compared, over all tasks.
        differing: Rows whose texts differ.
        share: Their share, 0 to 1.
        ci95: Wilson interval of the share.
        equal_tokens_median: Tokens before the first that differs, as the texts are tokenised again; the median over
            the rows that differ, ``None`` without any.
        example: The first row that differs, in order of task and id.
    """

    way: str
    against: str
    rows: int
    differing: int
    share: float
    ci95: tuple[float, float]
    equal_tokens_median: float | None
    example: Example | None

    def to_json(self) -> dict[str, Json]:
        """The object of ``grue doctor --json``."""
        return {**asdict(self), "ci95": list(self.ci95)}


def _greedy(engine: HFEngine, jobs: Mapping[str, Job]) -> dict[str, Job]:
    """Jobs by task, with greedy decoding; without those whose prompts do not fit the model's context."""
    out = {}
    for task, job in jobs.items():
        wanted = replace(job, decoding=override(job.decoding, {}, greedy=True), samples=1)
        try:
            engine.prompt_limit(wanted)
        except CheckpointError:
            continue
        out[task] = wanted
    return out


def measure(open_as: Callable[[str], HFEngine], jobs: Mapping[str, Job], dtypes: Sequence[str]) -> Iterator[Drift]:
    """Decode all rows in batches and alone, in float32 and each number type, and compare.

    Args:
        open_as: Opens the checkpoint with a number type; the engine is closed here.
        jobs: Rows by task; decoded greedily, and left out where the model's context takes none of them.
        dtypes: Number types beside float32.

    Raises:
        CheckpointError: where the weights cannot be loaded.
    """
    engine = open_as(EXACT)
    greedy = _greedy(engine, jobs)
    exact = _Ways.of(engine, greedy)
    yield exact.compared(f"{EXACT} in batches", exact.batched, f"{EXACT} alone", exact.alone)
    for dtype in dtypes:
        rounded = _Ways.of(open_as(dtype), greedy)
        yield exact.compared(f"{dtype} in batches", rounded.batched, f"{dtype} alone", rounded.alone)
        yield exact.compared(f"{dtype} in batches", rounded.batched, f"{EXACT} alone", exact.alone)


def finding(drift: Drift) -> Finding:
    """What a user reads of a comparison: fine where no row differs, a warning with a fix elsewhere."""
    low, high = drift.ci95
    message = (
        f"{drift.way} against {drift.against}: {drift.differing} of {drift.rows} greedy texts differ "
        f"({100 * drift.share:.1f} %, 95 % interval {100 * low:.1f} to {100 * high:.1f} %)"
    )
    example = drift.example
    if example is None:
        return Finding("drift", "ok", message)
    text, other = _about_difference(example.text, example.other)
    message += f"; {drift.equal_tokens_median:g} tokens before the first that differs (median); for example"
    message += f" {example.task} {example.id}: {text!r} against {other!r}"
    alone = "-b 1 decodes every row alone; --deterministic gives the same texts again on the same machine."
    exact = "--dtype float32 keeps to the texts of full precision."
    return Finding("drift", "warn", message, alone if drift.way.startswith(EXACT) else f"{exact} {alone}")


def wilson(count: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of ``count`` in ``n``; 0 to 1 where nothing was counted."""
    if n == 0:
        return 0.0, 1.0
    share, z2 = count / n, _Z * _Z
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    side = _Z * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return (0.0 if count == 0 else centre - side), (1.0 if count == n else centre + side)


@dataclass(frozen=True, slots=True)
class _Ways:
    """Texts of one number type, and how to count tokens."""

    batched: Texts
    alone: Texts
    tokenise: Callable[[str], Sequence[int]]

    @classmethod
    def of(cls, engine: HFEngine, jobs: Mapping[str, Job]) -> _Ways:
        tokenizer = engine.reader.tokenizer

        def tokenise(text: str) -> Sequence[int]:
            ids: Sequence[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
            return ids

        try:
            return cls(_texts(engine, jobs, alone=False), _texts(engine, jobs, alone=True), tokenise)
        finally:
            engine.close()

    def compared(self, way: str, texts: Texts, against: str, others: Texts) -> Drift:
        """Two sets of texts over the rows that both have."""
        keys = sorted(texts.keys() & others.keys())
        differing = [key for key in keys if texts[key] != others[key]]
        places = [self._equal_tokens(texts[key], others[key]) for key in differing]
        example = None
        if differing:
            task, row_id = differing[0]
            example = Example(task=task, id=row_id, text=texts[differing[0]], other=others[differing[0]])
        return Drift(
            way=way,
            against=against,
            rows=len(keys),
            differing=len(differing),
            share=len(differing) / len(keys) if keys else 0.0,
            ci95=wilson(len(differing), len(keys)),
            equal_tokens_median=statistics.median(places) if places else None,
            example=example,
        )

    def _equal_tokens(self, text: str, other: str) -> int:
        pairs = zip(self.tokenise(text), self.tokenise(other), strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _texts(engine: HFEngine, jobs: Mapping[str, Job], *, alone: bool) -> Texts:
    """Greedy texts; alone, every prompt is a call of its own. A row that does not fit into memory is left out."""
    out: dict[tuple[str, str], str] = {}
    for task, job in jobs.items():
        requests = [Request(row, 0) for row in job.rows]
        calls = [[request] for request in requests] if alone else [requests]
        wanted = replace(job, batch_rows=1) if alone else job
        for call in calls:
            for portion in engine.generate(call, wanted):
                out |= {(task, made.id): made.prediction for made in portion.generations}
    return out


def _about_difference(text: str, other: str) -> tuple[str, str]:
    """The pieces of two texts from shortly before the first character that differs."""
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(text, other, strict=False)))
    start = max(0, same - SHOWN_CHARACTERS // 3)
    return _piece(text, start), _piece(other, start)


def _piece(text: str, start: int) -> str:
    end = start + SHOWN_CHARACTERS
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
