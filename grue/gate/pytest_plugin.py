"""``pytest --grue-gate gate.toml``: each check of a gate is a test of the session.

The gate file names baseline and candidate, or ``--grue-baseline`` and ``--grue-candidate`` do. A regression is a failed
test, a crashed or not comparable run an error, "cannot tell" a skipped test with its reason. Without the option nothing
of grue is imported but this file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from grue.gate.report import Check, Report
    from grue.gate.rules import Rules

OPTION = "--grue-gate"


class GateFailure(AssertionError):  # noqa: N818 - a failed test, no error of grue
    """A check that did not pass; its text says why."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("grue", "grue gate")
    group.addoption(OPTION, metavar="FILE", default=None, help="Run the checks of a gate file (TOML) as tests.")
    group.addoption("--grue-baseline", metavar="FILE", default=None, help="Baseline. [default: the gate file's]")
    group.addoption("--grue-candidate", metavar="RUN", default=None, help="Run to judge. [default: the gate file's]")


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Append the checks to the tests that were found.

    Raises:
        UsageError: pytest's, for a faulty gate file or baseline.
    """
    named = config.getoption(OPTION)
    if named is None:
        return
    from grue.core.errors import GrueError

    try:
        collector: GateCollector = GateCollector.from_parent(session, name=str(named), path=Path(named).resolve())
        items.extend(collector.collect())
    except GrueError as error:
        raise pytest.UsageError(str(error)) from error


class GateCollector(pytest.Collector):
    """A gate file; it compares the two runs when its first check is run."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(**rest)
        self._report: Report | None = None

    def collect(self) -> Iterator[GateItem]:
        """One item a check; where the baseline gives no answer, one that says so."""
        from grue.gate.opening import open_baseline
        from grue.gate.planned import plan_checks

        rules, baseline, candidate = self._sides()
        side = open_baseline(baseline, candidate).side
        checks = plan_checks(rules, side).checks if side else ()
        for one in checks:
            yield GateItem.from_parent(self, name=f"{one.task} {one.name}", check=(one.task, one.name))
        if not checks:
            yield GateItem.from_parent(self, name="run", check=None)

    def report(self) -> Report:
        """The gate's answer, made once."""
        if self._report is None:
            from grue.gate.gate import GateCall, run_gate

            rules, baseline, candidate = self._sides()
            self._report = run_gate(GateCall(baseline=baseline, candidate=candidate, rules=rules))
        return self._report

    def _sides(self) -> tuple[Rules, Path, Path]:
        from grue.core.errors import UsageError
        from grue.gate.rules_file import read_rules

        rules = read_rules(self.path)
        found = {}
        for role, named in (("baseline", rules.baseline), ("candidate", rules.candidate)):
            flag = f"--grue-{role}"
            given = self.config.getoption(flag)
            path = Path(given) if given is not None else named
            if path is None:
                raise UsageError(
                    f"names no {role}.", f'Write {role} = "PATH" under [gate], or give {flag}.', place=str(self.path)
                )
            found[role] = path
        return rules, found["baseline"], found["candidate"]


class GateItem(pytest.Item):
    """One check as a test."""

    def __init__(self, *, check: tuple[str, str] | None, **rest: Any) -> None:
        super().__init__(**rest)
        self._key = check
        self._check: Check | None = None

    def setup(self) -> None:
        """Compare the runs; what is no answer about quality is an error and no failure."""
        from grue.gate.report import Outcome

        collector = self.parent
        if not isinstance(collector, GateCollector):
            raise TypeError("a check stands in a gate file")
        report = collector.report()
        self._check = next((one for one in report.checks if (one.task, one.name) == self._key), None)
        if self._check is None:
            if report.problems:
                raise GateFailure(report.headline)
            pytest.skip("nothing is gated")
        if self._check.outcome in (Outcome.NOT_COMPARABLE, Outcome.INFRASTRUCTURE):
            told = report.problems[0].message if report.problems else self._check.message
            raise GateFailure(f"{self._check.outcome}: {told}")

    def runtest(self) -> None:
        """Fail where the check failed, skip where it cannot tell."""
        from grue.gate.report import Outcome

        check, collector = self._check, self.parent
        if check is None or not isinstance(collector, GateCollector):
            raise TypeError("a check is set up before it is run")
        fails = check.outcome is Outcome.FAIL
        if check.outcome is Outcome.UNCERTAIN:
            if collector.report().uncertain != "fail":
                pytest.skip(f"cannot tell: {check.message}")
            fails = True
        if fails:
            raise GateFailure(f"{check.task} {check.name}: {check.message}")

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """The message alone: the traceback is grue's and of no use."""
        from grue.core.errors import GrueError

        if isinstance(excinfo.value, (GateFailure, GrueError)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where it stands: the gate file."""
        return self.path, None, f"grue gate: {self.name}"
