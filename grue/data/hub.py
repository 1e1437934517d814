"""Brings pinned files of the Hugging Face hub to disk; loads huggingface_hub when called.

Local copies come first. The hub is asked once a process whether it answers, for at most 5 seconds; after a failure,
and offline, only local files are looked at.
"""

from __future__ import annotations

import re
from pathlib import Path

from grue.core import reach
from grue.core.errors import TaskDataError
from grue.core.source import HubSource

_COMMIT = re.compile(r"[0-9a-f]{40}")


def hub_file(source: HubSource, path: str, *, offline: bool = False) -> Path:
    """The local copy of one file at the pinned commit, downloaded where it is not there yet.

    Raises:
        TaskDataError: where the file cannot be had; says why and what to do.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    _check_pin(source)
    local = local_hub_file(source, path)
    if local is not None:
        return local
    reason = "--offline or HF_HUB_OFFLINE=1 is set" if offline else reach.unreachable()
    if reason:
        raise _not_here(source, path, reason)
    try:
        return Path(
            hf_hub_download(
                source.id, path, repo_type="dataset", revision=source.revision, etag_timeout=reach.PROBE_SECONDS
            )
        )
    except LocalEntryNotFoundError as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        reach.give_up(reason)
        raise _not_here(source, path, reason) from error
    except HfHubHTTPError as error:
        raise http_fault(source, path, error) from error
    except reach.network_errors() as error:
        raise TaskDataError(
            f"The download broke off: {type(error).__name__}: {error}",
            "Run the same command again; check the disk and the connection.",
            place=_place(source, path),
        ) from error


def local_hub_file(source: HubSource, path: str) -> Path | None:
    """The copy in the hub's cache, without any request; ``None`` where there is none."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(
            hf_hub_download(source.id, path, repo_type="dataset", revision=source.revision, local_files_only=True)
        )
    except LocalEntryNotFoundError:
        return None


def check_revision(source: HubSource) -> None:
    """Ask the hub whether the pinned commit is still there.

    Raises:
        TaskDataError: where the hub does not answer, or has no such set or commit.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    _check_pin(source)
    reason = reach.unreachable()
    if reason:
        raise TaskDataError(
            f"The hub does not answer: {reason}.", "Check the connection, or fetch with --offline what is cached."
        )
    try:
        found = HfApi().dataset_info(source.id, revision=source.revision, timeout=reach.PROBE_SECONDS).sha
    except HfHubHTTPError as error:
        raise http_fault(source, "", error) from error
    except reach.network_errors() as error:
        raise TaskDataError(
            f"The hub does not answer: {error}.", "Run the same command again.", place=_place(source, "")
        ) from error
    if found != source.revision:
        raise TaskDataError(
            f"The hub resolves the pinned commit {source.revision} to {found}.",
            "The pin is wrong: report it, and use a folder or an exported bundle until it is mended.",
            place=source.id,
        )


def http_fault(source: HubSource, path: str, error: Exception) -> TaskDataError:
    """What an answer of the hub means, with the fix."""
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    place = _place(source, path)
    if isinstance(error, GatedRepoError):
        return TaskDataError(
            "The data set is gated.", f"Accept its terms on the page of {source.id}, then set HF_TOKEN.", place=place
        )
    if isinstance(error, RepositoryNotFoundError):
        return TaskDataError(
            "The hub has no such data set, or it is private.",
            "Set HF_TOKEN if it is private; else use a folder or an exported bundle.",
            place=place,
        )
    if isinstance(error, RevisionNotFoundError):
        return TaskDataError(
            "The hub no longer has the pinned commit.",
            "Use a folder or an exported bundle (--data DIR), and report the pin.",
            place=place,
        )
    if isinstance(error, EntryNotFoundError):
        return TaskDataError(
            "The pinned commit has no such file.",
            "Use a folder or an exported bundle (--data DIR), and report the pin.",
            place=place,
        )
    status = getattr(getattr(error, "response", None), "status_code", "an error")
    return TaskDataError(f"The hub answered {status}.", "Run the same command again later.", place=place)


def _check_pin(source: HubSource) -> None:
    if not _COMMIT.fullmatch(source.revision):
        raise TaskDataError(
            f"The revision {source.revision!r} is no commit of 40 hex digits.",
            "Pin a commit: branch names and short commits move or are not found offline.",
            place=source.id,
        )


def _not_here(source: HubSource, path: str, reason: str) -> TaskDataError:
    return TaskDataError(
        f"The file is not on this machine and the hub is not asked: {reason}.",
        "Run 'grue data fetch' where there is internet, or give --data mini or a folder (made by 'grue data export').",
        place=_place(source, path),
    )


def _place(source: HubSource, path: str) -> str:
    return f"{source.id}@{source.revision[:12]}/{path}" if path else f"{source.id}@{source.revision[:12]}"
