"""What is stored survives kills, full disks and second processes."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grue.core.errors import RunDirectoryError
from grue.core.rows import Generation
from grue.core.run import Manifest
from grue.runs.directory import RunDirectory
from grue.runs.files import drop_torn_line, write_atomic
from grue.runs.partial import read_lines, to_lines
from grue.runs.read import read_run

Finish = Callable[..., Path]
FIXTURE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
some_generations = st.lists(
    st.builds(
        Generation,
        id=texts,
        sample=st.integers(0, 3),
        prediction=texts,
        raw=st.none() | texts,
        prompt=st.none() | texts,
        finish_reason=st.sampled_from(["stop", "length", None]),
        prompt_tokens=st.none() | st.integers(0, 999),
        prompt_cut=st.none() | st.booleans(),
        latency_seconds=st.none() | st.floats(0, 1e6),
    ),
    max_size=6,
    unique_by=lambda generation: (generation.id, generation.sample),
)


@FIXTURE
@given(drawn=some_generations, data=st.data())
def test_file_cut_at_any_byte_holds_a_prefix(
    drawn: list[Generation], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("cut") / "toy.partial.jsonl"
    content = to_lines(drawn)
    cut = data.draw(st.integers(0, len(content)))
    path.write_bytes(content[:cut])
    whole = content[:cut].count(b"\n")
    assert list(read_lines(path).values()) == drawn[:whole]
    drop_torn_line(path)
    with path.open("ab") as stream:
        stream.write(to_lines(drawn[whole:]))
    assert list(read_lines(path).values()) == drawn


def test_torn_line_longer_than_a_block_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"whole\n" + b"x" * 200_000)
    drop_torn_line(path)
    assert path.read_bytes() == b"whole\n"
    path.write_bytes(b"x" * 200_000)
    drop_torn_line(path)
    assert path.read_bytes() == b""


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{broken\n", "no valid JSON"),
        ("[]\n", "no JSON object"),
        ('{"id": 3, "sample": 0, "prediction": ""}\n', "'id'"),
        ('{"id": "c", "sample": true, "prediction": ""}\n', "'sample'"),
        ('{"id": "a", "sample": 0, "prediction": ""}\n', "repeats id 'a'"),
        ("\n", "no valid JSON"),
    ],
)
def test_any_other_damage_is_an_error_that_names_the_line(
    tmp_path: Path, manifest: Manifest, line: str, message: str
) -> None:
    with RunDirectory.open(tmp_path / "r", manifest) as run:
        run.append("toy", [Generation("a", 0, "x"), Generation("b", 0, "y")])
        path = run.path / "samples" / "toy.partial.jsonl"
    with path.open("a") as stream:
        stream.write(line)
    with (
        RunDirectory.open(tmp_path / "r", manifest) as run,
        pytest.raises(RunDirectoryError, match=message) as caught,
    ):
        run.stored("toy")
    assert caught.value.place == f"{path}:3"


APPENDER = """
import sys, pickle
from grue.core.rows import Generation
from grue.runs.directory import RunDirectory
path, manifest = sys.argv[1], pickle.load(open(sys.argv[2], "rb"))
with RunDirectory.open(path, manifest) as run:
    start = len(run.stored("toy"))
    for number in range(start, 1_000_000):
        run.append("toy", [Generation(f"{number}-{part}", 0, "text " * 50) for part in range(3)])
        print(number, flush=True)
"""


@pytest.fixture
def appending(tmp_path: Path, manifest: Manifest) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    import pickle

    (tmp_path / "manifest.pickle").write_bytes(pickle.dumps(manifest))
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        command = [sys.executable, "-c", APPENDER, str(tmp_path / "r"), str(tmp_path / "manifest.pickle")]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_kill_loses_no_batch_that_was_stored_and_blocks_nobody(
    tmp_path: Path, manifest: Manifest, appending: Callable[[], subprocess.Popen[str]]
) -> None:
    for _ in range(2):
        process = appending()
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(7)]
        process.send_signal(signal.SIGKILL)
        told += [int(line) for line in process.stdout.read().splitlines()]
        process.wait()
        with RunDirectory.open(tmp_path / "r", manifest) as run:
            assert run.status == "resumed"
            stored = run.stored("toy")
        assert {(f"{number}-{part}", 0) for number in told for part in range(3)} <= set(stored)


def test_second_process_is_refused_with_the_first_one_s_id(
    tmp_path: Path, manifest: Manifest, appending: Callable[[], subprocess.Popen[str]]
) -> None:
    process = appending()
    assert process.stdout is not None
    process.stdout.readline()
    for fresh in (False, True):
        with pytest.raises(RunDirectoryError, match=f"process {process.pid} on ") as caught:
            RunDirectory.open(tmp_path / "r", manifest, fresh=fresh)
        assert caught.value.exit_code == 2
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_dir()] == ["r"]


def test_second_opening_in_one_process_is_refused_too(tmp_path: Path, manifest: Manifest) -> None:
    with (
        RunDirectory.open(tmp_path / "r", manifest),
        pytest.raises(RunDirectoryError, match=f"process {os.getpid()}"),
    ):
        RunDirectory.open(tmp_path / "r", manifest)
    RunDirectory.open(tmp_path / "r", manifest).close()


def test_refused_second_process_leaves_the_first_at_work(tmp_path: Path, manifest: Manifest) -> None:
    with RunDirectory.open(tmp_path / "r", manifest) as run:
        with pytest.raises(RunDirectoryError):
            RunDirectory.open(tmp_path / "r", manifest)
        run.append("toy", [Generation("a", 0, "x")])
        with pytest.raises(RunDirectoryError):
            RunDirectory.open(tmp_path / "r", manifest)


def test_killed_finish_is_completed_by_running_again(
    tmp_path: Path,
    manifest: Manifest,
    generations: list[Generation],
    write_run: Finish,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def killed(path: Path, document: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(
        "grue.runs.directory.write_json", lambda *a: killed(*a) if a[0].name == "results.json" else write(*a)
    )
    from grue.runs.files import write_json as write

    with pytest.raises(KeyboardInterrupt):
        write_run(tmp_path / "r", manifest)
    monkeypatch.undo()
    (tmp_path / "r" / ".results.json.77.tmp").write_text("{")
    with RunDirectory.open(tmp_path / "r", manifest) as run:
        assert run.status == "resumed"
        assert len(run.stored("toy")) == len(generations)
    path = write_run(tmp_path / "r", manifest)
    assert read_run(path).results["status"] == "finished"
    assert not list(path.rglob("*.tmp"))


def test_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], capture_output=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("a small disk cannot be mounted here: there is no mount command")
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_full_disk_is_said_and_loses_nothing_stored(small_disk: Path, manifest: Manifest) -> None:
    def fill(run: RunDirectory) -> None:
        for number in range(1000):
            run.append("toy", [Generation(str(number), 0, "text " * 500)])
            stored.append((str(number), 0))

    stored: list[tuple[str, int]] = []
    with RunDirectory.open(small_disk / "r", manifest) as run:
        with pytest.raises(RunDirectoryError, match=r"No space left on device; [\d,]+ bytes are free at ") as caught:
            fill(run)
        assert caught.value.place.startswith(str(small_disk))
        assert len(stored) > 10
        with pytest.raises(RunDirectoryError, match="No space left"):
            run.append("toy", [Generation("big", 0, "x" * 300_000)])
    subprocess.run(["mount", "-o", "remount,size=2m", str(small_disk)], check=True)
    with RunDirectory.open(small_disk / "r", manifest) as run:
        assert list(run.stored("toy")) == stored
        run.append("toy", [Generation("last", 0, "")])
        assert len(run.stored("toy")) == len(stored) + 1


def test_full_disk_at_the_start_leaves_no_folder(small_disk: Path, manifest: Manifest) -> None:
    with (small_disk / "filler").open("wb", buffering=0) as stream:
        while stream.write(b"x" * 4096) == 4096 and shutil.disk_usage(small_disk).free:
            pass
    with pytest.raises(RunDirectoryError, match="cannot be written"):
        RunDirectory.open(small_disk / "r", manifest)
    assert [entry.name for entry in small_disk.iterdir()] == ["filler"]


def test_read_only_folder_is_said(small_disk: Path, manifest: Manifest) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(RunDirectoryError, match="Read-only file system") as caught:
        RunDirectory.open(small_disk / "r", manifest)
    assert caught.value.exit_code == 2
    assert "-o" in caught.value.fix


def test_folder_without_permission_is_said(tmp_path: Path, manifest: Manifest) -> None:
    if os.geteuid() == 0:
        pytest.skip("the superuser may write everywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(RunDirectoryError, match="Permission denied"):
        RunDirectory.open(tmp_path / "r", manifest)
    tmp_path.chmod(0o700)


def _race(path: Path, manifest: Manifest, gate: object, answers: object) -> None:
    gate.wait()  # type: ignore[attr-defined]
    try:
        run = RunDirectory.open(path, manifest)
    except RunDirectoryError:
        answers.put(False)  # type: ignore[attr-defined]
        return
    answers.put(True)  # type: ignore[attr-defined]
    gate.wait()  # type: ignore[attr-defined]
    run.close()


def test_of_processes_that_start_at_once_one_wins(tmp_path: Path, manifest: Manifest) -> None:
    context = multiprocessing.get_context("spawn")
    answers: multiprocessing.Queue[bool] = context.Queue()
    gate = context.Barrier(2)
    racers = [context.Process(target=_race, args=(tmp_path / "r", manifest, gate, answers)) for _ in range(2)]
    for racer in racers:
        racer.start()
    assert sorted(answers.get(timeout=60) for _ in racers) == [False, True]
    gate.abort()
    for racer in racers:
        racer.join()
