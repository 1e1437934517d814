"""Artifacts: whole or not there, as often as one likes, the same behind every address."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grue.core.errors import MissingExtraError, StoreError
from grue.submissions.artifacts import Artifacts
from grue.submissions.keys import checked_key

PUT = "import sys; from pathlib import Path; from grue.submissions.artifacts import Artifacts as A; \
A(sys.argv[1], Path(sys.argv[2])).put_folder(Path(sys.argv[3]), 'runs/r')"


@pytest.fixture(params=["folder", "file", "memory"])
def artifacts(request: pytest.FixtureRequest, tmp_path: Path) -> Artifacts:
    """The same store behind a path, a file address, and one that is no folder."""
    address = {
        "folder": str(tmp_path / "store"),
        "file": f"file://{tmp_path}/store",
        "memory": f"memory://{tmp_path.name}",
    }[request.param]
    return Artifacts(address, tmp_path / "cache")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file at its top and one below."""
    top = tmp_path / "made"
    (top / "samples").mkdir(parents=True)
    (top / "manifest.json").write_text("{}")
    (top / "samples" / "toy.parquet").write_bytes(b"PAR1")
    (top / ".lock").write_text("")
    return top


def read(artifacts: Artifacts, key: str) -> bytes:
    with artifacts.open(key) as file:
        return file.read()


def test_a_file_is_stored_replaced_and_deleted(artifacts: Artifacts, tmp_path: Path) -> None:
    assert not artifacts.exists("uploads/1/p.jsonl")
    for content in (b"first", b"second, longer", b""):
        (tmp_path / "p").write_bytes(content)
        artifacts.put_file(tmp_path / "p", "uploads/1/p.jsonl")
        assert read(artifacts, "uploads/1/p.jsonl") == content
    artifacts.delete("uploads/1/p.jsonl")
    artifacts.delete("uploads/1/p.jsonl")
    assert not artifacts.exists("uploads/1/p.jsonl")
    with pytest.raises(StoreError, match=r"No artifact uploads/1/p\.jsonl"):
        artifacts.open("uploads/1/p.jsonl")


def test_a_folder_comes_back_without_its_hidden_files(artifacts: Artifacts, folder: Path) -> None:
    artifacts.put_folder(folder, "runs/r")
    artifacts.put_folder(folder, "runs/r")
    found = artifacts.local_folder("runs/r")
    names = sorted(path.relative_to(found).as_posix() for path in found.rglob("*") if path.is_file())
    assert names == ["manifest.json", "samples/toy.parquet"]
    assert read(artifacts, "runs/r/samples/toy.parquet") == b"PAR1"
    assert artifacts.exists("runs/r")
    assert artifacts.exists("runs/r/manifest.json")
    artifacts.delete("runs/r")
    assert not artifacts.exists("runs/r")
    with pytest.raises(StoreError, match="No folder runs/r"):
        artifacts.local_folder("runs/r")


def test_another_folder_never_takes_the_place_of_one(artifacts: Artifacts, folder: Path) -> None:
    artifacts.put_folder(folder, "runs/r")
    (folder / "manifest.json").write_text('{"other": 1}')
    with pytest.raises(StoreError, match="Another folder has the key runs/r"):
        artifacts.put_folder(folder, "runs/r")
    assert read(artifacts, "runs/r/manifest.json") == b"{}"


def test_links_are_not_followed(artifacts: Artifacts, folder: Path) -> None:
    (folder / "passwd").symlink_to("/etc/passwd")
    with pytest.raises(StoreError, match="is a link or a device"):
        artifacts.put_folder(folder, "runs/r")
    assert not artifacts.exists("runs/r")


@pytest.mark.parametrize(
    "key", ["../x", "/etc/passwd", "a/../b", "", "a//b", "a/", ".waiting/x", "a\\b", "a\0", "é", "a b"]
)
def test_what_is_no_key_is_refused_by_every_function(artifacts: Artifacts, folder: Path, key: str) -> None:
    calls = (artifacts.open, artifacts.exists, artifacts.delete, artifacts.local_folder)
    for call in calls:
        with pytest.raises(StoreError, match="is no key"):
            call(key)
    for put in (artifacts.put_file, artifacts.put_folder):
        with pytest.raises(StoreError, match="is no key"):
            put(folder, key)


@given(st.text(max_size=60))
def test_a_key_that_is_taken_stays_below_its_root(key: str) -> None:
    try:
        checked_key(key)
    except StoreError:
        return
    assert os.path.normpath(f"/root/{key}") == f"/root/{key}"


def test_a_folder_whose_upload_breaks_off_is_not_there(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifacts = Artifacts(f"memory://{tmp_path.name}", tmp_path / "cache")
    system = fsspec.filesystem("memory")
    put = type(system).put_file

    def breaking(self: object, local: str, *rest: object, **more: object) -> object:
        if local.endswith("toy.parquet"):
            raise OSError("connection reset")
        return put(self, local, *rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr(type(system), "put_file", breaking)
        with pytest.raises(StoreError, match="does not answer for runs/r: connection reset"):
            artifacts.put_folder(folder, "runs/r")
    assert not artifacts.exists("runs/r")
    artifacts.put_folder(folder, "runs/r")
    assert artifacts.exists("runs/r")


def test_a_copy_that_is_not_what_was_stored_is_refused(folder: Path, tmp_path: Path) -> None:
    artifacts = Artifacts(f"memory://{tmp_path.name}", tmp_path / "cache")
    artifacts.put_folder(folder, "runs/r")
    fsspec.filesystem("memory").pipe_file(f"/{tmp_path.name}/runs/r/samples/toy.parquet", b"PAR2")
    with pytest.raises(StoreError, match="is not what was stored"):
        artifacts.local_folder("runs/r")
    assert not list((tmp_path / "cache").rglob("*.parquet"))


def test_copies_of_a_deleted_folder_are_deleted_and_a_new_one_is_not_mistaken(folder: Path, tmp_path: Path) -> None:
    artifacts = Artifacts(f"memory://{tmp_path.name}", tmp_path / "cache")
    artifacts.put_folder(folder, "runs/r")
    first = artifacts.local_folder("runs/r")
    assert artifacts.local_folder("runs/r") == first
    artifacts.delete("runs/r")
    assert not first.exists()
    (folder / "manifest.json").write_text('{"new": 1}')
    artifacts.put_folder(folder, "runs/r")
    assert (artifacts.local_folder("runs/r") / "manifest.json").read_text() == '{"new": 1}'


def test_many_threads_put_and_fetch_the_same_folder(artifacts: Artifacts, folder: Path) -> None:
    errors: list[BaseException] = []
    is_memory = artifacts.address.startswith("memory:")

    def work() -> None:
        try:
            artifacts.put_folder(folder, "runs/r")
            if not is_memory:  # whose readers share one position
                artifacts.local_folder("runs/r")
        except BaseException as error:  # noqa: BLE001  (told by the test)
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert (artifacts.local_folder("runs/r") / "samples" / "toy.parquet").read_bytes() == b"PAR1"


def test_two_processes_put_the_same_folder(folder: Path, tmp_path: Path) -> None:
    for number in range(40):
        (folder / f"f{number}").write_bytes(bytes(200_000))
    command = [sys.executable, "-c", PUT, str(tmp_path / "store"), str(tmp_path / "cache"), str(folder)]
    both = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    assert len(list((tmp_path / "store" / "runs" / "r").rglob("*"))) == 43


def test_a_kill_leaves_the_whole_folder_or_none(folder: Path, tmp_path: Path) -> None:
    for number in range(30):
        (folder / f"f{number}").write_bytes(bytes(1_000_000))
    store = tmp_path / "store"
    command = [sys.executable, "-c", PUT, str(store), str(tmp_path / "cache"), str(folder)]
    process = subprocess.Popen(command)
    until = time.monotonic() + 60
    while not list(store.glob(".waiting/*/f1*")) and time.monotonic() < until:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=60)
    artifacts = Artifacts(str(store), tmp_path / "cache")
    files = len(list((store / "runs" / "r").rglob("*"))) if artifacts.exists("runs/r") else 0
    assert files in (0, 33)
    assert subprocess.run(command, check=False, timeout=60).returncode == 0
    assert len(list((store / "runs" / "r").rglob("*"))) == 33


def test_what_a_kill_left_is_swept_after_a_day(artifacts: Artifacts, folder: Path, tmp_path: Path) -> None:
    left = tmp_path / "store" / ".waiting" / "left"
    left.mkdir(parents=True)
    os.utime(left, (time.time() - 100_000, time.time() - 100_000))
    fresh = left.with_name("fresh")
    fresh.mkdir()
    artifacts.put_folder(folder, "runs/r")
    if "memory" not in artifacts.address:
        assert not left.exists()
    assert fresh.exists()


def test_a_full_or_forbidden_place_is_told(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="cannot be stored"):
        Artifacts(str(tmp_path / "store"), tmp_path / "cache").put_file(folder / "manifest.json", "uploads/1")


def test_addresses_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    try:
        import s3fs  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtraError, match=r"need a package"):
            Artifacts("s3://bucket/prefix", tmp_path)
    with pytest.raises(StoreError, match="no address"):
        Artifacts("nosuch://x", tmp_path)
