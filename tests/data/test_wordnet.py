"""Fetching NLTK's packages from a stand-in server on loopback: bounded, checked, placed in one step."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import grue
from grue.cli.main import run
from grue.core.errors import TaskDataError, UsageError
from grue.data import archive, nltk_data
from grue.data.nltk_data import fetch_resource, punkt_path
from grue.metrics.text import wordnet
from grue.metrics.text.wordnet import fetched_path

WORDNET, PUNKT = "corpora/wordnet.zip", "tokenizers/punkt_tab.zip"


@pytest.fixture(autouse=True)
def _online(hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(archive, "_failed", {})
    monkeypatch.setattr(nltk_data, "ADDRESS", f"{hub.address}/archive")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """``GRUE_HOME``."""
    monkeypatch.setenv("GRUE_HOME", str(tmp_path / "home"))
    yield tmp_path / "home"
    wordnet._load.cache_clear()


def zipped(files: Mapping[str, bytes], folder: str) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as written:
        for name, content in files.items():
            written.writestr(f"{folder}{name}", content)
    return sink.getvalue()


def left_behind(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file()] if home.exists() else []


def test_meteor_reads_the_fetched_wordnet_and_says_so(
    hub: Any, home: Path, small_wordnet: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    before = grue.metric("meteor", wordnet=True, wordnet_data="fetched").compute(["a hound"], [["a dog"]])
    assert before.value is None
    assert "grue data fetch wordnet" in str(before.reason)
    hub.files[WORDNET] = zipped({**small_wordnet, "README": b"x"}, "wordnet/")
    assert run(["data", "fetch", "wordnet"]) == 0
    assert "meteor.wordnet_data=fetched" in capsys.readouterr().err
    score = grue.metric("meteor", wordnet=True, wordnet_data="fetched").compute(["a hound"], [["a dog"]])
    assert score.value == pytest.approx(1 - 0.5 * (1 / 2) ** 3)
    assert "wordnet:3.0[fetched:" in str(score.signature)
    assert left_behind(home) == [fetched_path(home)]
    assert len(hub.requests) == 1
    assert run(["data", "fetch", "wordnet", "--offline", "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["fetched"]
    assert one["files"]["wordnet.zip"]["sha256"] == hashlib.sha256(hub.files[WORDNET]).hexdigest()
    assert len(hub.requests) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html>Not found</html>", "not a zip file"),
        (zipped({"index.noun": b"x"}, "wordnet/"), "the archive holds no wordnet/"),
        (zipped(dict.fromkeys(wordnet.FILES, b""), "wordnet/"), "index.noun has no entries"),
        (zipped(dict.fromkeys(wordnet.FILES, b"\xff\xfe a"), "wordnet/"), "utf-8"),
    ],
    ids=["no-zip", "a-file-lacks", "empty", "no-text"],
)
def test_what_is_no_wordnet_is_refused_and_not_kept(hub: Any, home: Path, content: bytes, words: str) -> None:
    hub.files[WORDNET] = content
    with pytest.raises(TaskDataError, match="What came is not NLTK's wordnet") as caught:
        fetch_resource("wordnet", home=home)
    assert words in str(caught.value)
    assert left_behind(home) == []


def test_a_small_archive_that_unpacks_to_too_much_is_refused(
    hub: Any, home: Path, small_wordnet: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wordnet, "MAX_FILE_BYTES", 1 << 20)
    hub.files[WORDNET] = zipped({**small_wordnet, "data.noun": bytes(1 << 21)}, "wordnet/")
    assert len(hub.files[WORDNET]) < 1 << 16
    with pytest.raises(TaskDataError, match=r"data\.noun is larger than 1048576 bytes"):
        fetch_resource("wordnet", home=home)
    assert left_behind(home) == []


def test_an_archive_that_is_too_large_is_cut_short(hub: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nltk_data, "MAX_ARCHIVE_BYTES", 100)
    hub.files[WORDNET] = bytes(1000)
    with pytest.raises(TaskDataError, match="larger than the 100 bytes"):
        fetch_resource("wordnet", home=home)
    assert left_behind(home) == []


def test_names_in_an_archive_lead_nowhere(hub: Any, home: Path, small_wordnet: dict[str, bytes]) -> None:
    hub.files[WORDNET] = zipped({**small_wordnet, "../../../outside": b"x"}, "wordnet/")
    fetch_resource("wordnet", home=home)
    assert left_behind(home.parent) == [fetched_path(home)]


def test_a_broken_download_goes_on_with_the_next_call(
    hub: Any, home: Path, small_wordnet: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.files[WORDNET] = zipped(small_wordnet, "wordnet/")
    hub.breaks["wordnet.zip"] = 500
    with pytest.raises(TaskDataError, match="cannot be downloaded"):
        fetch_resource("wordnet", home=home)
    monkeypatch.setattr(archive, "_failed", {})
    assert fetch_resource("wordnet", home=home).path == fetched_path(home)
    assert [asked for _, _, asked in hub.requests] == ["", "bytes=500-"]


def test_offline_nothing_is_asked_for(hub: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(TaskDataError) as caught:
        fetch_resource("wordnet", home=home)
    assert "grue data fetch wordnet" in caught.value.fix
    assert hub.requests == []


def test_an_unknown_name_is_refused_before_anything_is_fetched(hub: Any, home: Path) -> None:
    assert run(["data", "fetch", "wordnet", "wordnot"]) == 2
    with pytest.raises(UsageError, match="Did you mean 'wordnet'"):
        fetch_resource("wordnt", home=home)
    assert hub.requests == []


def test_punkt_is_placed_where_nltk_finds_it_and_nobody_else_can_write(
    hub: Any, home: Path, material: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    import nltk

    before = os.umask(0o002)  # as many systems have it
    request.addfinalizer(lambda: os.umask(before))
    source = material / "nltk_data/tokenizers/punkt_tab/english"
    files = {path.name: path.read_bytes() for path in source.iterdir()}
    hub.files[PUNKT] = zipped({**files, "../../x": b"x"}, "punkt_tab/english/")
    fetched = fetch_resource("punkt", home=home)
    assert fetched.path == punkt_path(home)
    assert sorted(fetched.files) == sorted(files)
    assert left_behind(home.parent) == [path for path in home.rglob("*") if path.parent == punkt_path(home)]
    monkeypatch.setattr(nltk.data, "path", [str(home / "nltk_data")])
    assert not any(path.stat().st_mode & 0o022 for path in (home / "nltk_data").rglob("*"))
    assert grue.metric("mean_length", tokenize="nltk").compute(["Mr. Smith doesn't run."]).value == 6


def test_a_punkt_archive_without_its_files_is_refused(hub: Any, home: Path) -> None:
    hub.files[PUNKT] = zipped({"abbrev_types.txt": b"mr"}, "punkt_tab/english/")
    with pytest.raises(TaskDataError, match="What came is not NLTK's punkt"):
        fetch_resource("punkt", home=home)
    assert left_behind(home) == []
