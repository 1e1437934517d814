"""Faults as they are found: the first hundred are kept, all are counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grue.submissions.values import MAX_PROBLEMS, UploadProblem

_LONGEST = 300


class Fault(Exception):  # noqa: N818  (no error: the finding that ends the reading of a file)
    """What is wrong with a file as a whole, and its fix."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.fix = fix


class Findings:
    """Problems and notes of one upload.

    Attributes:
        problems: The first hundred.
        count: All of them.
        notes: What was left out on purpose.
    """

    def __init__(self) -> None:
        self.problems: list[UploadProblem] = []
        self.count = 0
        self.notes: list[str] = []

    def add(self, place: str | None, problem: str, fix: str) -> None:
        """A fault; ``place`` is a file's name or a row's id."""
        self.count += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(UploadProblem(None, None if place is None else shown(place), shown(problem), fix))

    def to_json(self) -> dict[str, Any]:
        """For the process that asked."""
        problems = [[problem.id, problem.problem, problem.fix] for problem in self.problems]
        return {"problems": problems, "count": self.count, "notes": self.notes[:MAX_PROBLEMS]}

    @classmethod
    def of_json(cls, answer: Mapping[str, Any]) -> Findings:
        """What the process found."""
        findings = cls()
        findings.problems = [UploadProblem(None, *problem) for problem in answer["problems"]]
        findings.count = answer["count"]
        findings.notes = list(answer["notes"])
        return findings


def shown(text: str) -> str:
    """A text of the upload as a message may show it: one line of valid Unicode, not long."""
    plain = "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in text[:_LONGEST])
    return plain.encode("utf-8", "backslashreplace").decode()
