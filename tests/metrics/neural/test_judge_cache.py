"""What a judge said of a text is kept on disk and shared; a cached run loads no weights."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from grue.core.judging import Judging
from grue.core.metric import Digests, Texts
from grue.core.task import MetricSpec
from grue.metrics.build import build
from grue.metrics.neural import cache
from grue.metrics.neural import judge as judges

Tiny = Callable[[str], Path]
SETTINGS = {
    "sentiment": ("two", {}),
    "intent_accuracy": ("four", {}),
    "perplexity": ("gpt2", {}),
    "perplexity_references": ("gpt2", {"stride": 16}),
    "bertscore": ("bert", {"layer": 2}),
    "summac_zs": ("nli", {}),
    "bleurt": ("bleurt", {}),
}


def values(name: str, folder: Path, judging: Judging, predictions: list[str]) -> np.ndarray:
    settings = {"model": str(folder), **SETTINGS[name][1]}
    made = build(MetricSpec(name, settings), {}, judging)
    inputs = [{"act": 1, "last_utterance": "how ?", "source": "The dog runs over it. The film was dull."}]
    texts = Texts(predictions, [["the film was good", "a dog"]] * len(predictions), inputs * len(predictions))
    digests = Digests(made.digest(texts))
    return np.array(made.value(digests) if hasattr(made, "value") else made.pooled(digests))


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_a_cached_run_loads_no_weights(
    tiny: Tiny, texts: list[str], tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny(SETTINGS[name][0])
    judging = Judging(device="cpu", offline=True, cache=tmp_path / "cache")
    first = values(name, folder, judging, texts)
    judges.release()

    def never(self: judges.Judge) -> None:
        raise AssertionError("weights are loaded")

    monkeypatch.setattr(judges.Judge, "_load", never)
    again = values(name, folder, judging, texts[::-1])
    np.testing.assert_array_equal(again[::-1] if again.ndim else again, first)
    if name != "perplexity_references":  # it reads no outputs
        with pytest.raises(AssertionError, match="weights are loaded"):
            values(name, folder, judging, [*texts, "a text that nobody has read before"])


def test_other_weights_have_outputs_of_their_own(tiny: Tiny, tmp_path: Path, texts: list[str]) -> None:
    judging = Judging(device="cpu", offline=True, cache=tmp_path / "cache")
    first = values("sentiment", tiny("two"), judging, texts)
    other = values("sentiment", tiny("distilbert"), judging, texts)
    assert not np.allclose(first, other)
    assert np.array_equal(first, values("sentiment", tiny("two"), judging, texts))


def test_a_moved_folder_keeps_its_outputs(tiny: Tiny, tmp_path: Path, texts: list[str]) -> None:
    judging = Judging(device="cpu", offline=True, cache=tmp_path / "cache")
    values("sentiment", tiny("two"), judging, texts)
    shutil.copytree(tiny("two"), tmp_path / "moved")
    before = _rows(tmp_path)
    values("sentiment", tmp_path / "moved", judging, texts)
    assert _rows(tmp_path) == before == len(set(texts))


def _rows(tmp_path: Path) -> int:
    with sqlite3.connect(tmp_path / "cache" / cache.FILE_NAME) as connection:
        return int(connection.execute("SELECT count(*) FROM outputs").fetchone()[0])


SCORE = """
import sys
from pathlib import Path
from grue.core.judging import Judging
from grue.metrics.neural.classifier import ClassifierJudge
folder, cache, first = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
judge = ClassifierJudge(folder, 1, Judging(device="cpu", offline=True, cache=cache))
for start in range(first, first + 120, 8):
    judge.probabilities([f"the film {n}" for n in range(start, start + 8)])
"""


@pytest.mark.long
def test_two_processes_share_a_cache(tiny: Tiny, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    running = [
        subprocess.Popen([sys.executable, "-c", SCORE, str(tiny("two")), str(folder), first]) for first in ("0", "60")
    ]
    assert [process.wait(timeout=120) for process in running] == [0, 0]
    assert _rows(tmp_path) == 180


@pytest.mark.parametrize("damage", ["garbage", "folder", "other"])
def test_a_cache_that_cannot_be_used_costs_time_alone(
    tiny: Tiny, tmp_path: Path, texts: list[str], damage: str
) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    path = folder / cache.FILE_NAME
    if damage == "garbage":
        path.write_bytes(b"no database" * 1000)
    elif damage == "folder":
        path.mkdir()
    else:
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE outputs (something INTEGER)")
    wanted = values("sentiment", tiny("two"), Judging(device="cpu", offline=True), texts)
    seen = values("sentiment", tiny("two"), Judging(device="cpu", offline=True, cache=folder), texts)
    np.testing.assert_allclose(seen, wanted, atol=1e-6)


def test_the_oldest_outputs_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MAX_ROWS", 10)
    keys = [cache.output_key("judge", "settings", (str(n),)) for n in range(25)]
    for number, key in enumerate(keys):
        cache.store(tmp_path, {key: np.array([float(number)])})
    found = cache.lookup(tmp_path, keys)
    assert sorted(float(value[0]) for value in found.values()) == list(map(float, range(15, 25)))


def test_parts_do_not_run_into_each_other() -> None:
    keys = [
        cache.output_key("j", "s", parts)
        for parts in (("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), ("\ud800",), ("\ufffd",))
    ]
    assert len(set(keys)) == len(keys)
