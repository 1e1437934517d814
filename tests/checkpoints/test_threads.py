"""Threads on a CPU: chosen from what a step takes, within what the process may use, and said why."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grue.checkpoints import threads
from grue.checkpoints.device import available_cores, cpu_quota
from grue.checkpoints.threads import fewest, settle_threads

ALONE = """
import json, torch
from grue.checkpoints.threads import settle_threads
found = settle_threads(512)
print(json.dumps([found.count, found.chosen, torch.get_num_threads()]))
"""


@pytest.fixture(autouse=True)
def _threads_as_before():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("milliseconds", "count"),
    [
        ({1: 8.0, 2: 4.2, 4: 2.5}, 4),
        ({1: 8.0, 2: 7.9, 4: 7.8}, 1),
        ({1: 8.0, 2: 4.0, 4: 3.9}, 2),
        ({1: 8.0, 2: 80.0, 4: 3.0}, 4),
        ({1: 8.0, 2: 90.0}, 1),
        ({1: 8.0}, 1),
    ],
)
def test_more_threads_are_taken_only_where_they_are_clearly_faster(milliseconds, count):
    assert fewest(milliseconds) == count


@given(st.dictionaries(st.integers(1, 64), st.floats(1e-4, 10.0), min_size=1))
def test_what_is_chosen_is_never_slower_than_fewer_threads(seconds):
    chosen = fewest(seconds)
    assert all(seconds[chosen] <= value for count, value in seconds.items() if count < chosen)


def _group(mount: Path, name: str, text: str) -> None:
    folder = mount / name.lstrip("/")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cpu.max").write_text(text)


def test_the_least_quota_of_all_levels_counts(tmp_path):
    proc = tmp_path / "cgroup"
    proc.write_text("0::/user/batch/step\n")
    assert cpu_quota(proc, tmp_path / "fs") is None
    _group(tmp_path / "fs", "/user/batch/step", "max 100000\n")
    assert cpu_quota(proc, tmp_path / "fs") is None
    _group(tmp_path / "fs", "/user/batch", "250000 100000\n")
    _group(tmp_path / "fs", "/user", "400000 100000\n")
    assert cpu_quota(proc, tmp_path / "fs") == 2.5


def test_a_container_sees_its_quota_at_the_root_of_what_is_mounted(tmp_path):
    proc = tmp_path / "cgroup"
    proc.write_text("0::/docker/4f2a\n")
    _group(tmp_path / "fs", "/", "150000 100000")
    assert cpu_quota(proc, tmp_path / "fs") == 1.5


def test_quotas_of_the_first_version_are_read(tmp_path):
    proc = tmp_path / "cgroup"
    proc.write_text("5:memory:/job\n4:cpu,cpuacct:/job\n")
    folder = tmp_path / "fs" / "cpu" / "job"
    folder.mkdir(parents=True)
    (folder / "cpu.cfs_quota_us").write_text("300000\n")
    (folder / "cpu.cfs_period_us").write_text("100000\n")
    assert cpu_quota(proc, tmp_path / "fs") == 3.0
    (folder / "cpu.cfs_quota_us").write_text("-1\n")
    assert cpu_quota(proc, tmp_path / "fs") is None


@pytest.mark.parametrize("text", ["", "max", "x y", "100000 0", "-5 100"])
def test_a_quota_that_cannot_be_read_bounds_nothing(tmp_path, text):
    (tmp_path / "cgroup").write_text("0::/\n")
    _group(tmp_path / "fs", "/", text)
    assert cpu_quota(tmp_path / "cgroup", tmp_path / "fs") is None


def test_a_share_of_one_and_a_half_cores_is_one_core(monkeypatch):
    monkeypatch.setattr("grue.checkpoints.device.cpu_quota", lambda: 1.5)
    assert available_cores() == 1
    monkeypatch.setattr("grue.checkpoints.device.cpu_quota", lambda: 0.25)
    assert available_cores() == 1


def test_the_variable_of_the_user_wins(monkeypatch):
    torch.set_num_threads(2)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    found = settle_threads(512)
    assert (found.count, found.chosen) == (2, "OMP_NUM_THREADS")


def test_one_core_needs_no_measurement(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(threads, "available_cores", lambda: 1)
    assert settle_threads(512).chosen == "one core"
    assert torch.get_num_threads() == 1


def test_a_measurement_says_what_each_number_of_threads_took(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(threads, "available_cores", lambda: 3)
    torch.set_num_threads(3)
    found = settle_threads(64)
    assert found.chosen.startswith("measured a step, 1: ")
    assert ", 2: " in found.chosen
    assert ", 3: " in found.chosen
    assert found.count == torch.get_num_threads() in (1, 2, 3)


@pytest.mark.long
def test_a_machine_that_is_busy_still_gets_an_answer():
    """Twice as many busy processes as cores: the measurement ends, within the cores there are."""
    import json

    cores = available_cores()
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * cores)]
    environ = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    try:
        done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, timeout=120, env=environ)
    finally:
        for process in busy:
            process.kill()
            process.wait()
    count, chosen, applied = json.loads(done.stdout)
    assert 1 <= count == applied <= cores
    assert chosen == "one core" or chosen.startswith("measured")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [({}, "1000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "None")],
)
def test_threads_sleep_at_barriers_unless_the_user_wants_otherwise(environ, expected):
    code = (
        "import os\nfrom grue.checkpoints.threads import sleep_at_barriers\n"
        "sleep_at_barriers()\nprint(os.environ.get('GOMP_SPINCOUNT'))"
    )
    kept = {key: value for key, value in os.environ.items() if key not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**kept, **environ})
    assert done.stdout.strip() == expected
