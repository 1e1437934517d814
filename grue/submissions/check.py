"""Checks what people upload, before anything of it is stored, queued or loaded; every fault comes with its fix."""

from __future__ import annotations

from grue.submissions.model_folder import check_model_folder
from grue.submissions.prediction_file import check_predictions
from grue.submissions.run_archive import check_run_archive
from grue.submissions.values import CheckedUpload, Kind, TaskCount, UploadLimits, UploadProblem

__all__ = [
    "CheckedUpload",
    "Kind",
    "TaskCount",
    "UploadLimits",
    "UploadProblem",
    "check_model_folder",
    "check_predictions",
    "check_run_archive",
]
