"""What was looked at in a run, what was found, and the answer that follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from grue.core.errors import Exit
from grue.core.text import Json

Status = Literal["passed", "failed", "not_checked", "not_asked"]
PASSED: Status = "passed"
FAILED: Status = "failed"
NOT_CHECKED: Status = "not_checked"
NOT_ASKED: Status = "not_asked"
# Differences that are named one by one; further ones are counted.
MOST_NAMED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: What kind of check: ``files``, ``documents``, ``rows``, ``data``, ``scores``, ``checkpoint``, ``texts``
            or ``costs``.
        status: ``passed``; ``failed``; ``not_checked``, a claim that could not be examined here, which keeps the
            answer from being yes; ``not_asked``, what this call leaves open and says so.
        message: What was found, in a sentence, with what was expected.
        task: The task it is about; ``None`` for the whole run.
        place: File and key, or row.
    """

    check: str
    status: Status
    message: str
    task: str | None = None
    place: str | None = None

    def to_json(self) -> dict[str, Json]:
        """The object of ``grue verify --json``."""
        return {
            "check": self.check,
            "status": self.status,
            "task": self.task,
            "place": self.place,
            "message": self.message,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """All findings about a run.

    Attributes:
        path: The run directory.
        run_id: Its id; ``None`` where the manifest cannot be read.
        identity: As the manifest says.
        findings: In the order they were made.
        spot_seed: Seed that chose the rows which were generated again; ``None`` where none were.
    """

    path: Path
    run_id: str | None
    identity: str | None
    findings: tuple[Finding, ...]
    spot_seed: int | None = None

    @property
    def verdict(self) -> str:
        """``yes``: all that was asked for holds; ``no``: something does not; ``partly``: a claim was left open."""
        found = {finding.status for finding in self.findings}
        return "no" if FAILED in found else "partly" if NOT_CHECKED in found else "yes"

    @property
    def exit_code(self) -> int:
        """0, 1 or 3."""
        return int({"yes": Exit.YES, "no": Exit.NO, "partly": Exit.PARTLY}[self.verdict])

    def to_json(self) -> dict[str, Json]:
        """The document of ``grue verify --json``, without its version."""
        return {
            "path": str(self.path),
            "run_id": self.run_id,
            "identity": self.identity,
            "verdict": self.verdict,
            "spot_seed": self.spot_seed,
            "findings": [finding.to_json() for finding in self.findings],
        }


def capped(findings: Sequence[Finding]) -> list[Finding]:
    """The first failures of one check, and a count of the others; what did not fail stays."""
    failures = [finding for finding in findings if finding.status == FAILED]
    others = [finding for finding in findings if finding.status != FAILED]
    if len(failures) <= MOST_NAMED:
        return [*failures, *others]
    more = len(failures) - MOST_NAMED
    last = Finding(check=failures[0].check, status=FAILED, task=failures[0].task, message=f"and {more:,} more")
    return [*failures[:MOST_NAMED], last, *others]
