"""What a checked upload says of itself: counts for the preview, or every fault with its fix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from grue.core.rows import Row
from grue.runs.prediction_lines import Problem as UploadProblem

if TYPE_CHECKING:  # the processes that read strangers' files start without the settings' library
    from grue.submissions.settings import ServiceSettings

__all__ = ["CheckedUpload", "Kind", "TaskCount", "UploadLimits", "UploadProblem", "refused"]

Kind = Literal["predictions", "run", "model"]
MAX_PROBLEMS = 100
_MEBIBYTE = 1 << 20
_GIBIBYTE = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadLimits:
    """How large an upload may be.

    Attributes:
        file_bytes: A prediction file or archive as it is sent.
        unpacked_bytes: The same after decompression; also the texts of an archive.
        model_bytes: A checkpoint, all files together.
    """

    file_bytes: int = 200 * _MEBIBYTE
    unpacked_bytes: int = 2000 * _MEBIBYTE
    model_bytes: int = 20 * _GIBIBYTE

    @classmethod
    def of(cls, settings: ServiceSettings) -> UploadLimits:
        """The limits that the settings say."""
        return cls(
            file_bytes=settings.upload_mb * _MEBIBYTE,
            unpacked_bytes=settings.unpacked_mb * _MEBIBYTE,
            model_bytes=int(settings.model_gb * _GIBIBYTE),
        )


@dataclass(frozen=True, slots=True)
class TaskCount:
    """What an upload holds of a task.

    Attributes:
        rows: Rows it answers.
        expected: Rows it has to answer.
        empty: Predictions without a word.
        samples: Predictions a row.
        mean_words: Words a prediction, by white space.
    """

    rows: int
    expected: int
    empty: int
    samples: int
    mean_words: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedUpload:
    """The outcome of checking an upload.

    Attributes:
        kind: ``predictions``, ``run`` or ``model``.
        tasks: Task -> what of it will be scored, in the order of the expected rows; empty for a model.
        first: Task, row and prediction of the first sound line; ``None`` where there is none.
        rows: Rows it answers, of all tasks.
        content_sha256: Hash of the content, the same whatever the form it was sent in; empty where it is not valid.
        problems: The first 100 faults.
        problem_count: All faults.
        notes: What was left out on purpose, for the preview.
    """

    kind: Kind
    tasks: Mapping[str, TaskCount] = field(default_factory=dict)
    first: tuple[str, Row, str] | None = None
    rows: int = 0
    content_sha256: str = ""
    problems: tuple[UploadProblem, ...] = ()
    problem_count: int = 0
    notes: tuple[str, ...] = ()

    @property
    def is_valid(self) -> bool:
        """Whether it can be scored as it is."""
        return self.problem_count == 0


def refused(kind: Kind, *problems: UploadProblem) -> CheckedUpload:
    """An upload that is wrong as a whole."""
    return CheckedUpload(kind=kind, problems=problems[:MAX_PROBLEMS], problem_count=len(problems))
