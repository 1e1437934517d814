"""Why a job does not come to a result: a word for programs, a sentence for the submitter, and whose fault it is."""

from __future__ import annotations

import traceback
from dataclasses import dataclass

from grue.core.errors import CheckpointError, GrueError, SubmissionError

INVALID = "invalid-file"
BAD_CHECKPOINT = "bad-checkpoint"
OUT_OF_MEMORY = "out-of-memory"
NOT_NUMBERS = "nan-logits"
GENERATE_TIMEOUT = "generate-timeout"
SCORE_TIMEOUT = "score-timeout"
INTERNAL = "internal"

MOST_NOTE = 4000
# Said where a message could name what must not be seen: a path, a setting, a row of a hidden split.
OURS = "A fault of this service stopped it. It is tried once more by itself; after that the quota is given back."
MEMORY = "The checkpoint needs more memory than this service gives: submit a smaller one, or a smaller number type."
NAN = (
    "The checkpoint's scores for the next token are not numbers (NaN or infinite): save it in float32 or bfloat16, "
    "and run 'grue doctor -m FOLDER' on it."
)


@dataclass
class JobError(Exception):
    """A job ends without a result.

    Attributes:
        reason: A word with dashes.
        detail: The same for the submitter, with what to do; no paths, no secrets, no rows.
        is_ours: Whether it is tried again and costs no quota.
        note: What the people who run the service should know; never shown to a submitter.
    """

    reason: str
    detail: str
    is_ours: bool
    note: str = ""


class LostError(Exception):
    """The attempt is another worker's now, or was cancelled: nothing of it may be written any more."""


class StoppedError(Exception):
    """The worker was asked to stop in good order."""


def internal(note: str) -> JobError:
    """A fault of ours."""
    return JobError(INTERNAL, OURS, is_ours=True, note=note)


def too_slow(reason: str, hours: float) -> JobError:
    """A step that took longer than it may."""
    step = "Generating" if reason == GENERATE_TIMEOUT else "Scoring"
    fix = "submit a smaller or quicker checkpoint" if reason == GENERATE_TIMEOUT else "submit shorter texts"
    return JobError(reason, f"{step} took longer than {hours:g} hours, its limit: {fix}.", is_ours=False)


_OF_MEMORY = (
    "out of memory", "can't allocate memory", "cannot allocate memory", "not enough memory", "memoryerror", "bad_alloc",
    "failed to map segment", "can't start new thread",
)  # fmt: skip


def of_error(error: BaseException, *, is_hidden: bool = False) -> JobError:
    """What an error of a step means for its submission.

    Args:
        error: What was raised.
        is_hidden: Whether a message could show rows of a hidden split.
    """
    note = f"{type(error).__name__}: {error}"
    if isinstance(error, JobError):
        return error
    if isinstance(error, MemoryError) or is_memory(str(error)):
        return JobError(OUT_OF_MEMORY, MEMORY, is_ours=False, note=note)
    if isinstance(error, SubmissionError):
        shown = "The file does not fit the rows that are asked for." if is_hidden else told(error)
        return JobError(INVALID, shown, is_ours=False, note=note)
    if isinstance(error, CheckpointError):
        return JobError(BAD_CHECKPOINT, told(error), is_ours=False, note=note)
    return internal("".join(traceback.format_exception(error))[-MOST_NOTE:])


def is_memory(message: str) -> bool:
    """Whether a message says that memory ran out: of Python, torch, C++, the system or its loader."""
    text = message.lower()
    return any(sign in text for sign in _OF_MEMORY)


def told(error: GrueError) -> str:
    """Cause and fix of an error on one line; its place is left out, as it may be a path of this machine."""
    return " ".join(f"{error.cause} {error.fix}".split())[:1000]
