"""Where a checkpoint lies: a folder here, or a hub id whose files are fetched or found in the local cache."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from grue.checkpoints.reading import first_line
from grue.core import reach
from grue.core.errors import CheckpointError

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Located:
    """A checkpoint's folder; ``kind`` is ``local``, ``hub`` or ``demo``, ``revision`` a 40-hex commit of the hub."""

    folder: Path
    kind: str
    revision: str | None
    name: str


def locate(
    model: str, *, offline: bool = False, allow_pickle: bool = False, trust_remote_code: bool = False, flag: str = "-m"
) -> Located:
    """Find a checkpoint: an existing folder first, else a hub id.

    The hub is asked once a process, for at most five seconds; after a failure, and offline, only the local cache is
    looked at.

    Args:
        model: Folder, or hub id ``org/name`` or ``org/name@revision``.
        offline: Look at local files only.
        allow_pickle: Fetch pickle weights where a repository has no others.
        trust_remote_code: Fetch code too.
        flag: What the user wrote before the name, for messages.

    Raises:
        CheckpointError: where there is no such folder, or the id is neither on the hub nor in the cache.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        return Located(folder, "local", None, folder.resolve().name or "model")
    if folder.is_file():
        raise CheckpointError(
            f"{flag} names a file; a checkpoint is a folder.", "Give the folder that holds it.", place=model
        )
    if not _HUB_ID.fullmatch(model) or model.startswith((".", "~")):
        raise CheckpointError(
            f"No such folder: {model}",
            "Give a checkpoint folder, or a hub id of the form org/name or org/name@revision.",
        )
    repo, _, revision = model.partition("@")
    wanted = _Wanted(allow_pickle, trust_remote_code)
    found, commit = _snapshot(repo, revision or None, wanted, offline=offline)
    return Located(found, "hub", commit, repo.partition("/")[2])


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which files of a repository a run may take besides the safe ones."""

    pickle: bool
    code: bool


def _snapshot(repo: str, revision: str | None, wanted: _Wanted, *, offline: bool) -> tuple[Path, str]:
    """The folder of a snapshot and its commit."""
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    shown = f"{repo}@{revision}" if revision else repo
    reason = "--offline or HF_HUB_OFFLINE=1 is set" if offline else reach.unreachable()
    if not reason:
        try:
            info = HfApi().model_info(repo, revision=revision, timeout=reach.PROBE_SECONDS)
            names = [str(entry.rfilename) for entry in info.siblings or ()]
            # By the name that the user gave, so that the cache remembers which commit it stood for.
            folder = Path(snapshot_download(repo, revision=revision, allow_patterns=_patterns(names, wanted)))
            return folder, folder.name
        except GatedRepoError as error:
            raise CheckpointError(
                f"{repo} is gated on the hub.", "Accept its terms there and set HF_TOKEN.", place=shown
            ) from error
        except RevisionNotFoundError as error:
            raise CheckpointError(
                f"{repo} has no revision {revision!r} on the hub.", "Give a branch, tag or commit of it.", place=shown
            ) from error
        except RepositoryNotFoundError as error:
            raise CheckpointError(
                f"No such folder here, and no such model on the hub: {repo}.",
                "Check the name; for a private model set HF_TOKEN.",
                place=shown,
            ) from error
        except (HfHubHTTPError, HFValidationError, EntryNotFoundError) as error:
            reason = first_line(error)
        except reach.network_errors() as error:
            reason = first_line(error)
            reach.give_up(reason)
    cached = _cached(repo, revision or "main")
    if cached is None:
        raise CheckpointError(
            f"{shown} is neither a folder here nor in the local cache, and the hub was not asked or did not answer"
            f" ({reason}).",
            "Fetch it once with internet, or give a folder.",
        )
    return cached, cached.name


def _cached(repo: str, revision: str) -> Path | None:
    """The snapshot in the library's cache, by its layout: ``refs/<name>`` holds a commit, ``snapshots/<commit>`` files.

    The library's own look-up refuses a snapshot of which some files were left out on purpose.
    """
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE) / f"models--{repo.replace('/', '--')}"
    ref = folder / "refs" / revision
    commit = ref.read_text().strip() if not _COMMIT.fullmatch(revision) and ref.is_file() else revision
    snapshot = folder / "snapshots" / commit
    return snapshot if _COMMIT.fullmatch(commit) and snapshot.is_dir() else None


def _patterns(names: list[str], wanted: _Wanted) -> list[str]:
    """Files at the top of a repository that a run needs; pickle weights only where allowed and nothing else is."""
    top = [name for name in names if "/" not in name]
    endings = [".json", ".model", ".txt", ".jinja", ".spm", ".codes"]
    if wanted.code:
        endings.append(".py")
    plain = [name for name in top if name.endswith(tuple(endings))]
    safe = [name for name in top if re.fullmatch(r"model(-\d+-of-\d+)?\.safetensors", name)]
    if not safe and wanted.pickle:
        safe = [name for name in top if re.fullmatch(r"pytorch_model(-\d+-of-\d+)?\.bin", name)]
    return plain + safe
