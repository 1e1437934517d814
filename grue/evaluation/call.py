"""What a user asks for, as values: which rows, how they are generated, how they are scored, and where it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from grue.core.errors import UsageError
from grue.core.run import Shard
from grue.core.task import PROFILES, STANDARD, Setting
from grue.core.text import Json, nearest

DECODINGS = ("task", "greedy")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsCall:
    """Which rows of which tasks, and by which suite.

    Attributes:
        tasks: Tasks or groups, comma-separated.
        split: ``None`` for each task's default.
        data: ``mini``, ``hub`` or a folder; ``None`` for the setting ``GRUE_DATA``.
        limit: Rows a task; ``None`` for the whole split.
        profile: ``standard`` or ``grue-paper``.
        settings: Family -> key -> value: metric settings, and quirk switches under a task's name.
        metrics: Metric names in the place of the tasks' suites; ``None`` for the suites.
        model_metrics: Whether metrics that need a model are computed.
        include: Folders of task plugins outside the installed packages.
        offline: Look at local files only.
    """

    tasks: str
    split: str | None = None
    data: str | None = None
    limit: int | None = None
    profile: str = STANDARD
    settings: Mapping[str, Mapping[str, Setting]] = field(default_factory=dict)
    metrics: tuple[str, ...] | None = None
    model_metrics: bool = True
    include: tuple[Path, ...] = ()
    offline: bool = False

    def __post_init__(self) -> None:
        if self.profile not in PROFILES:
            raise UsageError(
                f"--profile: unknown profile {self.profile!r}.{nearest(self.profile, PROFILES)}",
                f"Profiles: {', '.join(PROFILES)}.",
            )
        at_least_one("-L", self.limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationCall:
    """How generations are drawn.

    Attributes:
        seed: Seed of the run.
        samples: Generations a prompt.
        overrides: Decoding settings laid over every task's own.
        decoding: ``task``, or ``greedy`` to keep only the tasks' lengths.
        batch_rows: Upper bound of rows a batch; ``None`` lets the engine choose.
        batch_tokens: Upper bound of tokens held at once; ``None`` lets the engine choose.
        deterministic: Whether which rows are decoded together is fixed by the job alone.
        shard: The part of the rows that is generated; ``None`` for all.
    """

    seed: int = 0
    samples: int = 1
    overrides: Mapping[str, Json] = field(default_factory=dict)
    decoding: str = "task"
    batch_rows: int | None = None
    batch_tokens: int | None = None
    deterministic: bool = False
    shard: Shard | None = None

    def __post_init__(self) -> None:
        if self.decoding not in DECODINGS:
            raise UsageError(
                f"--decoding: unknown value {self.decoding!r}.{nearest(self.decoding, DECODINGS)}",
                f"One of: {', '.join(DECODINGS)}.",
            )
        at_least_one("--samples", self.samples)
        at_least_one("-b", self.batch_rows)
        at_least_one("--batch-tokens", self.batch_tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputCall:
    """Where results go.

    Attributes:
        path: Run directory; ``None`` for ``<results folder>/<name>-<first 10 of the identity>``.
        fresh: Start anew beside a run that is there already.
    """

    path: Path | None = None
    fresh: bool = False


def at_least_one(flag: str, value: int | None) -> None:
    """Refuse a count below 1.

    Raises:
        UsageError: names the flag.
    """
    if value is not None and value < 1:
        raise UsageError(f"{flag} should be at least 1; found {value}.", f"Give {flag} a positive whole number.")
