"""Checks a checkpoint before anything of it is loaded."""

from __future__ import annotations

from pathlib import Path

from grue.submissions.values import CheckedUpload, UploadLimits, UploadProblem, refused


def check_model_folder(folder: Path, limits: UploadLimits) -> CheckedUpload:
    """Check a folder of safetensors, config and tokenizer."""
    return refused("model", UploadProblem(None, None, "Checkpoints are not read yet.", "Send the predictions."))
