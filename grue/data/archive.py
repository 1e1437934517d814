"""Brings a publisher's archive to disk: streamed, bounded, checked before it is opened."""

from __future__ import annotations

import http.client
import os
import urllib.error
import urllib.request
from pathlib import Path

from grue.core.errors import TaskDataError
from grue.core.source import HubSource
from grue.data.hashing import file_facts

TIMEOUT_SECONDS = 5.0
UNKNOWN_LIMIT_BYTES = 1 << 32
_CHUNK_BYTES = 1 << 20
# Addresses that failed in this process, and why: each is tried once.
_failed: dict[str, str] = {}


def archive_file(source: HubSource, name: str, *, home: Path, offline: bool = False) -> Path:
    """The local copy of an archive, downloaded where it is not there yet; a broken download goes on where it stopped.

    Raises:
        TaskDataError: where it cannot be had, is too large, or has another checksum than documented.
    """
    local = local_archive(source, name, home)
    if local is not None:
        return local
    target = archive_path(source, name, home)
    partial = target.with_name(f"{name}.partial")
    download(
        source.url,
        partial,
        source.sizes.get(name, UNKNOWN_LIMIT_BYTES),
        offline=offline,
        fix="Run 'grue data fetch' where there is internet, or give --data mini or a folder.",
    )
    _check(source, name, partial)
    partial.replace(target)
    return target


def local_archive(source: HubSource, name: str, home: Path) -> Path | None:
    """The copy on this machine, or ``None``."""
    target = archive_path(source, name, home)
    return target if target.is_file() else None


def archive_path(source: HubSource, name: str, home: Path) -> Path:
    """Where the archive is kept; the checksum in the path tells versions apart."""
    return home / "data" / "archives" / source.revision.removeprefix("sha256:")[:16] / name


def download(url: str, partial: Path, limit_bytes: int, *, offline: bool, fix: str) -> None:
    """Download to a partial file, going on where an earlier call stopped; an address is tried once a process.

    Args:
        url: Address of the file.
        partial: Where its bytes go; its folder is made.
        limit_bytes: Size at which the download is given up and the file removed.
        offline: Ask for nothing.
        fix: What to do where it may not be asked for.

    Raises:
        TaskDataError: where it cannot be had, may not be asked for, or is too large.
    """
    offline = offline or _env_offline()
    reason = "--offline or HF_HUB_OFFLINE=1 is set" if offline else _failed.get(url, "")
    if reason:
        raise TaskDataError(f"The archive is not on this machine and not asked for: {reason}.", fix, place=url)
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        _download(url, partial, limit_bytes)
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        said = error if isinstance(error, urllib.error.HTTPError) else getattr(error, "reason", error)
        _failed[url] = str(said) or type(error).__name__
        raise TaskDataError(
            f"The archive cannot be downloaded: {_failed[url]}.",
            "Run the same command again; check the connection and the disk.",
            place=url,
        ) from error


def _download(url: str, partial: Path, limit_bytes: int) -> None:
    start = partial.stat().st_size if partial.exists() else 0
    if start >= limit_bytes:
        partial.unlink()
        start = 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
        resumed = answer.status == 206
        size = start if resumed else 0
        expected = int(answer.headers.get("Content-Length") or -1)
        with partial.open("ab" if resumed else "wb") as file:
            got = 0
            while chunk := answer.read(_CHUNK_BYTES):
                got += len(chunk)
                if size + got > limit_bytes:
                    file.close()
                    partial.unlink()
                    raise TaskDataError(
                        f"The archive is larger than the {limit_bytes} bytes it should have.",
                        "The publisher's file has changed: use a folder or an exported bundle, and report it.",
                        place=url,
                    )
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if 0 <= got < expected:
            raise OSError(f"the connection broke after {size + got} bytes")


def _check(source: HubSource, name: str, partial: Path) -> None:
    wanted = source.sha256.get(name)
    found = file_facts(partial).sha256
    if wanted is None or found == wanted:
        return
    partial.unlink()
    raise TaskDataError(
        f"The archive's SHA-256 is {found}, the pin says {wanted}.",
        "Run the same command again; if it stays so, the publisher's file has changed: use a folder or a bundle.",
        place=source.url,
    )


def _env_offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}
