"""The most memory that a process held: its own, whatever its parent held."""

from __future__ import annotations

import subprocess
import sys

import pytest

MIB = 1 << 20
PEAK = "from grue.engine.resident import peak_resident_bytes; {}; print(peak_resident_bytes())"


def peak_of_child(statement: str) -> int:
    done = subprocess.run([sys.executable, "-c", PEAK.format(statement)], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems tell only what getrusage says")
def test_a_child_does_not_count_what_its_parent_held() -> None:
    held = b"\1" * (400 * MIB)
    assert peak_of_child("pass") < 300 * MIB
    del held


def test_what_was_given_back_counts() -> None:
    assert peak_of_child("a = bytearray(b'1') * (256 << 20); del a") > 256 * MIB
