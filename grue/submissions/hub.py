"""Checkpoints by their hub id: pinned to a commit, listed before anything is fetched, from the configured hub alone.

No credential of this machine goes along: what a submitter cannot read, a board reads neither.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from grue.core.errors import CheckpointError, UsageError
from grue.core.reach import network_errors
from grue.submissions.model_files import file_problems, is_allowed, is_weights
from grue.submissions.values import UploadLimits

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SECONDS = 10.0
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a pinned checkpoint; ``sha256`` is ``None`` where the hub does not tell it."""

    name: str
    size: int
    sha256: str | None


@dataclass(frozen=True, slots=True)
class PinnedModel:
    """A checkpoint on the hub.

    Attributes:
        model: ``org/name``.
        revision: Full commit.
        files: Those that will be fetched, by name; others of the repository are never touched.
    """

    model: str
    revision: str
    files: tuple[HubFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def pinned(model: str, revision: str = "main", limits: UploadLimits | None = None) -> PinnedModel:
    """Ask the hub which commit a revision is now, and which files it has.

    Args:
        model: ``org/name``.
        revision: Branch, tag or commit.
        limits: How large it may be.

    Raises:
        UsageError: for a name or revision that is none; nothing is asked then.
        CheckpointError: where the hub does not know it or does not answer, or its files cannot be taken.
    """
    _check_names(model, revision)
    from huggingface_hub import HfApi
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

    shown = f"{model}@{revision}"
    _refuse_offline(shown)
    try:
        info = HfApi().model_info(model, revision=revision, timeout=_SECONDS, files_metadata=True, token=False)
    except GatedRepoError as error:
        raise _not_public(shown, "is gated") from error
    except RepositoryNotFoundError as error:
        raise _not_public(shown, "is not there, or private") from error
    except RevisionNotFoundError as error:
        raise CheckpointError(
            "The hub has no such revision of it.", "Give a branch, tag or commit.", place=shown
        ) from error
    except (HfHubHTTPError, *network_errors()) as error:
        raise CheckpointError(
            "The hub does not answer.", "Try again later, or upload the files.", place=shown
        ) from error
    commit = str(info.sha)
    if not _COMMIT.fullmatch(commit) or (_COMMIT.fullmatch(revision) and commit != revision):
        raise CheckpointError(f"The hub answers with another commit: {commit[:60]!r}.", "Give a commit.", place=shown)
    files = tuple(_file(entry) for entry in info.siblings or () if is_allowed(str(entry.rfilename)))
    found = PinnedModel(model, commit, tuple(sorted(files, key=lambda file: file.name)))
    return _checked(found, limits or UploadLimits(), shown)


def fetch(model: PinnedModel, folder: Path) -> None:
    """Download the files of a pinned checkpoint, each no longer than it was said to be, into a new folder.

    Raises:
        CheckpointError: where the hub does not answer or gives other files than it listed.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError

    shown = f"{model.model}@{model.revision[:12]}"
    _refuse_offline(shown)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder.parent) as top:
        whole = Path(top) / "whole"
        whole.mkdir()
        for file in model.files:
            try:
                found = Path(
                    hf_hub_download(
                        model.model, file.name, revision=model.revision, local_dir=Path(top) / "hub", token=False
                    )
                )
            except (EntryNotFoundError, HfHubHTTPError, *network_errors()) as error:
                raise CheckpointError(
                    f"The hub does not give {file.name}.", "Submit it again later.", place=shown
                ) from error
            if found.stat().st_size != file.size or file.sha256 not in (None, _sha256(found)):
                raise CheckpointError(
                    f"{file.name} is not the file that the hub listed.", "Submit it again later.", place=shown
                )
            shutil.move(found, whole / file.name)
        os.rename(whole, folder)


def _check_names(model: str, revision: str) -> None:
    if not _NAME.fullmatch(model) or ".." in model:
        raise UsageError("No model of the hub has such a name.", "Give it as org/name.", place=model[:200])
    if not _REVISION.fullmatch(revision) or ".." in revision:
        raise UsageError("This is no revision.", "Give a branch, tag or commit.", place=revision[:200])


def _refuse_offline(shown: str) -> None:
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise CheckpointError(
            "This board is offline and asks no hub.", "Upload the files, or submit predictions.", place=shown
        )


def _file(entry: object) -> HubFile:
    size, lfs = getattr(entry, "size", None), getattr(entry, "lfs", None)
    sha256 = getattr(lfs, "sha256", None)
    return HubFile(str(getattr(entry, "rfilename", "")), size if isinstance(size, int) else 0, sha256)


def _checked(model: PinnedModel, limits: UploadLimits, shown: str) -> PinnedModel:
    sizes = {file.name: file.size for file in model.files}
    if any(map(is_weights, sizes)) and "model.safetensors" in sizes:
        # A repository may hold the same weights twice, whole and in parts; the library takes the whole file.
        model = PinnedModel(
            model.model,
            model.revision,
            tuple(file for file in model.files if not is_weights(file.name) or file.name == "model.safetensors"),
        )
        sizes = {file.name: file.size for file in model.files}
    problems = file_problems(sizes, limits)
    if problems:
        told = " ".join(
            f"{problem.id}: {problem.problem}" if problem.id else problem.problem for problem in problems[:5]
        )
        raise CheckpointError(f"The checkpoint cannot be taken. {told}", problems[0].fix, place=shown)
    return model


def _not_public(shown: str, cause: str) -> CheckpointError:
    return CheckpointError(
        f"The model {cause} on the hub; a board takes public ones.", "Publish it, or upload its files.", place=shown
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
