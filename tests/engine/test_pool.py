"""Real processes on one queue: the same texts as one device, whoever dies."""

from __future__ import annotations

import random
import shutil
import signal
from collections.abc import Callable, Iterator

import psutil
import pytest
import torch

from grue.core.decoding import Decoding
from grue.core.errors import CheckpointError, UsageError
from grue.core.rows import Generation, Row
from grue.core.task import Truncation
from grue.engine.open import EngineOptions, open_engine
from grue.engine.pool import PoolEngine, open_pool
from grue.engine.pool.messages import Came, Chunk, Done, Lost, Raised
from grue.engine.pool.worker import answers
from grue.engine.protocol import Job, Portion, Request

WORDS = [
    "the",
    "old",
    "grey",
    "bridge",
    "over",
    "a",
    "quiet",
    "river",
    "carries",
    "people",
    "to",
    "market",
    "every",
    "morning",
    "before",
    "seven",
]
DECODINGS = {
    "greedy": (Decoding(max_new_tokens=24), 1),
    "stop strings": (Decoding(max_new_tokens=24, stop=(" the", "\n")), 1),
    "sampled": (Decoding(max_new_tokens=24, do_sample=True, temperature=0.9, top_k=40), 3),
    "beams": (Decoding(max_new_tokens=12, num_beams=4), 1),
}


def make_rows(n: int, longest: int = 40) -> list[Row]:
    rng = random.Random(n)
    texts = [" ".join(rng.choice(WORDS) for _ in range(rng.randint(1, longest))) for _ in range(n)]
    return [Row(id=f"r{i}", prompt=text, references=(text,)) for i, text in enumerate(texts)]


def make_job(rows: list[Row], decoding: Decoding, **values) -> Job:
    return Job(decoding=decoding, truncation=Truncation("right", 64), seed=3, rows=rows, **values)


def asked(rows: list[Row], samples: int = 1) -> list[Request]:
    return [Request(row, sample) for row in rows for sample in range(samples)]


def facts(portions: list[Portion]) -> dict[tuple[str, int], tuple]:
    """All that a generation says but its time."""
    assert not [failure for portion in portions for failure in portion.failures]
    made = [one for portion in portions for one in portion.generations]
    out = {
        (g.id, g.sample): (g.prediction, g.prompt, g.finish_reason, g.prompt_tokens, g.generated_tokens, g.prompt_cut)
        for g in made
    }
    assert len(out) == len(made)
    return out


def events_of(portions: list[Portion], kind: str) -> list[dict]:
    return [dict(event) for portion in portions for event in portion.events if event["kind"] == kind]


@pytest.fixture(scope="module")
def pool() -> Iterator[PoolEngine]:
    engine = open_engine("demo:causal", EngineOptions(device="cpu", devices=("cpu", "cpu")))
    assert isinstance(engine, PoolEngine)
    engine.load()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def single():
    engine = open_engine("demo:causal", EngineOptions(device="cpu"))
    engine.load()
    return engine


@pytest.mark.long
@pytest.mark.parametrize("kind", DECODINGS)
def test_two_processes_write_what_one_writes(pool, single, kind):
    decoding, samples = DECODINGS[kind]
    rows = make_rows(90)
    job = make_job(rows, decoding, samples=samples)
    portions = list(pool.generate(asked(rows, samples), job))
    assert facts(portions) == facts(list(single.generate(asked(rows, samples), job)))
    work = [one for portion in portions for one in portion.work]
    assert {one.worker for one in work} == {"cpu/0", "cpu/1"}
    assert sum(one.prefill_tokens for one in work) > 0


def test_fixed_batches_give_the_texts_of_one_process(pool, single):
    rows = make_rows(150, longest=8)
    job = make_job(rows, Decoding(max_new_tokens=8), deterministic=True)
    some = asked(rows)[::3]
    assert facts(list(pool.generate(some, job))) == facts(list(single.generate(some, job)))


def workers() -> list[psutil.Process]:
    """The pool's processes: neither the interpreter's resource tracker nor what other tests started."""
    return [child for child in psutil.Process().children() if "grue.engine.pool" in " ".join(child.cmdline())]


def test_a_killed_process_gives_its_rows_back(pool, single):
    rows = make_rows(120)
    job = make_job(rows, Decoding(max_new_tokens=40, min_new_tokens=40), batch_rows=8)
    portions: list[Portion] = []
    victim = None
    for portion in pool.generate(asked(rows), job):
        portions.append(portion)
        if victim is None and portion.generations:
            victim = min(workers(), key=lambda child: child.pid)
            victim.send_signal(signal.SIGKILL)
    assert facts(portions) == facts(list(single.generate(asked(rows), job)))
    [event] = events_of(portions, "worker_lost")
    assert event["worker"] in ("cpu/0", "cpu/1")
    assert event["reason"] == "its process was ended by SIGKILL"
    assert event["rows"] > 0
    # The place is filled again, now or in the next job.
    again = list(pool.generate(asked(rows[:40]), make_job(rows, Decoding(max_new_tokens=4))))
    assert len(facts(again)) == 40
    assert len(workers()) == 2


def test_an_error_that_is_no_row_s_fault_ends_the_task_and_names_the_worker(pool):
    """The evaluator keeps what was made, as with one process; the next task begins anew."""
    rows = make_rows(40)
    broken = make_job(rows, Decoding(max_new_tokens=2), batch_tokens="many")  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match=r"worker cpu/\d: TypeError"):
        list(pool.generate(asked(rows), broken))
    assert len(facts(list(pool.generate(asked(rows), make_job(rows, Decoding(max_new_tokens=2)))))) == 40


def test_the_pool_is_the_same_model_as_one_process(pool, single):
    assert pool.info == single.info
    rows = make_rows(5)
    job = make_job(rows, Decoding(max_new_tokens=5))
    assert pool.settings(job) == single.settings(job)
    assert pool.covered(rows) == rows
    assert pool.prompt_lengths(rows, job) == single.prompt_lengths(rows, job)
    assert pool.environment()["devices"] == ["cpu", "cpu"]
    assert pool.environment()["device"] == "cpu"


def test_memory_is_that_of_the_largest_process(pool):
    list(pool.generate(asked(make_rows(4)), make_job(make_rows(4), Decoding(max_new_tokens=2))))
    largest = max(child.memory_info().rss for child in psutil.Process().children())
    assert pool.peak_memory_bytes() >= largest * 0.9


def test_closing_ends_all_processes():
    before = set(psutil.Process().children())
    engine = open_pool("demo:causal", EngineOptions(devices=("cpu", "cpu")))
    engine._crew.start()
    children = set(psutil.Process().children()) - before
    assert len(children) == 2
    engine.close()
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


def test_a_checkpoint_that_cannot_be_loaded_is_told_as_by_one_process(tmp_path, checkpoints):
    folder = tmp_path / "model"
    shutil.copytree(checkpoints["gpt2"], folder)
    engine = open_pool(str(folder), EngineOptions(devices=("cpu", "cpu")))
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError) as caught:
        engine.load()
    assert "model.safetensors" in str(caught.value)
    engine.close()


def test_null_systems_need_no_processes():
    before = psutil.Process().children()
    engine = open_engine("null:empty", EngineOptions(devices=("cpu", "cpu")))
    rows = make_rows(3)
    portions = list(engine.generate(asked(rows), make_job(rows, Decoding(max_new_tokens=2))))
    assert [one.prediction for portion in portions for one in portion.generations] == ["", "", ""]
    assert psutil.Process().children() == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"devices": ("cpu", "gpu")}, "unknown device 'gpu'"),
        ({"devices": ("cpu", "cuda:63")}, "--devices .*CUDA device"),
    ],
)
def test_wrong_devices_are_refused_before_anything_is_started(options, said):
    if "cuda:63" in options["devices"] and torch.cuda.is_available():
        said = "CUDA devices"
    with pytest.raises(UsageError, match=said):
        open_engine("demo:causal", EngineOptions(**options))


def test_cores_are_divided_among_processes_unless_the_user_says(monkeypatch):
    from grue.checkpoints.device import available_cores
    from grue.engine.pool.processes import Processes

    def unused() -> None:
        raise AssertionError

    monkeypatch.delenv("OMP_NUM_THREADS")
    assert Processes(unused, ("cpu",)).threads == available_cores()
    assert Processes(unused, ("cpu",) * available_cores() * 3).threads == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert Processes(unused, ("cpu", "cpu")).threads == 5


class ScriptedEngine:
    """Hands out one row, then does what the test says."""

    def __init__(self, then: Callable[[], None]) -> None:
        self._then = then
        self.is_closed = False

    def generate(self, requests, job) -> Iterator[Portion]:
        try:
            yield Portion([Generation(requests[0].row.id, 0, "text")])
            self._then()
            yield Portion([Generation(one.row.id, 0, "text") for one in requests[1:]])
        finally:
            self.is_closed = True

    def peak_memory_bytes(self) -> int:
        return 123


def spoken(then: Callable[[], None], is_cancelled: Callable[[], bool] = lambda: False) -> tuple[list, ScriptedEngine]:
    engine = ScriptedEngine(then)
    rows = make_rows(3)
    return list(
        answers(engine, Chunk(7, asked(rows), make_job(rows, Decoding(max_new_tokens=2))), is_cancelled)
    ), engine


def raises(error: Exception) -> Callable[[], None]:
    def then() -> None:
        raise error

    return then


def rows_of(said: list) -> list[str]:
    return [one.id for answer in said if isinstance(answer, Came) for one in answer.portion.generations]


def test_a_worker_tells_all_rows_then_the_end():
    said, _ = spoken(lambda: None)
    assert rows_of(said) == ["r0", "r1", "r2"]
    assert said[-1] == Done(7)
    assert {answer.peak_memory_bytes for answer in said[:-1]} == {123}


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (RuntimeError("CUDA error: device-side assert triggered\nmore"), Lost, "its device is gone"),
        (RuntimeError("CUDA error: out of memory"), Raised, "out of memory"),
        (ValueError("shapes differ"), Raised, "ValueError: shapes differ"),
        (CheckpointError("no head"), Raised, "no head"),
    ],
)
def test_a_lost_device_ends_the_worker_and_another_error_the_task(error, kind, told):
    said, engine = spoken(raises(error))
    assert rows_of(said) == ["r0"]
    assert isinstance(said[-1], kind)
    assert told in str(said[-1])
    assert engine.is_closed


def test_a_cancelled_chunk_is_left_at_the_next_row():
    said, engine = spoken(raises(AssertionError("it went on")), lambda: True)
    assert rows_of(said) == []
    assert engine.is_closed
