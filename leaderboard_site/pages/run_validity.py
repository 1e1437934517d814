"""The validity report of a run as a section of its page: findings, odd outputs, correlations, null systems beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grue.comparison.standings_runs import BoardRun, TaskResult
from grue.runs.validity import WARNING, Correlation, Share, TaskValidity, Validity
from leaderboard_site.cards import Card
from leaderboard_site.links import Page
from leaderboard_site.numbers import MINUS, NONE, count, decimals, number, percent, plural

EXAMPLES = 3
# Kind -> short head of its column, and its name.
HEADS = {
    "empty": "Empty",
    "copied": "Copied",
    "repeated": "Circles",
    "cut": "Cut",
    "prompt_echoed": "Echo",
    "wrong_language": "Language",
    "refusal": "Refusal",
    "same_text": "Same",
}
KINDS = {
    "empty": "Empty",
    "copied": "Copies the input",
    "repeated": "Goes in circles",
    "cut": "Cut by the token limit",
    "prompt_echoed": "Echoes or lists the prompt",
    "wrong_language": "Another language",
    "refusal": "Reads like a refusal",
    "same_text": "One text for many rows",
}


@dataclass(frozen=True, slots=True)
class ShareRow:
    """How many outputs something holds for, beside the references."""

    name: str
    meaning: str
    severity: str
    count: str
    share: str
    references: str
    reason: str
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CorrelationRow:
    """Rank correlations of a metric or reward."""

    name: str
    severity: str
    with_length: str
    given_references: str
    against: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SystemRow:
    """The run or a null system, with its value of each primary metric."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSection:
    """The report of one task.

    Attributes:
        findings: Severity and sentence, warnings first.
        n: Outputs looked at.
        cells: One a kind of output, in the order of ``KINDS``; ``None`` where the report does not have it.
        shares: Those that the report has.
    """

    title: str
    samples: Page
    summary: str
    is_warning: bool
    findings: tuple[tuple[str, str], ...]
    n: str
    cells: tuple[ShareRow | None, ...]
    shares: tuple[ShareRow, ...]
    correlations: tuple[CorrelationRow, ...]
    single: tuple[ShareRow, ...]
    metrics: tuple[str, ...]
    systems: tuple[SystemRow, ...]


def sections(
    run: BoardRun, found: Validity | None, results: Sequence[TaskResult], cards: Mapping[str, Card]
) -> tuple[TaskSection, ...]:
    """A section for each task that the report has, in the order of the page."""
    if found is None:
        return ()
    return tuple(
        _section(run, result, found.tasks[result.name], cards[result.name].title)
        for result in results
        if result.name in found.tasks
    )


def _section(run: BoardRun, result: TaskResult, one: TaskValidity, title: str) -> TaskSection:
    warnings = sum(severity == WARNING for severity, _ in one.findings)
    notices = len(one.findings) - warnings
    said = [plural(n, word) for n, word in ((warnings, "warning"), (notices, "notice")) if n]
    return TaskSection(
        title=title,
        samples=Page(kind="samples", run=run.id, task=result.name),
        summary=", ".join(said) or "nothing odd",
        is_warning=warnings > 0,
        findings=one.findings,
        n=plural(one.n, "output"),
        shares=tuple(_share(name, one.degenerate[kind]) for kind, name in KINDS.items() if kind in one.degenerate),
        cells=tuple(
            _share(name, one.degenerate[kind]) if kind in one.degenerate else None for kind, name in KINDS.items()
        ),
        correlations=_correlations(one),
        single=tuple(_share(name, share) for name, share in one.single_metric.items() if share.count),
        metrics=tuple(result.standing.ceiling or result.primary),
        systems=_systems(run, result),
    )


def _share(name: str, share: Share) -> ShareRow:
    is_looked_for = not (share.reason and not share.count)
    return ShareRow(
        name=name,
        meaning=share.meaning,
        severity=share.severity,
        count=count(share.count) if is_looked_for else NONE,
        share=percent(share.share) if is_looked_for else NONE,
        references=percent(share.references_share) if is_looked_for else NONE,
        reason=share.reason or "",
        examples=share.examples[:EXAMPLES],
    )


def _correlations(one: TaskValidity) -> tuple[CorrelationRow, ...]:
    rows = []
    for name, bias in one.length_bias.items():
        agreement = one.agreement.get(name)
        severities = [bias.severity, *([agreement.severity] if agreement else [])]
        severity = next((level for level in ("warning", "notice") if level in severities), "fine")
        against = tuple((other, _rho(rho)) for other, rho in (agreement.against if agreement else {}).items())
        given = NONE if bias.given_references is None else _rho(bias.given_references)
        rows.append(CorrelationRow(name, severity, _rho(bias.with_length), given, against))
    return tuple(rows)


def _rho(one: Correlation) -> str:
    """The correlation with its sign and interval."""
    if one.rho is None:
        return NONE
    bounds = f" ({_signed(one.ci95[0])} to {_signed(one.ci95[1])})" if one.ci95 else ""
    return _signed(one.rho) + bounds


def _signed(value: float) -> str:
    text = number(value, 2)
    return text if text.startswith(MINUS) else f"+{text}"


def _systems(run: BoardRun, result: TaskResult) -> tuple[SystemRow, ...]:
    names = tuple(result.standing.ceiling or result.primary)
    scales = {name: score.scale for name, score in result.scores.items()}

    def row(name: str, values: Mapping[str, float | None]) -> SystemRow:
        cells = (number(values.get(metric), decimals(metric, scales.get(metric))) for metric in names)
        return SystemRow(name, tuple(cells))

    if not result.standing.null_systems:
        return ()
    own = {name: score.value for name, score in result.scores.items()}
    return (
        row(run.name, own),
        *(row(system, values) for system, values in result.standing.null_systems.items()),
    )
