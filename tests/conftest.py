"""Fixtures that every test folder may use."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.chromium import launched
from tests.commands import Answer, in_process
from tests.databases import databases, databases_of, postgres, postgresql_template, sqlite_template

__all__ = ["databases", "databases_of", "postgres", "postgresql_template", "sqlite_template"]

_TESTS = Path(__file__).resolve().parent
# Two torch threads on a busy machine are slower than one; set before torch is first imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# A shell's background job ignores interrupts, and so would every process that a test interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


# Folders whose tests start programs and wait for them: begun first, they end while others still compute.
_FIRST = ("worker", "journey", "submitting", "accounts", "site", "service", "gate", "evaluation")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        folder = item.path.relative_to(_TESTS).parts[0]
        return _FIRST.index(folder) if folder in _FIRST else len(_FIRST)

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """What was imported stays: no collection of garbage looks at it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def material() -> Path:
    """Folder of real rows and reference values: ``GRUE_TEST_MATERIAL``, else ``shared`` beside the checkout."""
    named = os.environ.get("GRUE_TEST_MATERIAL")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "golden").is_dir():
        pytest.skip(f"test material not found at {folder}; set GRUE_TEST_MATERIAL to its folder")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One home for all tests of a process, fixtures of wider scope included: never the user's."""
    patch = pytest.MonkeyPatch()
    patch.setenv("GRUE_HOME", str(tmp_path_factory.getbasetemp() / "grue-home"))
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests see neither the caller's grue settings nor its caches."""
    for name in list(os.environ):
        if name.startswith("GRUE_") and name != "GRUE_TEST_MATERIAL":
            monkeypatch.delenv(name)
    monkeypatch.setenv("GRUE_HOME", str(tmp_path_factory.getbasetemp() / "grue-home"))


@pytest.fixture
def grue(capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Runs a command line in this process."""
    return in_process(capsys, Answer)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium; a module's own, as its driver runs an event loop in the test's thread."""
    with launched() as found:
        yield found


@pytest.fixture(scope="session")
def small_wordnet() -> dict[str, bytes]:
    """A WordNet of a few synsets in Princeton's format, by file name."""
    synsets: dict[str, list[Sequence[str]]] = {
        "noun": [("dog", "domestic_dog", "hound"), ("car", "auto", "Benz"), ("goose",), ("dog", "cad")],
        "verb": [("run", "race"), ("halt", "stop")],
        "adj": [("big(a)", "large(p)")],
        "adv": [("fast", "quick")],
    }
    exceptions = {"noun": "geese goose\n", "verb": "ran run\n", "adj": "bigger big\n", "adv": ""}
    licence = "  1 Licence text. WordNet 3.0 Copyright 2006 by nobody.  \n"
    files: dict[str, bytes] = {}
    for pos, groups in synsets.items():
        letter = "r" if pos == "adv" else pos[0]
        data, offsets = licence, dict[str, list[int]]()
        for lemmas in groups:
            for lemma in lemmas:
                offsets.setdefault(lemma.split("(")[0].lower(), []).append(len(data))
            names = " ".join(f"{lemma} 0" for lemma in lemmas)
            data += f'{len(data):08d} 03 {letter} {len(lemmas):02x} {names} 000 | a gloss; "{lemmas[0]}, or"  \n'
        index = licence
        for lemma, places in sorted(offsets.items()):
            numbers = " ".join(f"{place:08d}" for place in places)
            index += f"{lemma} {letter} {len(places)} 1 @ {len(places)} 0 {numbers}  \n"
        files |= {f"data.{pos}": data.encode(), f"index.{pos}": index.encode()}
        files[f"{pos}.exc"] = exceptions[pos].encode()
    return files
