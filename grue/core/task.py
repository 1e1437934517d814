"""A task: a frozen value that says what is asked, of which rows, and how answers are scored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from grue.core.decoding import Decoding
from grue.core.record import Record
from grue.core.rows import Row
from grue.core.source import HubSource

Setting: TypeAlias = bool | int | float | str
RowsFunction: TypeAlias = Callable[[Iterable[Record]], Iterator[Row]]

STANDARD = "standard"
PAPER = "grue-paper"
PROFILES = (STANDARD, PAPER)


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """A metric by name, with the settings in which this task differs from the metric's defaults.

    Attributes:
        absent: Why the task names the metric and does not compute it; empty where it does.
    """

    name: str
    settings: Mapping[str, Setting] = field(default_factory=dict)
    absent: str = ""


@dataclass(frozen=True, slots=True)
class RewardSpec:
    """A reward by name, with its settings."""

    name: str
    settings: Mapping[str, Setting] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Truncation:
    """How a prompt is cut: at most ``max_tokens`` tokens, dropping from ``side``.

    Attributes:
        side: The side that loses tokens; ``"left"`` keeps the end of the prompt.
        max_tokens: Upper bound, special tokens that the tokenizer adds included.
    """

    side: Literal["left", "right"]
    max_tokens: int


@dataclass(frozen=True, slots=True)
class Quirk:
    """One way in which the paper's set-up differs from ``standard``, with a switch of its own.

    Attributes:
        key: Name after the task's in ``--set TASK.KEY=true|false``.
        summary: What it does, one sentence.
    """

    key: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Everything about a task that a profile may change.

    Attributes:
        rows: Turns data records, in file order, into rows with base ids.
        truncation: How prompts are cut.
        decoding: Generation settings.
        metrics: The whole suite, also metrics that may not be installed.
        primary: Names of the primary metrics; the first is *the* number of the task.
        rewards: The reward suite.
        postprocess: Decoded text -> the prediction that is scored.
    """

    rows: RowsFunction
    truncation: Truncation
    decoding: Decoding
    metrics: tuple[MetricSpec, ...]
    primary: tuple[str, ...]
    rewards: tuple[RewardSpec, ...] = ()
    postprocess: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task plugin's value; ``TASK`` in its package, found by the entry point group ``grue.tasks``.

    Attributes:
        name: Lower-case name, unique among plugins.
        version: Raised when prompts, rows or metrics change a score.
        title: Name for people.
        summary: What it measures, one sentence.
        suite: Active quirk keys -> suite. ``standard`` has none active, ``grue-paper`` all.
        quirks: The switches of the paper profile.
        source: Where the rows are published; ``None`` for a task that lives in folders alone.
        package: Import package that holds ``data/<split>.jsonl`` (embedded rows) and ``card.md``.
        folders: Other names under which a data folder may hold this task.
        repeated_ids: ``"number"`` where equal ids are told apart by ``-2``, ``"refuse"`` where they are a fault.
        language: Language of the references, as a BCP 47 tag.
        licence: Licence of the data as its publisher states it.
        shows_texts: Whether prompts and references may be shown publicly.
        citation: Reference of the publication.
        homepage: Address of the publisher.
    """

    name: str
    version: int
    title: str
    summary: str
    suite: Callable[[frozenset[str]], Suite]
    package: str
    quirks: tuple[Quirk, ...] = ()
    source: HubSource | None = None
    folders: tuple[str, ...] = ()
    repeated_ids: Literal["number", "refuse"] = "refuse"
    language: str = "en"
    licence: str = ""
    shows_texts: bool = False
    citation: str = ""
    homepage: str = ""

    def profile(self, name: str, switches: Mapping[str, bool] | None = None) -> Suite:
        """The suite of a profile, with single quirks switched on or off.

        Args:
            name: ``"standard"`` or ``"grue-paper"``.
            switches: Quirk key -> on or off; keys the task does not have are ignored.

        Raises:
            ValueError: for an unknown profile name; commands check it first.
        """
        if name not in PROFILES:
            raise ValueError(f"unknown profile {name!r}")
        known = [quirk.key for quirk in self.quirks]
        active = dict.fromkeys(known, name == PAPER) | {k: v for k, v in (switches or {}).items() if k in known}
        return self.suite(frozenset(key for key, on in active.items() if on))
