"""The files of an archive, one after another; nothing is ever written under a name of the archive's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from grue.runs.gunzip import MAGIC, gunzipped
from grue.submissions.findings import Fault
from grue.submissions.member_names import PACK_AGAIN, Member
from grue.submissions.tar_members import tar_members
from grue.submissions.zip_members import zip_members


def members(path: Path, max_bytes: int) -> Iterator[Member]:
    """The regular files of a ``.tar.gz`` or ``.zip``, told apart by their content.

    Args:
        path: The archive.
        max_bytes: How much is unpacked at most, of all of them.

    Raises:
        Fault: for a broken archive, one that unpacks to more, and for names and kinds that no run directory has.
    """
    with path.open("rb") as file:
        magic = file.read(4)
        file.seek(0)
        if magic.startswith(b"PK"):
            yield from zip_members(file, max_bytes)
        elif magic.startswith(MAGIC):
            yield from tar_members(gunzipped(file), max_bytes)
        else:
            raise Fault("This is no archive: neither .tar.gz nor .zip.", PACK_AGAIN)
