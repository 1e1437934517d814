"""The queue alone: workers that are simulated, step by step, and die whenever chance wants it."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from grue.core.decoding import Decoding
from grue.core.errors import CheckpointError
from grue.core.rows import Generation, Row
from grue.core.task import Truncation
from grue.engine.pool.coordinator import Coordinator
from grue.engine.pool.crew import RESTARTS, Crew, Member
from grue.engine.pool.ledger import Ledger
from grue.engine.pool.messages import Answer, Came, Cancel, Chunk, Done, Lost, Order, Ready, Refused, Tell
from grue.engine.protocol import Failure, Job, Portion, Request, Work


def make_job(rows: list[Row], **values) -> Job:
    return Job(decoding=Decoding(max_new_tokens=8), truncation=Truncation("right", 64), seed=0, rows=rows, **values)


def make_rows(n: int, seed: int = 0) -> list[Row]:
    rng = random.Random(seed)
    return [Row(id=f"r{i}", prompt="x" * rng.randint(1, 400), references=("secret",)) for i in range(n)]


@dataclass
class Odds:
    """What may happen to a simulated worker at each of its steps."""

    death: float = 0.0
    no_start: float = 0.0
    refusal: float = 0.0
    failed_row: float = 0.0
    repeat: float = 0.0
    poison: frozenset[str] = frozenset()


@dataclass
class FakeWorker:
    cluster: FakeCluster
    tell: Tell
    is_ready: bool = False
    is_gone: bool = False
    chunks: list[Chunk] = field(default_factory=list)
    left: list[Request] = field(default_factory=list)

    def send(self, order: Order) -> None:
        if isinstance(order, Cancel):
            if self.chunks:
                # What was under way when the order came arrives later, under ids that the next job may have, too.
                stale = [Generation(one.row.id, one.sample, "of the job before") for one in self.chunks[0].requests]
                self.tell(Came(self.chunks[0].number, Portion(stale), None))
                self.tell(Done(self.chunks[0].number))
            self.chunks = [chunk for chunk in self.chunks if chunk.number > order.number]
        else:
            assert order.requests
            self.chunks.append(order)
            self.cluster.given.append(order)
            if len(self.chunks) == 1:
                self.left = list(order.requests)

    def stop(self) -> None:
        self.is_gone = True

    def step(self) -> None:
        rng, odds = self.cluster.rng, self.cluster.odds
        if not self.is_ready:
            if rng.random() < odds.refusal:
                self._end(Refused(CheckpointError("the device is not there")))
            elif rng.random() < odds.no_start:
                self._end(Lost("it did not come up"))
            else:
                self.is_ready = True
                self.tell(Ready(device="cpu", node="n", pid=1, threads=1, seconds=0.0))
        elif self.chunks:
            now = self.left[: rng.randint(1, 5)]
            if rng.random() < odds.death or any(one.row.id in odds.poison for one in now):
                self.cluster.deaths += 1
                self._end(Lost("killed"))
                return
            self.left = self.left[len(now) :]
            self.tell(Came(self.chunks[0].number, self._portion(now), None))
            if not self.left:
                self.tell(Done(self.chunks.pop(0).number))
                self.left = list(self.chunks[0].requests) if self.chunks else []

    def _portion(self, requests: list[Request]) -> Portion:
        rng, odds = self.cluster.rng, self.cluster.odds
        done = [one for one in requests if rng.random() >= odds.failed_row]
        again = [one for one in requests if rng.random() < odds.repeat]
        return Portion(
            [Generation(one.row.id, one.sample, f"{one.row.prompt}/{one.sample}") for one in (*done, *again)],
            [Failure(one.row.id, one.sample, "too large") for one in requests if one not in done and one not in again],
            [Work(worker="cpu", decode_tokens=len(requests), rows=len(self.chunks[0].requests))],
        )

    def _end(self, answer: Answer) -> None:
        self.is_gone = True
        self.tell(answer)


class FakeCluster:
    """A transport whose workers move one at a time, when the coordinator listens."""

    def __init__(self, workers: int, odds: Odds, seed: int) -> None:
        self.names = [f"w{i}" for i in range(workers)]
        self.odds, self.rng = odds, random.Random(seed)
        self.workers: list[FakeWorker] = []
        self.given: list[Chunk] = []
        self.deaths = 0

    def start(self, index: int, tell: Tell) -> FakeWorker:
        self.workers.append(FakeWorker(self, tell))
        return self.workers[-1]

    def close(self) -> None:
        self.workers = []

    def step(self) -> None:
        moving = [worker for worker in self.workers if not worker.is_gone and (not worker.is_ready or worker.chunks)]
        assert moving, "the coordinator listens while nobody has anything to say"
        self.rng.choice(moving).step()


class SteppedCrew(Crew):
    def __init__(self, cluster: FakeCluster) -> None:
        super().__init__(cluster)
        self._cluster = cluster

    def hear(self, timeout_seconds: float | None = None) -> tuple[Member, Answer]:
        while (heard := super().hear(0)) is None:
            self._cluster.step()
        return heard


def run(cluster: FakeCluster, requests: list[Request], job: Job, batches=()) -> list[Portion]:
    return list(Coordinator(SteppedCrew(cluster)).generate(requests, job, batches))


def answers_of(portions: list[Portion]) -> tuple[dict, dict]:
    made = [one for portion in portions for one in portion.generations]
    failed = [one for portion in portions for one in portion.failures]
    counts = Counter((one.id, one.sample) for one in (*made, *failed))
    assert not [key for key, count in counts.items() if count > 1]
    return {(g.id, g.sample): g.prediction for g in made}, {(f.id, f.sample): f.reason for f in failed}


def events_of(portions: list[Portion], kind: str) -> list[dict]:
    return [dict(event) for portion in portions for event in portion.events if event["kind"] == kind]


@settings(max_examples=300, deadline=None)
@given(
    n=st.integers(0, 150),
    samples=st.integers(1, 3),
    workers=st.integers(1, 5),
    seed=st.integers(0, 10**6),
    death=st.sampled_from([0.0, 0.02, 0.2, 0.7]),
    no_start=st.sampled_from([0.0, 0.3]),
    refusal=st.sampled_from([0.0, 0.2]),
    failed_row=st.sampled_from([0.0, 0.1]),
    repeat=st.sampled_from([0.0, 0.1]),
    n_poison=st.integers(0, 3),
    batched=st.booleans(),
)
def test_whatever_dies_every_request_is_answered_exactly_once(
    n, samples, workers, seed, death, no_start, refusal, failed_row, repeat, n_poison, batched
):
    rows = make_rows(n, seed)
    poison = frozenset(row.id for row in rows[:n_poison])
    cluster = FakeCluster(workers, Odds(death, no_start, refusal, failed_row, repeat, poison), seed)
    requests = [Request(row, sample) for row in rows for sample in range(samples)]
    batches = [[row.id for row in rows[at : at + 16]] for at in range(0, n, 16)] if batched else ()
    portions = run(cluster, requests, make_job(rows), batches)
    made, failed = answers_of(portions)
    assert set(made) | set(failed) == {(one.row.id, one.sample) for one in requests}
    prompts = {row.id: row.prompt for row in rows}
    assert all(text == f"{prompts[row_id]}/{sample}" for (row_id, sample), text in made.items())
    assert not poison & {row_id for row_id, _ in made}
    assert len(events_of(portions, "worker_lost")) >= min(cluster.deaths, 1)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(2, 300), workers=st.integers(1, 4), n_poison=st.integers(0, 1))
def test_a_row_that_ends_its_worker_fails_alone(seed, n, workers, n_poison):
    rows = make_rows(n, seed)
    poison = frozenset({rows[seed % n].id} if n_poison else ())
    cluster = FakeCluster(workers, Odds(poison=poison), seed)
    made, failed = answers_of(run(cluster, [Request(row, 0) for row in rows], make_job(rows)))
    assert {row_id for row_id, _ in failed} == poison
    assert len(made) == n - len(poison)
    assert all("killed" in reason for reason in failed.values())
    assert cluster.deaths <= 3 * len(poison)


def test_many_rows_that_end_their_workers_fail_while_all_others_are_answered():
    """Each costs its worker a life that is given back: the worker is not to blame."""
    rows = make_rows(100)
    poison = frozenset(row.id for row in rows[::20])
    cluster = FakeCluster(2, Odds(poison=poison), 1)
    made, failed = answers_of(run(cluster, [Request(row, 0) for row in rows], make_job(rows)))
    assert {row_id for row_id, _ in failed} == poison
    assert len(made) == 95


def test_without_any_worker_left_the_rest_fails_with_the_reason_and_what_was_made_stands():
    rows = make_rows(400)
    cluster = FakeCluster(2, Odds(), 3)
    portions = []
    for portion in Coordinator(SteppedCrew(cluster)).generate([Request(row, 0) for row in rows], make_job(rows), ()):
        portions.append(portion)
        if sum(len(one.generations) for one in portions) > 100:
            cluster.odds = Odds(death=0.5, no_start=1.0)
    made, failed = answers_of(portions)
    assert len(made) > 100
    assert failed
    assert len(made) + len(failed) == 400
    assert {reason.split(":")[0] for reason in failed.values()} == {"no worker is left"}
    lost = Counter(event["worker"] for event in events_of(portions, "worker_lost"))
    assert lost == {"w0": 1 + RESTARTS, "w1": 1 + RESTARTS}


def test_a_refused_worker_is_not_started_again():
    rows = make_rows(50)
    cluster = FakeCluster(2, Odds(), 0)
    crew = SteppedCrew(cluster)
    crew.start()
    cluster.workers[0]._end(Refused(CheckpointError("the device is not there", place="cuda:7")))
    portions = list(Coordinator(crew).generate([Request(row, 0) for row in rows], make_job(rows), ()))
    made, _ = answers_of(portions)
    assert len(made) == 50
    assert len(cluster.workers) == 2
    [event] = events_of(portions, "worker_lost")
    assert event == {
        "kind": "worker_lost", "worker": "w0", "reason": "cuda:7: the device is not there", "rows": 0,
    }  # fmt: skip


def test_work_is_told_once_and_names_the_worker():
    rows = make_rows(200)
    portions = run(FakeCluster(3, Odds(), 5), [Request(row, 0) for row in rows], make_job(rows))
    work = [one for portion in portions for one in portion.work]
    assert sum(one.decode_tokens for one in work) == 200
    assert {one.worker for one in work} == {"w0", "w1", "w2"}


def test_a_caller_that_stops_listening_leaves_workers_free_for_the_next_job():
    rows = make_rows(200)
    cluster = FakeCluster(2, Odds(), 7)
    coordinator = Coordinator(SteppedCrew(cluster))
    requests = [Request(row, 0) for row in rows]
    first = coordinator.generate(requests, make_job(rows), ())
    while not next(first).generations:
        continue
    first.close()
    made, failed = answers_of(list(coordinator.generate(requests, make_job(rows), ())))
    assert made == {(row.id, 0): f"{row.prompt}/0" for row in rows}
    assert not failed


def test_workers_that_cannot_be_started_fail_all_rows_with_the_reason(monkeypatch):
    rows = make_rows(5)
    cluster = FakeCluster(2, Odds(), 0)

    def start(index: int, tell: Tell) -> FakeWorker:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(cluster, "start", start)
    portions = run(cluster, [Request(row, 0) for row in rows], make_job(rows))
    made, failed = answers_of(portions)
    assert not made
    assert len(failed) == 5
    assert all("Cannot allocate memory" in reason for reason in failed.values())
    assert len(events_of(portions, "worker_lost")) == 2 * (1 + RESTARTS)


def test_what_is_sent_to_workers_holds_no_references():
    rows = make_rows(40)
    cluster = FakeCluster(2, Odds(), 0)
    run(cluster, [Request(row, 0) for row in rows], make_job(rows))
    assert not [one for chunk in cluster.given for one in chunk.requests if one.row.references]
    assert not [chunk for chunk in cluster.given if chunk.job.rows]


def test_a_fixed_batch_goes_to_one_worker_as_a_whole():
    """With the rows of the batch that nobody asks for any more: they are decoded with the others."""
    rows = make_rows(64)
    batches = [[row.id for row in rows[at : at + 16]] for at in range(0, 64, 16)]
    cluster = FakeCluster(3, Odds(), 2)
    asked = [Request(row, 0) for row in rows[3:40]]
    run(cluster, asked, make_job(rows, deterministic=True), batches)
    with_rows = [(chunk, {row.id for row in chunk.job.rows}) for chunk in cluster.given]
    seen = Counter(row_id for _, ids in with_rows for row_id in ids)
    assert seen == Counter({row.id: 1 for row in rows[:48]})
    assert all({one.row.id for one in chunk.requests} <= ids for chunk, ids in with_rows)
    # In the order of the job, so that the worker forms the same batches.
    order = {row.id: index for index, row in enumerate(rows)}
    for chunk in cluster.given:
        places = [order[row.id] for row in chunk.job.rows]
        assert places == sorted(places)


def test_long_prompts_go_first_and_chunks_shrink_to_an_even_end():
    rows = make_rows(2000)
    job = make_job(rows)
    ledger = Ledger([Request(row, 0) for row in rows], job)
    sizes, lengths = [], []
    for number in range(1, 10_000):
        taken = ledger.take(number, [], 4, 8)
        if not taken:
            break
        sizes.append(len(taken))
        lengths += [len(one.row.prompt) for one in taken]
        ledger.accept(Portion([Generation(one.row.id, 0, "") for one in taken]))
        assert ledger.end(number, taken) == []
    assert sum(sizes) == 2000
    assert sizes == sorted(sizes, reverse=True)
    # Three quarters of a fourth of the work: the longest prompts, so fewer rows than 375.
    assert 200 < sizes[0] < 375
    assert sizes[-1] < 8
    # Lengths count in tokens of about four characters, up to the 64 at which prompts are cut.
    costs = [min(length // 4 + 1, 64) for length in lengths]
    assert costs == sorted(costs, reverse=True)


def test_a_small_job_is_divided_evenly():
    rows = [Row(id=f"r{i}", prompt="x") for i in range(32)]
    ledger = Ledger([Request(row, 0) for row in rows], make_job(rows))
    assert [len(ledger.take(number, [], 2, 32)) for number in (1, 2)] == [16, 16]
    assert ledger.take(3, [], 2, 32) == []


def test_draws_of_one_prompt_stay_together():
    rows = make_rows(60)
    requests = [Request(row, sample) for sample in range(4) for row in rows]
    cluster = FakeCluster(3, Odds(), 0)
    run(cluster, requests, make_job(rows))
    for chunk in cluster.given:
        assert set(Counter(one.row.id for one in chunk.requests).values()) == {4}


def test_nothing_is_kept_for_a_worker_that_does_not_come(monkeypatch):
    """A cluster may have room for one of eight workers; that one must not get an eighth at a time for ever."""
    cluster = FakeCluster(8, Odds(), 0)
    crew = SteppedCrew(cluster)
    crew.start()
    cluster.workers[0].step()
    crew.wait_for_one(None)
    assert crew.n_sharing == 8
    now = time.monotonic()
    monkeypatch.setattr("grue.engine.pool.crew.time.monotonic", lambda: now + 3600)
    assert crew.n_sharing == 1
    cluster.workers[5].step()
    crew.listen(*crew.hear())
    assert crew.n_sharing == 2
