"""``grue data fetch wordnet|punkt``: NLTK's packages that metrics read, from NLTK's own server into ``GRUE_HOME``.

What is placed has the layout of NLTK's data folder, so that ``NLTK_DATA`` may name it. An archive is bounded, read
whole in memory by the exact names that are wanted (nothing is unpacked by a name that the archive gives), checked,
and moved to its place in one step. NLTK publishes no fixed versions: the digest in a metric's signature tells
them apart.
"""

from __future__ import annotations

import os
import shutil
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grue.core.errors import TaskDataError, UsageError
from grue.core.text import nearest
from grue.data.archive import download
from grue.data.hashing import FileFacts, file_facts
from grue.metrics.text.wordnet import FETCHED, WordNet, fetched_path, read_files

ADDRESS = "https://raw.githubusercontent.com/nltk/nltk_data/gh-pages/packages"
MAX_ARCHIVE_BYTES = 1 << 26
_MAX_MEMBER_BYTES = 1 << 25
_PUNKT_FILES = ("abbrev_types.txt", "collocations.tab", "ortho_context.tab", "sent_starters.txt")
_BROKEN = (OSError, ValueError, KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Resource:
    """One package of NLTK's data.

    Attributes:
        archive: Path of its archive on the server.
        target: Where it is kept, from ``GRUE_HOME``.
        place: Checks a downloaded archive and puts it to its target.
        version: What the placed files say of themselves; empty where they say nothing.
        use: How a metric comes to read it.
    """

    archive: str
    target: Callable[[Path], Path]
    place: Callable[[Path, Path], None]
    version: Callable[[Path], str]
    use: str


@dataclass(frozen=True, slots=True)
class FetchedResource:
    """What one package came to.

    Attributes:
        name: ``wordnet`` or ``punkt``.
        path: File or folder.
        version: What it says of itself; empty where it says nothing.
        files: File name -> checksum and size.
        use: How a metric comes to read it.
    """

    name: str
    path: Path
    version: str
    files: Mapping[str, FileFacts]
    use: str


def check_names(names: Sequence[str]) -> None:
    """Refuse what cannot be fetched, before anything is.

    Raises:
        UsageError: for an unknown name.
    """
    for name in names:
        if name not in RESOURCES:
            raise UsageError(
                f"There is nothing called {name!r} to fetch.{nearest(name, RESOURCES)}",
                f"Name one of: {', '.join(RESOURCES)}; tasks are named by -t.",
            )


def fetch_resource(name: str, *, home: Path, offline: bool = False) -> FetchedResource:
    """Download a package where it is not there yet.

    Args:
        name: ``wordnet`` or ``punkt``.
        home: Folder of caches.
        offline: Look at local files only.

    Raises:
        UsageError: for an unknown name.
        TaskDataError: where it cannot be had, is too large or is not what it should be; nothing is left in its place.
    """
    check_names([name])
    resource = RESOURCES[name]
    target = resource.target(home)
    if not target.exists():
        url = f"{ADDRESS}/{resource.archive}"
        partial = home / "nltk_data" / f"{name}.partial"
        fix = f"Run 'grue data fetch {name}' where there is internet, or point NLTK_DATA to a folder that has it."
        download(url, partial, MAX_ARCHIVE_BYTES, offline=offline, fix=fix)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            resource.place(partial, target)
            _keep_to_owner(target, home)
        except _BROKEN as error:
            raise TaskDataError(
                f"What came is not NLTK's {name}: {error}.", "Run the same command again later.", place=url
            ) from error
        finally:
            partial.unlink(missing_ok=True)
    paths = sorted(target.iterdir()) if target.is_dir() else [target]
    files = {path.name: file_facts(path) for path in paths}
    return FetchedResource(name, target, resource.version(target), files, resource.use)


def punkt_path(home: Path) -> Path:
    """Folder of the English Punkt model."""
    return home / "nltk_data" / "tokenizers" / "punkt_tab" / "english"


def _keep_to_owner(target: Path, home: Path) -> None:
    """Take the right to write from all but the owner: NLTK reads nothing that others could have changed."""
    folder = home / "nltk_data"
    inside = list(target.iterdir()) if target.is_dir() else []
    above = [parent for parent in target.parents if parent.is_relative_to(folder)]
    for path in (*inside, target, *above):
        path.chmod(path.stat().st_mode & ~0o022)


def _place_wordnet(partial: Path, target: Path) -> None:
    WordNet(FETCHED, read_files(partial, "wordnet/"))
    partial.replace(target)


def _wordnet_version(target: Path) -> str:
    try:
        return WordNet(FETCHED, read_files(target, "wordnet/")).signature()
    except _BROKEN as error:
        raise TaskDataError(
            f"This is not NLTK's wordnet: {error}.", "Remove it and fetch again.", place=str(target)
        ) from error


def _place_punkt(partial: Path, target: Path) -> None:
    contents = {}
    with zipfile.ZipFile(partial) as archive:
        for name in _PUNKT_FILES:
            with archive.open(f"punkt_tab/english/{name}") as member:
                contents[name] = member.read(_MAX_MEMBER_BYTES + 1)
            if not 0 < len(contents[name]) <= _MAX_MEMBER_BYTES:
                raise ValueError(f"{name} has {len(contents[name])} bytes or more")
            contents[name].decode("utf-8")
    # Beside the target and not in the system's temporary folder: a rename across disks would not be one step.
    temporary = target.with_name(f".english.{os.getpid()}.tmp")
    temporary.mkdir()
    try:
        for name, content in contents.items():
            (temporary / name).write_bytes(content)
        temporary.replace(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


RESOURCES: Mapping[str, Resource] = {
    "wordnet": Resource(
        "corpora/wordnet.zip",
        fetched_path,
        _place_wordnet,
        _wordnet_version,
        "METEOR reads it with --set meteor.wordnet=true --set meteor.wordnet_data=fetched.",
    ),
    "punkt": Resource(
        "tokenizers/punkt_tab.zip",
        punkt_path,
        _place_punkt,
        lambda _: "",
        "Tokenisers named nltk read it where NLTK_DATA names its folder nltk_data.",
    ),
}
