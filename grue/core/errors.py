"""What can go wrong, for a user: each error says the cause and the fix, and carries its exit code."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of every command."""

    YES = 0
    NO = 1
    WRONG_CALL = 2
    PARTLY = 3
    NOT_COMPARABLE = 4
    BUG = 70
    INTERRUPTED = 130


class GrueError(Exception):
    """Base of all errors that a user can act on; printed without a traceback.

    Args:
        cause: What is wrong, with the object and what was found instead of what was expected.
        fix: One action that mends it; empty where none is known.
        place: File, line, row or flag; empty where the cause names it already.
    """

    exit_code = Exit.WRONG_CALL

    def __init__(self, cause: str, fix: str = "", *, place: str = "") -> None:
        self.cause = cause
        self.fix = fix
        self.place = place
        super().__init__(cause)

    def __str__(self) -> str:
        head = f"{self.place}: {self.cause}" if self.place else self.cause
        return f"{head}\n{self.fix}" if self.fix else head

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments are lost by the default pickling; errors cross process borders.
        return (_rebuild, (type(self), self.cause, self.fix, self.place))


def _rebuild(kind: type[GrueError], cause: str, fix: str, place: str) -> GrueError:
    return kind(cause, fix, place=place)


class UsageError(GrueError):
    """A flag, name or value of the call is wrong."""


class TaskDataError(GrueError):
    """A record or row is faulty; ``place`` names file and line."""


class TaskContractError(GrueError):
    """A task plugin does not keep the contract of a task."""


class CheckpointError(GrueError):
    """A model folder cannot be used as it is."""


class RunDirectoryError(GrueError):
    """A run directory cannot be read, written or continued."""


class NotComparableError(GrueError):
    """Two results differ in split, rows, prompts, task version or metric signature."""

    exit_code = Exit.NOT_COMPARABLE


class SubmissionError(GrueError):
    """A prediction file is faulty."""


class StoreError(GrueError):
    """The results store cannot be reached, read or written, or refuses a change."""


class MissingExtraError(GrueError):
    """An optional package is not installed; the fix names the extra."""


class MetricUnavailableError(GrueError):
    """A metric cannot be computed here: it is absent, with this cause as its reason, never 0."""


class PartialRunError(GrueError):
    """Something failed after generation began; what finished is stored."""

    exit_code = Exit.PARTLY
