"""What the index holds of a run, as values; made from a run directory, or read back from the database."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

from grue.core.errors import RunDirectoryError
from grue.core.metric import MetricValue
from grue.core.run import ScoreValue, TaskManifest, TaskResult
from grue.core.text import Json
from grue.runs.entry import entry_key
from grue.runs.files import sha256_file
from grue.runs.mark import mark_of
from grue.runs.read import MANIFEST, RESULTS, StoredRun
from grue.runs.setting import run_setting

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST = 2**53  # above, a 64-bit float skips whole numbers
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked of a task.

    Attributes:
        split: Name of the split.
        data_source: ``mini``, ``hub`` or ``folder``.
        data_rows: Rows of the split.
        limit: Rows asked for; ``None`` for all.
        samples: Generations a prompt.
        primary: Names of the primary metrics.
    """

    task: str
    version: int
    split: str
    data_sha256: str
    prompts_sha256: str
    profile: str
    data_source: str
    data_rows: int
    limit: int | None
    samples: int
    primary: tuple[str, ...]

    @property
    def rows_key(self) -> tuple[str, int, str, str, str]:
        """The comparison key but for the metric's signature: results with equal ones answered the same rows."""
        return (self.task, self.version, self.split, self.data_sha256, self.prompts_sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRecord:
    """What came out of one task of a run, with what was asked."""

    asked: Asked
    status: str
    error: str | None
    expected: int
    scored: int
    failed: int
    metrics: Mapping[str, MetricValue]
    rewards: Mapping[str, MetricValue]
    quality: ScoreValue
    naturalness: ScoreValue


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run of the index.

    Attributes:
        entry_key: What its repeats and the runs with other seeds share.
        created_at: As the manifest says it.
        created_microseconds: The same since 1970, which sorts.
        mark: How far the numbers are ours.
        setting: Slug of the setting that it is ranked in.
        path: Where its run directory lies.
        checksum: Of ``results.json``.
        manifest_sha256: Of ``manifest.json``.
        results: By task, in the run's order.
    """

    run_id: str
    identity: str
    entry_key: str
    created_at: str
    created_microseconds: int
    name: str
    kind: str
    source: str
    mark: str
    seed: int
    parameters: int | None
    status: str
    setting: str
    path: str
    checksum: str
    manifest_sha256: str
    grue: ScoreValue
    naturalness: ScoreValue
    results: Mapping[str, ResultRecord]


def record_of(stored: StoredRun) -> RunRecord:
    """What the index holds of a stored run.

    Raises:
        RunDirectoryError: where it has no task with results, a time or name that is none, or a number too large.
    """
    try:
        record = _record(stored)
    except (ValueError, OverflowError) as error:  # NaN and lone surrogates have no canonical form
        raise RunDirectoryError(f"holds a value that no run writes: {error}.", place=MANIFEST) from error
    _check_size(record)
    return record


def flat(record: RunRecord) -> Iterator[tuple[str, Json]]:
    """Key and value of all that the index holds of a run, keys as in ``manifest.json`` and ``results.json``."""
    for field in fields(RunRecord):
        value = getattr(record, field.name)
        if isinstance(value, ScoreValue):
            yield from _flat_score(f"scores.{field.name}", value)
        elif field.name == "results":
            for task, result in record.results.items():
                yield from _flat_result(f"tasks.{task}", result)
        else:
            yield field.name, value


def _flat_result(place: str, result: ResultRecord) -> Iterator[tuple[str, Json]]:
    for field in fields(Asked):
        value = getattr(result.asked, field.name)
        yield f"{place}.{field.name}", list(value) if isinstance(value, tuple) else value
    for name in ("status", "error", "expected", "scored", "failed"):
        yield f"{place}.{name}", getattr(result, name)
    for kind, values in (("metrics", result.metrics), ("rewards", result.rewards)):
        for name, value in values.items():
            for field in fields(MetricValue):
                one = getattr(value, field.name)
                yield f"{place}.{kind}.{name}.{field.name}", list(one) if isinstance(one, tuple) else one
    yield from _flat_score(f"{place}.scores.quality", result.quality)
    yield from _flat_score(f"{place}.scores.naturalness", result.naturalness)


def _flat_score(place: str, score: ScoreValue) -> Iterator[tuple[str, Json]]:
    yield f"{place}.value", score.value
    yield f"{place}.ci95", list(score.ci95) if score.ci95 else None
    yield f"{place}.reason", score.reason


def _record(stored: StoredRun) -> RunRecord:
    manifest, results = stored.manifest_value(), stored.results_value()
    _check_name(manifest.run_id, "run_id")
    found = {
        task: _result(task, asked, results.tasks[task])
        for task, asked in manifest.tasks.items()
        if task in results.tasks
    }
    if not found:
        raise RunDirectoryError("no task has results.", place=RESULTS)
    return RunRecord(
        run_id=manifest.run_id,
        identity=manifest.identity,
        entry_key=entry_key(manifest),
        created_at=manifest.created_at,
        created_microseconds=_microseconds(manifest.created_at),
        name=manifest.model.name,
        kind=manifest.model.kind,
        source=manifest.model.source,
        mark=mark_of(manifest.model, stored.submission),
        seed=manifest.seed,
        parameters=manifest.model.parameters,
        status=results.status,
        setting=run_setting(manifest.tasks[task] for task in found).slug,
        path=str(stored.path.resolve()),
        checksum=stored.results["checksum"],
        manifest_sha256=sha256_file(stored.path / MANIFEST),
        grue=results.scores.grue,
        naturalness=results.scores.naturalness,
        results=found,
    )


def _result(task: str, asked: TaskManifest, got: TaskResult) -> ResultRecord:
    _check_name(task, "tasks")
    return ResultRecord(
        asked=Asked(
            task=task,
            version=asked.version,
            split=asked.split,
            data_sha256=asked.data.sha256,
            prompts_sha256=asked.prompts_sha256,
            profile=asked.profile,
            data_source=asked.data.source,
            data_rows=asked.data.rows,
            limit=asked.limit,
            samples=asked.samples,
            primary=asked.primary,
        ),
        status=got.status,
        error=got.error,
        expected=got.expected,
        scored=got.scored,
        failed=got.failed,
        metrics=got.metrics,
        rewards=got.rewards,
        quality=got.score.quality,
        naturalness=got.score.naturalness,
    )


def _check_name(name: str, key: str) -> None:
    if not _NAME.fullmatch(name):
        cause = f"{key}: {name[:60]!r} is no name of letters, digits, '-', '_' and '.'."
        raise RunDirectoryError(cause, place=MANIFEST)


def _microseconds(created_at: str) -> int:
    try:
        time = datetime.fromisoformat(created_at)
    except ValueError:
        raise RunDirectoryError(f"created_at is no time: {created_at[:40]!r}.", place=MANIFEST) from None
    return ((time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND


def _check_size(record: RunRecord) -> None:
    whole: list[tuple[str, int | None]] = [("seed", record.seed), ("parameters", record.parameters)]
    for task, result in record.results.items():
        asked = result.asked
        numbers = [asked.version, asked.data_rows, asked.limit, asked.samples]
        numbers += [result.expected, result.scored, result.failed]
        whole += [(f"tasks.{task}", number) for number in numbers]
        most = max((value.n for values in (result.metrics, result.rewards) for value in values.values()), default=0)
        whole.append((f"tasks.{task}.metrics", most))
    for key, number in whole:
        if number is not None and abs(number) > _LARGEST:
            raise RunDirectoryError(f"{key}: {number} is larger than any run has.", place=MANIFEST)
