"""The gate's answer as JUnit XML, the format that CI servers show as test results.

A check is a test case. A regression is its ``failure``; a crashed, unreadable or not comparable run is an ``error``,
which servers show apart from failures; "cannot tell" is ``skipped`` with its message, or a ``failure`` where it is to
fail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET  # written here, never read: no foreign XML is parsed

from grue.gate.report import Check, Outcome, Report

# What XML 1.0 allows as a character (section 2.2); anything else of a run's text would make the file unreadable.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SUITE = "grue gate"
_ELEMENTS = {
    Outcome.FAIL: ("failure", "regression"),
    Outcome.NOT_COMPARABLE: ("error", "not comparable"),
    Outcome.INFRASTRUCTURE: ("error", "infrastructure"),
}


def junit_xml(report: Report) -> bytes:
    """The whole file, UTF-8 with declaration; equal reports give equal bytes."""
    cases = list(_cases(report))
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": str(sum(case.find("error") is not None for case in cases)),
        "skipped": str(sum(case.find("skipped") is not None for case in cases)),
    }
    top = ET.Element("testsuites", {"name": SUITE, **counts})
    suite = ET.SubElement(top, "testsuite", {"name": SUITE, **counts, "time": "0"})
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(report):
        ET.SubElement(properties, "property", {"name": name, "value": _clean(value)})
    suite.extend(cases)
    if report.notes:
        ET.SubElement(suite, "system-out").text = _clean("\n".join(report.notes))
    ET.indent(top)
    body: bytes = ET.tostring(top, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body + b"\n"


def _properties(report: Report) -> Iterator[tuple[str, str]]:
    yield "outcome", str(report.outcome)
    yield "exit_code", str(int(report.exit_code))
    for role, side in (("baseline", report.baseline), ("candidate", report.candidate)):
        yield role, side.place
        if side.run_id:
            yield f"{role}_run_id", side.run_id


def _cases(report: Report) -> Iterator[ET.Element]:
    for problem in report.problems:
        case = _case("run", problem.place)
        _say(case, problem.outcome, problem.message, f"{problem.place}: {problem.message}\n{problem.fix}")
        yield case
    for check in report.checks:
        case = _case(check.task, check.name)
        outcome = check.outcome
        if outcome is Outcome.UNCERTAIN and report.uncertain == "fail":
            outcome = Outcome.FAIL
        _say(case, outcome, check.message, _details(check))
        yield case


def _case(group: str, name: str) -> ET.Element:
    return ET.Element("testcase", {"classname": _clean(f"grue.gate.{group}"), "name": _clean(name), "time": "0"})


def _say(case: ET.Element, outcome: Outcome, message: str, details: str) -> None:
    if outcome is Outcome.UNCERTAIN:
        ET.SubElement(case, "skipped", {"message": _clean(f"cannot tell: {message}")})
    elif outcome in _ELEMENTS:
        element, kind = _ELEMENTS[outcome]
        ET.SubElement(case, element, {"message": _clean(message), "type": kind}).text = _clean(details)
    if outcome in (Outcome.PASS, Outcome.UNCERTAIN):
        ET.SubElement(case, "system-out").text = _clean(details)


def _details(check: Check) -> str:
    lines = [check.message]
    for label, value in (
        ("baseline", check.baseline),
        ("candidate", check.candidate),
        ("allowed drop", check.allowed),
        ("p after Holm", check.p_adjusted),
        ("rows", check.n),
    ):
        if value is not None:
            lines.append(f"{label}: {value!r}")
    if check.difference_ci95 is not None:
        low, high = check.difference_ci95
        lines.append(f"difference, 95 %: {low!r} to {high!r}")
    if check.fields:
        lines.append(f"fields that differ: {', '.join(check.fields)}")
    return "\n".join(lines)


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
