"""A run as values: what was run (manifest) and what came out (results)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from grue.core.metric import MetricValue
from grue.core.text import Json, canonical_json, sha256_text

SCHEMA_VERSION = 1
NOT_SCORED = "not scored"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointInfo:
    """A model behind a server: what that says of itself, none of which was checked.

    Attributes:
        address: Base address without secrets.
        model: The name the server knows it by.
        server: Program and version, as far as the server tells.
        mark: How results are to be read.
    """

    address: str
    model: str
    server: str | None = None
    mark: str = "self-reported"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """Who generated.

    Attributes:
        name: Display name; no part of the identity.
        source: What the user wrote: folder, hub id, ``demo:…``, ``null:…``, ``oracle:reference``, ``openai:…``, or
            ``predictions`` for a prediction file, ``lm-eval:…`` for results of that harness.
        kind: ``local``, ``hub``, ``demo``, ``null``, ``oracle``, ``endpoint``, ``predictions`` or ``imported``.
        revision: 40-hex commit of a hub checkpoint.
        weights_sha256: Hash over sorted tensor names, types, shapes and bytes, adapter appended; for a prediction
            file and for imported results the hash of the canonical content; ``None`` for null systems and endpoints.
        tokenizer_sha256: Hash of the tokenizer's files.
        architecture: Class name of the model.
        parameters: Number of parameters.
        dtype: Number type that computed.
        engine: Engine that generated (``hf``, ``vllm``, ``openai``), or ``None``.
        meta: What the user declared with ``--meta``.
        endpoint: Where the model is behind a server; else ``None``.
    """

    name: str
    source: str
    kind: str
    revision: str | None = None
    weights_sha256: str | None = None
    tokenizer_sha256: str | None = None
    architecture: str | None = None
    parameters: int | None = None
    dtype: str | None = None
    engine: str | None = None
    meta: Mapping[str, str] = field(default_factory=dict)
    endpoint: EndpointInfo | None = None

    def to_json(self) -> dict[str, Json]:
        """The object of ``manifest.json``; ``endpoint`` only where there is one."""
        out: dict[str, Json] = {**asdict(self), "meta": dict(self.meta)}
        if self.endpoint is None:
            del out["endpoint"]
        return out


@dataclass(frozen=True, slots=True, kw_only=True)
class DataInfo:
    """Which rows: ``source`` is ``mini``, ``hub`` or ``folder``; ``rows`` counts the split after grouping."""

    source: str
    id: str | None
    revision: str | None
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskManifest:
    """What was asked of one task.

    Attributes:
        profile: ``standard`` or ``grue-paper``.
        quirks: Active quirk keys.
        limit: Rows asked for with ``-L``; ``None`` for the whole split.
        samples: Generations a prompt.
        generation: Decoding settings and cut, as they ran; empty where no model ran.
        metrics: Metric name -> signature; ``None`` for an absent metric.
        primary: Names of the primary metrics.
    """

    version: int
    profile: str
    quirks: tuple[str, ...]
    split: str
    data: DataInfo
    prompts_sha256: str
    limit: int | None
    samples: int
    generation: Mapping[str, Json]
    metrics: Mapping[str, str | None]
    rewards: Mapping[str, str | None]
    primary: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        """The object of ``manifest.json``."""
        return {
            "version": self.version,
            "profile": self.profile,
            "quirks": list(self.quirks),
            "split": self.split,
            "data": asdict(self.data),
            "prompts_sha256": self.prompts_sha256,
            "limit": self.limit,
            "samples": self.samples,
            "generation": dict(self.generation),
            "metrics": dict(self.metrics),
            "rewards": dict(self.rewards),
            "primary": list(self.primary),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """A part of a run's rows, in a directory of its own until the parts are merged.

    Attributes:
        number: Which part, counted from 1.
        of: How many parts the run has.
        rows: Rows of the part by task; empty until they are known.
        command: The command line that makes the part, without the program's name; empty where none was given.
    """

    number: int
    of: int
    rows: Mapping[str, int] = field(default_factory=dict)
    command: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"shard {self.number} of {self.of}"

    def to_json(self) -> dict[str, Json]:
        """The object of ``manifest.json``."""
        return {"number": self.number, "of": self.of, "rows": dict(self.rows), "command": list(self.command)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What was run; written before the first generation. ``shard`` is ``None`` for a whole run."""

    run_id: str
    identity: str
    created_at: str
    grue: Mapping[str, str | None]
    model: ModelInfo
    environment: Mapping[str, Json]
    arguments: Mapping[str, Json]
    seed: int
    tasks: Mapping[str, TaskManifest]
    shard: Shard | None = None

    def to_json(self) -> dict[str, Json]:
        """The whole ``manifest.json``; ``shard`` only where there is one."""
        out: dict[str, Json] = {
            "schema_version": SCHEMA_VERSION,
            "run_id": self.run_id,
            "identity": self.identity,
            "created_at": self.created_at,
            "grue": dict(self.grue),
            "model": self.model.to_json(),
            "environment": dict(self.environment),
            "arguments": dict(self.arguments),
            "seed": self.seed,
            "tasks": {name: task.to_json() for name, task in self.tasks.items()},
        }
        return {**out, "shard": self.shard.to_json()} if self.shard else out


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a task's generation cost; ``None`` where no model ran or nothing was measured.

    Attributes:
        wall_seconds: Of generation, over all starts of the run.
        load_seconds: To load the weights.
        prompt_tokens: Of all prompts.
        generated_tokens: Of all texts.
        tokens_per_second: New tokens over the seconds of generation, whatever went on in them.
        prefill_tokens_per_second: Prompt tokens read, over the seconds that devices spent reading.
        decode_tokens_per_second: New tokens written, over the seconds that devices spent writing.
        latency_ms_p50: Median time a text took.
        latency_ms_p95: The time that 95 % of the texts took at most.
        first_row_seconds: From the call to the first row of the task that was stored, other tasks left out.
        peak_memory_bytes: The most that was held at once.
        peak_memory_of: ``device``; or ``process``, where it is the most that a process held resident.
        energy_joules: What the devices in ``energy_of`` took, whoever used them.
        energy_generations: Generations that were stored while it was measured.
        energy_of: Names of the devices that told.
        flops: Operations that the texts asked of the model, by its config; of those that were timed.
        flops_utilization: Their share of what the devices could have done in the time: an estimate.
        device_peak_flops: Operations a second that were measured on the devices.
    """

    wall_seconds: float
    load_seconds: float | None = None
    prompt_tokens: int | None = None
    generated_tokens: int | None = None
    tokens_per_second: float | None = None
    prefill_tokens_per_second: float | None = None
    decode_tokens_per_second: float | None = None
    latency_ms_p50: float | None = None
    latency_ms_p95: float | None = None
    first_row_seconds: float | None = None
    peak_memory_bytes: int | None = None
    peak_memory_of: str | None = None
    energy_joules: float | None = None
    energy_generations: int | None = None
    energy_of: tuple[str, ...] = ()
    flops: float | None = None
    flops_utilization: float | None = None
    device_peak_flops: float | None = None

    def to_json(self) -> dict[str, Json]:
        """The object of ``results.json``."""
        return {
            "wall_seconds": self.wall_seconds,
            "load_seconds": self.load_seconds,
            "prompt_tokens": self.prompt_tokens,
            "generated_tokens": self.generated_tokens,
            "tokens_per_second": self.tokens_per_second,
            "prefill_tokens_per_second": self.prefill_tokens_per_second,
            "decode_tokens_per_second": self.decode_tokens_per_second,
            "latency_ms": {"p50": self.latency_ms_p50, "p95": self.latency_ms_p95},
            "first_row_seconds": self.first_row_seconds,
            "peak_memory_bytes": self.peak_memory_bytes,
            "peak_memory_of": self.peak_memory_of,
            "energy_joules": self.energy_joules,
            "energy_generations": self.energy_generations,
            "energy_of": list(self.energy_of),
            "flops": self.flops,
            "flops_utilization": self.flops_utilization,
            "device_peak_flops": self.device_peak_flops,
        }

    @property
    def joules_per_1000(self) -> float | None:
        """Joules for a thousand generations."""
        if self.energy_joules is None or not self.energy_generations:
            return None
        return 1000 * self.energy_joules / self.energy_generations


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Shares of generations, 0 to 1: empty predictions, cut prompts, outputs ended by the length limit."""

    empty: float | None = None
    cut_prompt: float | None = None
    cut_output: float | None = None


@dataclass(frozen=True, slots=True)
class ScoreValue:
    """A number on the scale of 0 (floor) to 100 (ceiling), or its absence with a reason.

    Attributes:
        value: Not clipped; ``None`` where something it needs is missing.
        ci95: Bounds of the 95 % interval; ``None`` where no method promises one.
        reason: Why there is no value, or no interval.
    """

    value: float | None
    ci95: tuple[float, float] | None = None
    reason: str | None = None

    @classmethod
    def none(cls, reason: str) -> ScoreValue:
        """No score, and why."""
        return cls(None, None, reason)

    def to_json(self) -> dict[str, Json]:
        """The object of ``results.json``; ``reason`` only where there is one."""
        out: dict[str, Json] = {"value": self.value, "ci95": list(self.ci95) if self.ci95 else None}
        return {**out, "reason": self.reason} if self.reason else out


@dataclass(frozen=True, slots=True)
class RunScores:
    """Scores over all tasks of the benchmark, beside each other and never mixed."""

    grue: ScoreValue = ScoreValue(None, None, NOT_SCORED)
    naturalness: ScoreValue = ScoreValue(None, None, NOT_SCORED)

    def to_json(self) -> dict[str, Json]:
        """The object of ``results.json``."""
        return {"grue": self.grue.to_json(), "naturalness": self.naturalness.to_json()}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskScore:
    """Where a task's values stand between its yardsticks.

    Attributes:
        quality: 100 × mean over the primary metrics of (value − floor) / (ceiling − floor).
        naturalness: Likeness to the references in variety and length.
        floor: Primary metric -> value of ``null:random-reference``.
        ceiling: Primary metric -> value of the oracle, or the best value there is.
        null_systems: System -> primary metric -> value, the floor's among them.
        statistics: Naturalness statistic -> (value, the references' value).
    """

    quality: ScoreValue = ScoreValue(None, None, NOT_SCORED)
    naturalness: ScoreValue = ScoreValue(None, None, NOT_SCORED)
    floor: Mapping[str, float | None] = field(default_factory=dict)
    ceiling: Mapping[str, float | None] = field(default_factory=dict)
    null_systems: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    statistics: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        """The object of ``results.json``."""
        return {
            "quality": self.quality.to_json(),
            "naturalness": self.naturalness.to_json(),
            "floor": dict(self.floor),
            "ceiling": dict(self.ceiling),
            "null_systems": {system: dict(values) for system, values in self.null_systems.items()},
            "statistics": {
                name: {"value": value, "references": reference} for name, (value, reference) in self.statistics.items()
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """What came out of one task. ``status`` is ``finished`` or ``partial``."""

    status: str
    expected: int
    scored: int
    failed: int
    metrics: Mapping[str, MetricValue]
    rewards: Mapping[str, MetricValue]
    rates: Rates
    cost: Cost
    score: TaskScore = field(default_factory=TaskScore)
    error: str | None = None

    def to_json(self) -> dict[str, Json]:
        """The object of ``results.json``."""
        out: dict[str, Json] = {
            "status": self.status,
            "n": {"expected": self.expected, "scored": self.scored, "failed": self.failed},
            "metrics": {name: value.to_json() for name, value in self.metrics.items()},
            "rewards": {name: value.to_json() for name, value in self.rewards.items()},
            "rates": asdict(self.rates),
            "cost": self.cost.to_json(),
            "scores": self.score.to_json(),
        }
        if self.error:
            out["error"] = self.error
        return out


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What came out of a run; written last."""

    run_id: str
    status: str
    tasks: Mapping[str, TaskResult]
    files: Mapping[str, str]
    scores: RunScores = field(default_factory=RunScores)

    def to_json(self) -> dict[str, Json]:
        """The whole ``results.json``, checksum included."""
        out: dict[str, Json] = {
            "schema_version": SCHEMA_VERSION,
            "run_id": self.run_id,
            "status": self.status,
            "tasks": {name: task.to_json() for name, task in self.tasks.items()},
            "scores": self.scores.to_json(),
            "files": dict(self.files),
        }
        return {**out, "checksum": checksum(out)}


def checksum(document: Mapping[str, Json]) -> str:
    """SHA-256 of the canonical JSON of a document without its ``checksum`` key."""
    return sha256_text(canonical_json({k: v for k, v in document.items() if k != "checksum"}))
