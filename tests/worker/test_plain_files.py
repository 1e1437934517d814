"""What a program that went wrong leaves in its folder is never followed to anything else."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from grue.submissions.artifacts import Artifacts
from grue.worker.partials import Partials
from grue.worker.plain_files import ForeignFileError, copy_folder, copy_plain, open_plain


@pytest.fixture
def secret(tmp_path) -> Path:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "commongen.partial.jsonl").write_text("hush")
    return tmp_path / "labels"


@pytest.fixture
def run(tmp_path) -> Path:
    (tmp_path / "run" / "samples").mkdir(parents=True)
    (tmp_path / "run" / "manifest.json").write_text("{}")
    (tmp_path / "run" / "samples" / "totto.partial.jsonl").write_text("line\n")
    return tmp_path / "run"


def linked_file(run: Path, secret: Path) -> None:
    (run / "samples" / "commongen.partial.jsonl").symlink_to(secret / "commongen.partial.jsonl")


def linked_folder(run: Path, secret: Path) -> None:
    (run / "samples" / "totto.partial.jsonl").unlink()
    (run / "samples").rmdir()
    (run / "samples").symlink_to(secret)


def pipe(run: Path, secret: Path) -> None:
    os.mkfifo(run / "samples" / "commongen.partial.jsonl")


def listening(run: Path, secret: Path) -> None:
    before = Path.cwd()
    os.chdir(run / "samples")  # names of sockets are short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("commongen.partial.jsonl")
    finally:
        os.chdir(before)


@pytest.mark.parametrize("trick", [linked_file, linked_folder, pipe, listening])
def test_tricks_are_refused_and_never_stored(trick, run, secret, tmp_path):
    trick(run, secret)
    with pytest.raises(ForeignFileError):
        open_plain(run, "samples/commongen.partial.jsonl")
    with pytest.raises(ForeignFileError):
        copy_folder(run, tmp_path / "copy")
    artifacts = Artifacts(str(tmp_path / "artifacts"), tmp_path / "cache")
    Partials(artifacts, "JOB", run, tmp_path / "waiting", ("commongen", "totto")).store(now=True)
    kept = [path.read_bytes() for path in (tmp_path / "artifacts").rglob("*") if path.is_file()]
    assert b"hush" not in b"".join(kept)


def test_plain_folders_are_copied_whole(run, tmp_path):
    copy_folder(run, tmp_path / "copy")
    assert (tmp_path / "copy" / "samples" / "totto.partial.jsonl").read_text() == "line\n"
    assert (tmp_path / "copy" / "manifest.json").read_text() == "{}"


def test_a_file_that_is_not_there_is_no_fault(run, tmp_path):
    assert copy_plain(run, "samples/absent", tmp_path / "copy") == 0
    assert copy_plain(run, "absent/absent", tmp_path / "copy") == 0


def test_what_was_stored_comes_back_on_another_host(run, tmp_path):
    artifacts = Artifacts(str(tmp_path / "artifacts"), tmp_path / "cache")
    Partials(artifacts, "JOB", run, tmp_path / "waiting", ("totto",)).store(now=True)
    other = tmp_path / "other"
    assert Partials(artifacts, "JOB", other, tmp_path / "waiting", ("totto",)).fetch()
    assert (other / "samples" / "totto.partial.jsonl").read_text() == "line\n"
    assert not Partials(artifacts, "OTHER", tmp_path / "none", tmp_path / "waiting", ("totto",)).fetch()
