"""Shapes of the API's documents, as its OpenAPI document states them. Readers ignore keys that they do not know."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Interval = tuple[float, float]


class _Model(BaseModel):
    model_config = ConfigDict(extra="allow")


class _Document(_Model):
    schema_version: Literal[1]


class Problem(_Document):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str


class Number(_Model):
    """A score with its 95 % interval; without a value there is a reason."""

    value: float | None
    ci95: Interval | None


class Setting(_Model):
    """What is ranked at a time: split, rows, profile."""

    id: str
    label: str
    split: str
    rows: int | Literal["whole"]
    profile: str
    mini: bool
    runs: int
    entries: int


class SingleRun(_Model):
    """A run behind an entry."""

    run_id: str
    seed: int


class LeaderboardRow(_Model):
    """An entry: a run, or the mean of several that differ in seed alone."""

    run_id: str
    name: str
    mark: str
    yardstick: bool
    seeds: int
    runs: list[SingleRun]
    rank: int | None
    rank_ci95: tuple[int, int] | None
    band: str | None
    scores: dict[str, Number]
    cost: dict[str, Any]


class Leaderboard(_Document):
    """A setting, ranked; by a task and metric where they are asked for."""

    setting: Setting | None
    settings: list[Setting]
    rows: list[LeaderboardRow]
    next_cursor: str | None


class Task(_Model):
    """A task of the board, with the setting that its page shows and the metric that it is ranked by there."""

    name: str
    title: str
    summary: str
    language: str
    licence: str
    citation: str
    homepage: str
    shows_texts: bool
    version: int
    setting: str
    metric: str | None
    runs: int


class Tasks(_Document):
    """All tasks that runs were made on."""

    tasks: list[Task]


class Run(_Document):
    """The object of ``results.json`` with who made it."""

    run_id: str
    status: Literal["finished", "partial"]
    name: str
    mark: str
    tasks: dict[str, Any]
    scores: dict[str, Number]
    manifest: dict[str, Any]
    submission: dict[str, Any] | None


class Sample(_Model):
    """A generation with its scores."""

    id: str
    sample: int
    prompt: str | None
    references: list[str]
    prediction: str
    finish_reason: str | None
    scores: dict[str, float | None]
    rewards: dict[str, float | None]


class Samples(_Document):
    """Generations of a task of a run, in id order."""

    run_id: str
    task: str
    rows: list[Sample]
    next_cursor: str | None


class Worker(_Model):
    """A worker that was heard of in the last hour."""

    name: str
    last_seen: str
    doing: str | None


class QueuedJob(_Model):
    """A job that waits or runs; its place is 0 while it runs."""

    submission: str
    status: Literal["queued", "leased", "generating", "scoring"]
    place: int
    waiting_seconds: float


class Queue(_Document):
    """Who works, and what waits."""

    workers: list[Worker]
    jobs: list[QueuedJob]


class Health(_Document):
    """That the process answers."""

    status: Literal["ok"]


class Ready(_Document):
    """That everything the service needs can be reached."""

    status: Literal["ready"]
    checks: dict[str, str]
