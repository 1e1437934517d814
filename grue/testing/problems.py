"""What a contract check found, in the terms of the plugin's author."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from grue.core.text import Json


@dataclass(frozen=True, slots=True)
class Problem:
    """One way in which a task breaks its contract.

    Attributes:
        check: Name of the check: ``structure``, ``metrics``, ``rows``, ``ids``, ``prompts``, ``references``,
            ``splits``, ``repeatable``, ``inputs``, ``postprocess`` or ``card``.
        problem: What is wrong.
        fix: What to change in the plugin.
        place: Profile, split, row or record where it was found; empty where it concerns the task as a whole.
    """

    check: str
    problem: str
    fix: str
    place: str = ""

    def __str__(self) -> str:
        place = f" ({self.place})" if self.place else ""
        return f"{self.check}{place}: {self.problem} {self.fix}"

    def to_json(self) -> dict[str, Json]:
        """The object that ``grue tasks validate --json`` prints."""
        return {**asdict(self)}
