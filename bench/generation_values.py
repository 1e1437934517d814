"""What the speed bench measures, as values that go to its state file and come back from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is the same for every contestant of a run of the bench.

    Attributes:
        material: Folder that holds `bench/make_models.py`.
        cache: Folder for checkpoints, prompts, the peers' environment and the state.
        shape: `small`, or `base` for a GPU.
        device: `cpu` or `cuda`.
        dtype: `float32` or `bfloat16`.
        threads: Threads a contestant may compute with.
        max_new_tokens: Upper bound of new tokens a row.
        reference_rows: Rows whose outputs are compared with batch-of-one outputs; 0 for all.
    """

    material: Path
    cache: Path
    shape: str = "small"
    device: str = "cpu"
    dtype: str = "float32"
    threads: int = 1
    max_new_tokens: int = 128
    reference_rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One row of a contestant's output.

    Attributes:
        text: The decoded text.
        n_tokens: New tokens with the end token; `None` where a peer does not say.
        tokens: Their ids, where a peer says them.
        prompt_tokens: Tokens of the prompt, where known.
        sample: The n-th draw for its prompt.
    """

    text: str
    n_tokens: int | None = None
    tokens: tuple[int, ...] | None = None
    prompt_tokens: int | None = None
    sample: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One run of one contestant.

    Attributes:
        wall_seconds: From process start to its end, results on disk.
        cpu_seconds: User and system time of it and its children.
        generate_seconds: Generation alone, the model loaded before.
        first_row_seconds: From process start to the first generated row.
        new_tokens: Tokens written, where they are known.
        equal: Rows equal to the reference; `None` without one.
        compared: Rows compared.
        error: Why there is no result; empty otherwise.
    """

    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    generate_seconds: float | None = None
    first_row_seconds: float | None = None
    new_tokens: int | None = None
    equal: int | None = None
    compared: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What this machine cannot do faster, measured in the same round.

    Attributes:
        peak_flops: Floating-point operations a second in a large matrix product.
        bandwidth: Bytes a second in a large read.
        flops: Floating-point operations that the workload needs.
        bytes_read: Bytes of weights that it must read at least.
    """

    peak_flops: float
    bandwidth: float
    flops: float
    bytes_read: float

    @property
    def flops_seconds(self) -> float:
        """Seconds that the arithmetic takes at least."""
        return self.flops / self.peak_flops

    @property
    def bandwidth_seconds(self) -> float:
        """Seconds that reading the weights takes at least."""
        return self.bytes_read / self.bandwidth

    @property
    def seconds(self) -> float:
        """The larger of the two: nothing is faster."""
        return max(self.flops_seconds, self.bandwidth_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One interleaved round: every contestant once.

    Attributes:
        contest: A key of `generation_contests.CONTESTS`.
        kind: `causal` or `seq2seq`.
        size: Prompts.
        number: 1 for the first round.
        results: Contestant's key -> its result.
        bound: Measured after the contestants.
    """

    contest: str
    kind: str
    size: int
    number: int
    results: Mapping[str, Result] = field(default_factory=dict)
    bound: Bound | None = None

    def to_line(self) -> str:
        """One line of the state file."""
        return json.dumps(asdict(self))

    @classmethod
    def from_line(cls, line: str) -> Round:
        """Read a line of the state file."""
        value = json.loads(line)
        results = {key: Result(**result) for key, result in value.pop("results").items()}
        bound = value.pop("bound")
        return cls(**value, results=results, bound=Bound(**bound) if bound else None)
