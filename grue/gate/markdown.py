"""The gate's answer as Markdown for a comment on a pull request; text of runs is escaped."""

from __future__ import annotations

from collections.abc import Iterator

from grue.exchange.text import markdown_text
from grue.gate.cells import HEADINGS, MARKS, cells
from grue.gate.report import Outcome, Report, SideInfo

# A hidden mark by which a bot finds its earlier comment and replaces it.
MARK = "<!-- grue-gate -->"
_NUMBERS = range(2, 8)


def markdown_page(report: Report) -> str:
    """The whole comment."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield MARK
    yield f"## {MARKS[report.outcome]} grue gate: {report.outcome}"
    yield ""
    yield f"{_side(report.candidate)} against the baseline {_side(report.baseline)}. {_meaning(report)}"
    for problem in report.problems:
        yield ""
        yield (
            f"**{problem.outcome}**: {markdown_text(problem.place)}: {markdown_text(problem.message)} "
            + markdown_text(problem.fix)
        )
    if report.checks:
        yield ""
        yield f"| | {' | '.join(HEADINGS)} |"
        yield "| --- | " + " | ".join("---:" if place in _NUMBERS else "---" for place in range(len(HEADINGS))) + " |"
        for check in report.checks:
            # Names are text of others; all other cells are made here.
            task, name, *rest = cells(check)
            yield f"| {MARKS[check.outcome]} | {' | '.join((markdown_text(task), markdown_text(name), *rest))} |"
    told = [check for check in report.checks if check.outcome is not Outcome.PASS]
    if told:
        yield ""
        for check in told:
            name = f"{markdown_text(check.task)} {markdown_text(check.name)}"
            yield f"- {MARKS[check.outcome]} **{name}**: {markdown_text(check.message)}"
    if report.notes:
        yield ""
        yield "<details><summary>Notes</summary>"
        yield ""
        for note in report.notes:
            yield f"- {markdown_text(note)}"
        yield ""
        yield "</details>"


def _side(side: SideInfo) -> str:
    name = markdown_text(side.name) if side.name else markdown_text(side.place)
    return f"**{name}**" + (f" (run {markdown_text(side.run_id)})" if side.run_id else "")


def _meaning(report: Report) -> str:
    level = f"{100 * report.level:g} %"
    meanings = {
        Outcome.PASS: "No drop beyond the tolerance.",
        Outcome.FAIL: f"At least one drop is beyond the tolerance and beyond noise (one-sided {level}, Holm).",
        Outcome.UNCERTAIN: "A drop is beyond the tolerance, but these rows cannot tell it from noise.",
        Outcome.NOT_COMPARABLE: "Data, prompts, task or metric are not the baseline's: no answer about quality.",
        Outcome.INFRASTRUCTURE: "A run crashed, is partial or cannot be read: no answer about quality.",
    }
    return meanings[report.outcome]
