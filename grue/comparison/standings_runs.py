"""What a board ranks and shows of a run: the parts of its manifest and results, as typed values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from grue.core.errors import RunDirectoryError
from grue.core.metric import MetricValue
from grue.core.run import Cost, DataInfo, Manifest, Rates, Results, TaskManifest, TaskScore
from grue.core.run import TaskResult as CoreResult
from grue.core.text import Json
from grue.runs.mark import mark_of
from grue.runs.published import MARKS
from grue.runs.read import StoredRun
from grue.runs.supersession import Supersession

YARDSTICKS = ("null", "oracle")
FLOOR = "null:random-reference"
CEILING = "oracle:reference"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True, slots=True)
class Score:
    """One metric of one task: a value with its interval, or the reason why there is none.

    Attributes:
        sd: Standard deviation over seeds; ``None`` for a single seed.
        seeds: How many seeds the value is the mean of.
    """

    metric: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    scale: float | None
    higher_is_better: bool | None
    signature: str | None
    reason: str | None
    failed: bool
    sd: float | None = None
    seeds: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """One task of one run: what was asked, from the manifest, and what came out.

    ``standing`` is its score between floor and ceiling; runs of earlier versions have an empty one.
    """

    name: str
    version: int
    profile: str
    split: str
    data: DataInfo
    prompts_sha256: str
    limit: int | None
    samples: int
    generation: Mapping[str, Json]
    primary: tuple[str, ...]
    scores: Mapping[str, Score]
    rewards: Mapping[str, Score]
    status: str
    error: str | None
    expected: int
    scored: int
    failed: int
    rates: Rates
    cost: Cost
    standing: TaskScore

    @property
    def rows_key(self) -> tuple[int, str, str, str]:
        """Results with equal keys answered the same prompts with the same references."""
        return (self.version, self.split, self.data.sha256, self.prompts_sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRun:
    """One run, or one entry of a board: the mean of several runs.

    Attributes:
        id: The run's; an entry has that of its earliest run.
        members: The single runs behind an entry, earliest first; empty for a single run.
        superseded: The decision that another run counts instead; such a run stays readable and has no rank.
    """

    id: str
    name: str
    kind: str
    source: str
    created_at: datetime
    parameters: int | None
    licence: str | None
    tasks: Mapping[str, TaskResult]
    manifest: Manifest
    results: Results
    stored: StoredRun
    members: tuple[BoardRun, ...] = ()
    superseded: Supersession | None = None

    @property
    def singles(self) -> tuple[BoardRun, ...]:
        """The runs behind it, itself where it is one."""
        return self.members or (self,)

    @property
    def seeds(self) -> tuple[tuple[BoardRun, ...], ...]:
        """The runs behind it by identity, repeats of one together, earliest first."""
        found: dict[str, list[BoardRun]] = {}
        for run in self.singles:
            found.setdefault(run.manifest.identity, []).append(run)
        return tuple(map(tuple, found.values()))

    @property
    def is_yardstick(self) -> bool:
        """Null systems and the oracle are shown beside the runs and never ranked."""
        return self.kind in YARDSTICKS

    @property
    def mark(self) -> str:
        """How far the numbers are ours, for an entry as far as those of all its runs are."""
        return max((_mark(run) for run in self.singles), key=MARKS.index)


def board_run(stored: StoredRun) -> BoardRun:
    """What the board shows of a stored run.

    Raises:
        RunDirectoryError: where a document lacks a field, or a name in it could not become an address.
    """
    manifest, results = stored.manifest_value(), stored.results_value()
    _check_name(manifest.run_id, "run_id")
    for name in manifest.tasks:
        _check_name(name, "tasks")
    tasks = {
        name: _task(name, asked, results.tasks[name]) for name, asked in manifest.tasks.items() if name in results.tasks
    }
    if not tasks:
        raise RunDirectoryError("no task has results.", place="results.json")
    try:
        created_at = datetime.fromisoformat(manifest.created_at)
    except ValueError:
        raise RunDirectoryError(
            f"created_at is no time: {manifest.created_at[:40]!r}.", place="manifest.json"
        ) from None
    meta = manifest.model.meta
    return BoardRun(
        id=manifest.run_id,
        name=manifest.model.name,
        kind=manifest.model.kind,
        source=manifest.model.source,
        created_at=created_at if created_at.tzinfo else created_at.replace(tzinfo=UTC),
        parameters=manifest.model.parameters,
        licence=meta.get("licence", meta.get("license")),
        tasks=tasks,
        manifest=manifest,
        results=results,
        stored=stored,
    )


def _mark(run: BoardRun) -> str:
    """That of what was run; a published result may claim less, never more."""
    own = mark_of(run.manifest.model)
    published = run.stored.submission
    return max(own, published.mark, key=MARKS.index) if published is not None else own


def _check_name(name: str, key: str) -> None:
    if not _NAME.fullmatch(name):
        cause = f"{key}: {name[:60]!r} is no name of letters, digits, '-', '_' and '.'."
        raise RunDirectoryError(cause, place="manifest.json")


def _task(name: str, asked: TaskManifest, got: CoreResult) -> TaskResult:
    return TaskResult(
        name=name,
        version=asked.version,
        profile=asked.profile,
        split=asked.split,
        data=asked.data,
        prompts_sha256=asked.prompts_sha256,
        limit=asked.limit,
        samples=asked.samples,
        generation=asked.generation,
        primary=asked.primary,
        scores=_scores(got.metrics, asked.metrics),
        rewards=_scores(got.rewards, asked.rewards),
        status=got.status,
        error=got.error,
        expected=got.expected,
        scored=got.scored,
        failed=got.failed,
        rates=got.rates,
        cost=got.cost,
        standing=got.score,
    )


def _scores(found: Mapping[str, MetricValue], order: Mapping[str, str | None]) -> dict[str, Score]:
    """Metrics in the order of the manifest, others after them."""
    names = dict.fromkeys([*(name for name in order if name in found), *found])
    return {name: _score(name, found[name]) for name in names}


def _score(name: str, found: MetricValue) -> Score:
    low, high = found.ci95 or (None, None)
    return Score(
        metric=name,
        value=found.value,
        low=low,
        high=high,
        n=found.n,
        scale=found.scale,
        higher_is_better=found.higher_is_better,
        signature=found.signature,
        reason=found.reason,
        failed=found.failed,
    )
