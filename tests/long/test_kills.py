"""Real processes killed at random moments, again and again, greedy and sampled, until the run is finished."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.processes import PATIENCE_SECONDS, finish, outcome, start, stored, until

pytestmark = pytest.mark.long

TASKS = ("imdb", "daily_dialog", "iwslt2017")
KINDS = {"greedy": ("--decoding", "greedy"), "sampled": ("-g", "do_sample=true,temperature=0.8", "--samples", "2")}


def command(kind: str, folder: Path) -> list[str]:
    rows = ["-t", ",".join(TASKS), "--data", "mini", "-L", "32", "-b", "4", "--quiet"]
    return ["eval", "-m", "demo:causal", *rows, *KINDS[kind], "-o", str(folder)]


@pytest.fixture(scope="module", params=sorted(KINDS))
def undisturbed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp(request.param) / "run"
    finish(*command(request.param, folder))
    return request.param, folder


@pytest.mark.parametrize("round_number", range(3))
def test_kill_at_a_random_moment_then_the_same_command(undisturbed, tmp_path, round_number):
    """Each round is killed twice, somewhere between the start and the last row, and then left alone."""
    kind, whole = undisturbed
    rng = random.Random(f"{kind} {round_number}")
    folder = tmp_path / "run"
    total = len(TASKS) * 32 * (2 if kind == "sampled" else 1)
    for _ in range(2):
        before = set(stored(folder)) if folder.exists() else set()
        process = start(*command(kind, folder))
        wanted = len(before) + rng.randrange(0, max(1, (total - len(before)) // 2))
        until(lambda wanted=wanted: len(stored(folder)) >= wanted, process)
        time.sleep(rng.uniform(0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        after = stored(folder)
        assert before <= set(after) or (folder / "results.json").exists()
        assert not [key for key, count in Counter(after).items() if count > 1]
    finish(*command(kind, folder))
    assert outcome(folder) == outcome(whole)


def test_interrupt_from_the_keyboard_stores_and_goes_on(undisturbed, tmp_path):
    """Ctrl-C reaches the whole process group, the scoring process with it."""
    kind, whole = undisturbed
    folder = tmp_path / "run"
    process = start(*command(kind, folder))
    until(lambda: len(stored(folder)) >= 8, process)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert "To go on where it stopped: grue" in err
    assert "Traceback" not in err
    assert len(stored(folder)) >= 8
    finish(*command(kind, folder))
    assert outcome(folder) == outcome(whole)
