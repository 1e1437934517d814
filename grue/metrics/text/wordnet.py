"""Synonyms from Princeton's WordNet files, by the rules of NLTK's reader and much faster than it.

Miller 1995; Fellbaum 1998. For METEOR a word's synonyms are the lemmas of all its synsets: the word is looked up as
it stands and in the base forms that NLTK 3.10's ``morphy`` gives (exception lists first, else endings), in nouns,
verbs, adjectives and adverbs. Only the twelve files that this needs are read, as bytes, from a folder or a zip
archive; index lines are split when a word is asked for, so opening takes a fraction of a second.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from grue.core.errors import MetricUnavailableError

NLTK = "nltk"
FETCHED = "fetched"
MAX_FILE_BYTES = 1 << 26
_POS = ("noun", "verb", "adj", "adv")
FILES = tuple(sorted(name for pos in _POS for name in (f"index.{pos}", f"data.{pos}", f"{pos}.exc")))
# Endings and what they become, per part of speech: WordNet's rules of detachment as NLTK lists them.
_ENDINGS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "noun": (
        ("s", ""),
        ("ses", "s"),
        ("ves", "f"),
        ("xes", "x"),
        ("zes", "z"),
        ("ches", "ch"),
        ("shes", "sh"),
        ("men", "man"),
        ("ies", "y"),
    ),
    "verb": (
        ("s", ""),
        ("ies", "y"),
        ("es", "e"),
        ("es", ""),
        ("ed", "e"),
        ("ed", ""),
        ("ing", "e"),
        ("ing", ""),
    ),
    "adj": (("er", ""), ("est", ""), ("er", "e"), ("est", "e")),
    "adv": (),
}
_VERSION = re.compile(rb"Word[nN]et (\d+(?:\.\d+)*) Copyright")
# A lemma may end in a syntactic marker: "galore(ip)".
_MARKER = re.compile(r"\([^()]*\)$")
_MAX_KNOWN = 1 << 17


class WordNet:
    """The synonyms of one set of WordNet files.

    Attributes:
        source: Where the files came from: ``nltk``, ``fetched`` or ``path``.
        version: What the files say of themselves, such as ``3.0``.
        digest: SHA-256 over names and contents of the files, 64 hex digits.
    """

    def __init__(self, source: str, files: Mapping[str, bytes]) -> None:
        """Index the files.

        Args:
            source: ``nltk``, ``fetched`` or ``path``.
            files: Name -> content of all ``FILES``.

        Raises:
            ValueError: where an index or exception list is none.
        """
        found = _VERSION.search(files["data.noun"][:4096])
        self.source = source
        self.version = found.group(1).decode() if found else "unknown"
        self.digest = _digest(files)
        self._data = {pos: files[f"data.{pos}"] for pos in _POS}
        self._index = {pos: _index(files[f"index.{pos}"].decode("utf-8")) for pos in _POS}
        self._exceptions = {pos: _exceptions(files[f"{pos}.exc"].decode("utf-8")) for pos in _POS}
        self._known: dict[str, frozenset[str]] = {}
        if not self._index["noun"]:
            raise ValueError("index.noun has no entries")

    def signature(self) -> str:
        """Version, source and digest, such as ``3.0[nltk:0123456789ab]``."""
        return f"{self.version}[{self.source}:{self.digest[:12]}]"

    def synonyms(self, word: str) -> frozenset[str]:
        """Lemmas of one word (none with a blank) in all synsets of the word, itself among them where it has any.

        Raises:
            ValueError: where index and data files do not belong together.
        """
        known = self._known.get(word)
        if known is None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            known = self._known[word] = frozenset(self._look_up(word.lower()))
        return known

    def _look_up(self, word: str) -> Iterable[str]:
        for pos in _POS:
            for form in self._forms(word, pos):
                fields = self._index[pos][form].split()
                for offset in fields[len(fields) - int(fields[1]) :]:
                    yield from self._lemmas(pos, offset)

    def _forms(self, word: str, pos: str) -> Iterable[str]:
        index = self._index[pos]
        forms = self._exceptions[pos].get(word)
        if forms is None:
            forms = [word[: -len(old)] + new for old, new in _ENDINGS[pos] if word.endswith(old)]
        return dict.fromkeys(form for form in (word, *forms) if form in index)

    def _lemmas(self, pos: str, offset: str) -> Iterable[str]:
        data, start = self._data[pos], int(offset)
        end = data.find(b"\n", start)
        fields = data[start : end if end >= 0 else len(data)].split(b" | ", 1)[0].decode("utf-8").split()
        if len(fields) < 4 or fields[0] != offset.zfill(8):
            raise ValueError(f"WordNet: data.{pos} has no synset at {offset}, which index.{pos} names")
        count = int(fields[3], 16)
        for name in fields[4 : 4 + 2 * count : 2]:
            if "_" not in name:
                yield _MARKER.sub("", name)


def open_wordnet(where: str, home: Path) -> WordNet:
    """The WordNet that a setting names; no other is tried in its place.

    Args:
        where: ``nltk`` for the corpus that NLTK finds, ``fetched`` for what ``grue data fetch wordnet`` brought, else
            the path of a folder or zip archive with Princeton's files.
        home: Folder of caches (``GRUE_HOME``).

    Raises:
        MetricUnavailableError: where it is not there or cannot be read; the cause names the fix.
    """
    if where == NLTK:
        source, path, inside = NLTK, *_nltk_place()
    elif where == FETCHED:
        source, path, inside = FETCHED, fetched_path(home), "wordnet/"
        if not path.is_file():
            raise MetricUnavailableError(
                f"WordNet was not fetched: there is no {path}; run 'grue data fetch wordnet', or use another "
                "meteor.wordnet_data"
            )
    else:
        source, path, inside = "path", Path(where).expanduser(), ""
        if not path.exists():
            raise MetricUnavailableError(
                f"meteor.wordnet_data: there is no {where!r}; give nltk, fetched, or a folder with Princeton's files "
                "(Debian's package wordnet-base installs /usr/share/wordnet)"
            )
    try:
        facts = path.stat()
        return _load(source, str(path), inside, facts.st_mtime_ns, facts.st_size)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        said = error.args[0] if isinstance(error, KeyError) else error
        raise MetricUnavailableError(
            f"WordNet at {path} cannot be read: {said}; put the files there again or use another meteor.wordnet_data"
        ) from error


def fetched_path(home: Path) -> Path:
    """Where ``grue data fetch wordnet`` puts the archive: a folder that NLTK_DATA may name as well."""
    return home / "nltk_data" / "corpora" / "wordnet.zip"


def read_files(path: Path, inside: str = "") -> dict[str, bytes]:
    """The files that synonyms need, from a folder or from a zip archive; nothing is unpacked to disk.

    Args:
        path: Folder or archive.
        inside: Folder inside the archive, with its slash; empty to look for one that holds ``index.noun``.

    Raises:
        OSError: where something cannot be read.
        ValueError: where a file is missing or larger than ``MAX_FILE_BYTES``.
        zipfile.BadZipFile: for an archive that is none.
    """
    if path.is_dir():
        return {name: _bounded(name, (path / name).stat().st_size, path / name) for name in FILES}
    with zipfile.ZipFile(path) as archive:
        members = set(archive.namelist())
        if not inside:
            inside = next((prefix for prefix in ("", "wordnet/", "dict/") if f"{prefix}index.noun" in members), "")
        files = {}
        for name in FILES:
            if f"{inside}{name}" not in members:
                raise ValueError(f"the archive holds no {inside}{name}")
            with archive.open(f"{inside}{name}") as member:
                # The size an archive declares is not to be trusted: what is read counts.
                files[name] = member.read(MAX_FILE_BYTES + 1)
            _check_size(name, len(files[name]))
        return files


def _nltk_place() -> tuple[Path, str]:
    import nltk

    try:
        found = nltk.data.find("corpora/wordnet/index.noun")
    except LookupError as error:
        raise MetricUnavailableError(
            "NLTK's WordNet is not installed: run 'python -m nltk.downloader wordnet', set NLTK_DATA to a folder that "
            "holds corpora/wordnet, or run 'grue data fetch wordnet' and use --set meteor.wordnet_data=fetched"
        ) from error
    if hasattr(found, "zipfile"):
        return Path(found.zipfile.filename), str(found.entry).removesuffix("index.noun")
    return Path(str(found.path)).parent, ""


@lru_cache(maxsize=4)
def _load(source: str, path: str, inside: str, _modified: int, _size: int) -> WordNet:
    return WordNet(source, read_files(Path(path), inside))


def _bounded(name: str, size: int, path: Path) -> bytes:
    _check_size(name, size)
    return path.read_bytes()


def _check_size(name: str, size: int) -> None:
    if size > MAX_FILE_BYTES:
        raise ValueError(f"{name} is larger than {MAX_FILE_BYTES} bytes, which no WordNet file is")


def _digest(files: Mapping[str, bytes]) -> str:
    whole = hashlib.sha256()
    for name in FILES:
        whole.update(f"{name} {len(files[name])}\n".encode())
        whole.update(files[name])
    return whole.hexdigest()


def _index(text: str) -> dict[str, str]:
    """Lemma -> the rest of its line: part of speech, number of synsets … offsets."""
    return {
        lemma: rest for lemma, _, rest in (line.partition(" ") for line in text.splitlines() if line[:1] != " ") if rest
    }


def _exceptions(text: str) -> dict[str, list[str]]:
    """Irregular form -> base forms; the last line of a form counts."""
    lines = (line.split() for line in text.splitlines())
    return {terms[0]: terms[1:] for terms in lines if terms}
