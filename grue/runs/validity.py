"""``validity.json``: what is odd about a run's outputs and values, as values that are written and read here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from grue.core.text import Json
from grue.runs.fields import Fields, read_document

SCHEMA_VERSION = 1
VALIDITY = "validity.json"
FINE, NOTICE, WARNING = "fine", "notice", "warning"
SEVERITIES = (FINE, NOTICE, WARNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many generations something holds for.

    Attributes:
        count: Generations.
        share: Of all generations looked at, 0 to 1.
        severity: ``fine``, ``notice`` or ``warning``.
        meaning: When a generation counts, in words.
        examples: Ids of up to ten rows.
        references_share: The same share among the rows' first references; ``None`` where there are none.
        reason: Why nothing could be counted, or what bounds the severity.
    """

    count: int
    share: float
    severity: str
    meaning: str
    examples: tuple[str, ...] = ()
    references_share: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """A rank correlation of row values.

    Attributes:
        rho: Spearman's, -1 to 1; ``None`` where one side does not vary or rows are too few.
        ci95: Its interval.
        n: Rows behind it.
    """

    rho: float | None
    ci95: tuple[float, float] | None
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthBias:
    """How a metric's row values go with the length of the prediction.

    Attributes:
        with_length: Correlation with the number of words; positive where longer texts get better values.
        given_references: The same with the references' length held fixed; ``None`` without references.
    """

    with_length: Correlation
    given_references: Correlation | None
    severity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Whether a reward or a primary metric goes with metrics that do not measure the same.

    Attributes:
        against: Independent metric -> correlation of row values, both turned so that higher is better.
        severity: A warning where it goes against independent metrics, or is high while they are not.
        finding: What was found, in a sentence; empty where nothing was.
    """

    against: Mapping[str, Correlation]
    severity: str
    finding: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskValidity:
    """What is odd about one task of a run.

    Attributes:
        n: Generations looked at.
        language: Of the task, as a BCP 47 tag.
        degenerate: Kind of output -> how many.
        length_bias: Metric or ``reward NAME`` -> its length bias.
        agreement: ``reward NAME`` or primary metric -> whether independent metrics go with it.
        single_metric: Metric -> rows that are among the best fifth by it and the worst fifth by all independent ones.
        findings: Warnings, then notices, a sentence each.
    """

    n: int
    language: str
    degenerate: Mapping[str, Share]
    length_bias: Mapping[str, LengthBias] = field(default_factory=dict)
    agreement: Mapping[str, Agreement] = field(default_factory=dict)
    single_metric: Mapping[str, Share] = field(default_factory=dict)
    findings: tuple[tuple[str, str], ...] = ()

    @property
    def severity(self) -> str:
        """The worst of its findings."""
        return max((severity for severity, _ in self.findings), key=SEVERITIES.index, default=FINE)

    @property
    def warnings(self) -> tuple[str, ...]:
        """The sentences of its warnings."""
        return tuple(text for severity, text in self.findings if severity == WARNING)

    def to_json(self) -> dict[str, Json]:
        """The object of ``validity.json``."""
        return {
            "severity": self.severity,
            "findings": [{"severity": severity, "text": text} for severity, text in self.findings],
            "n": self.n,
            "language": self.language,
            "degenerate": {name: _plain(value) for name, value in self.degenerate.items()},
            "length_bias": {name: _plain(value) for name, value in self.length_bias.items()},
            "agreement": {name: _plain(value) for name, value in self.agreement.items()},
            "single_metric": {name: _plain(value) for name, value in self.single_metric.items()},
        }


@dataclass(frozen=True, slots=True)
class Validity:
    """The validity report of a run, task by task."""

    tasks: Mapping[str, TaskValidity]

    @property
    def severity(self) -> str:
        """The worst of its tasks."""
        return max((task.severity for task in self.tasks.values()), key=SEVERITIES.index, default=FINE)

    def to_json(self) -> dict[str, Json]:
        """The whole ``validity.json``."""
        return {
            "schema_version": SCHEMA_VERSION,
            "tasks": {name: task.to_json() for name, task in self.tasks.items()},
        }


def read_validity(run: Path) -> Validity | None:
    """The stored report of a run directory; ``None`` where it has none.

    Raises:
        RunDirectoryError: where the file is damaged or of a newer version.
    """
    path = run / VALIDITY
    if not path.is_file():
        return None
    return Validity({name: _task(task) for name, task in read_document(path).children("tasks")})


def _plain(value: Any) -> dict[str, Json]:
    return {key: list(part) if isinstance(part, tuple) else part for key, part in asdict(value).items()}


def _task(task: Fields) -> TaskValidity:
    found: Sequence[Any] = task.optional("findings", list) or []
    return TaskValidity(
        n=task.required("n", int),
        language=task.required("language", str),
        degenerate={name: _share(one) for name, one in task.children("degenerate")},
        length_bias={name: _bias(one) for name, one in task.children("length_bias")},
        agreement={name: _agreement(one) for name, one in task.children("agreement")},
        single_metric={name: _share(one) for name, one in task.children("single_metric")},
        findings=tuple((_severity(task, one.get("severity")), str(one.get("text"))) for one in found),
    )


def _share(one: Fields) -> Share:
    return Share(
        count=one.required("count", int),
        share=one.required("share", float),
        severity=_severity(one, one.required("severity", str)),
        meaning=one.required("meaning", str),
        examples=one.strings("examples"),
        references_share=one.optional("references_share", float),
        reason=one.optional("reason", str),
    )


def _bias(one: Fields) -> LengthBias:
    given = one.values.get("given_references")
    return LengthBias(
        with_length=_correlation(one.child("with_length")),
        given_references=_correlation(one.child("given_references")) if given is not None else None,
        severity=_severity(one, one.required("severity", str)),
    )


def _agreement(one: Fields) -> Agreement:
    return Agreement(
        against={name: _correlation(value) for name, value in one.children("against")},
        severity=_severity(one, one.required("severity", str)),
        finding=one.optional("finding", str) or "",
    )


def _correlation(one: Fields) -> Correlation:
    bounds = one.optional("ci95", list)
    if bounds is not None and (len(bounds) != 2 or not all(isinstance(bound, int | float) for bound in bounds)):
        raise one.fault("ci95 should be two numbers or null.")
    return Correlation(
        rho=one.optional("rho", float),
        ci95=(float(bounds[0]), float(bounds[1])) if bounds else None,
        n=one.required("n", int),
    )


def _severity(one: Fields, found: object) -> str:
    if found not in SEVERITIES:
        raise one.fault(f"severity should be fine, notice or warning: found {found!r}.")
    return str(found)
