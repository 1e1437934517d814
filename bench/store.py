"""The results store on a board of 1,000 runs × 7 tasks × 40 metrics: making the index, and query with ranking.

Run directories are written first: manifest, results of 280 metrics with intervals, and the tables of generations and
statistics of a small run, which are hashed at every rebuild as they are for users. ``--database`` measures PostgreSQL.
A cold query is the first one of a process that has imported what it needs; ``warm`` is a median. Beside the clock
stands the processor's time, which says what the clock would on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from made_runs import TASKS, hashes_below, made_result, made_score, made_task, new_run_id, write_documents

from grue.core.metric import MetricValue
from grue.core.run import Cost, RunScores, TaskManifest, TaskResult, TaskScore
from grue.stats.ranking import Candidate, rank
from grue.store import queries
from grue.store.check import check
from grue.store.database import open_store
from grue.store.ranks import ranks_of
from grue.store.rebuild import rebuild
from grue.store.values import Board, Number

N_METRICS = 40
N_ROWS = 48
SETTING = "test"


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--database", help="Address of an empty PostgreSQL database. [default: SQLite in a new folder]")
    parser.add_argument("--cold", action="store_true", help="Only query the database, once.")
    call = parser.parse_args()
    if call.cold:
        print(json.dumps(_queries(call.database, rounds=1)))
        return
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "runs"
        write_runs(results, call.runs)
        database = call.database or f"sqlite:///{folder}/grue.sqlite"
        print(json.dumps(measured(results, database, call.runs, call.rounds), indent=1))


def measured(results: Path, database: str, n_runs: int, rounds: int) -> dict[str, object]:
    """All figures of one database."""
    rates, busy = [], []
    with open_store(database) as store:
        for _ in range(rounds):
            start, start_busy = time.perf_counter(), _processor_seconds()
            done = rebuild(store, [results])
            rates.append(n_runs / (time.perf_counter() - start))
            busy.append(n_runs / (_processor_seconds() - start_busy))
            if done.runs != n_runs or done.skipped:
                raise SystemExit(f"{done.runs} of {n_runs} runs, {len(done.skipped)} skipped")
        start = time.perf_counter()
        checked = check(store, [results])
        check_rate = n_runs / (time.perf_counter() - start)
        if checked.differences:
            raise SystemExit(str(checked.differences[0]))
    words = [sys.executable, __file__, "--cold", "--database", database]
    cold = subprocess.run(words, capture_output=True, check=True, text=True)
    return {
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 1),
        "database": database.partition(":")[0],
        "runs": n_runs,
        "rebuild_runs_per_second": _rounded(rates),
        "rebuild_runs_per_processor_second": _rounded(busy),
        "check_runs_per_second": round(check_rate),
        "query_and_ranking_milliseconds": {"cold": json.loads(cold.stdout), "warm": _queries(database, max(rounds, 5))},
    }


def _rounded(rates: list[float]) -> dict[str, object]:
    return {"median": round(statistics.median(rates)), "all": [round(rate) for rate in rates]}


def _processor_seconds() -> float:
    """Of this process and those it started and that ended: what a busy machine does not stretch as it does time."""
    own, ended = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime


def _queries(database: str, rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds of query and ranking, of the clock and of the processor; medians of the rounds."""
    with open_store(database) as store:
        questions: dict[str, Callable[[], int]] = {
            "board, one number a task and the GRUE score": lambda: board_page(queries.board(store, SETTING)),
            "one task, all its metrics": lambda: every_metric(queries.board(store, SETTING, only=[TASKS[1]])),
            "board, every metric of every task": lambda: every_metric(queries.board(store, SETTING)),
        }
        taken = {}
        for name, ask in questions.items():
            clock, processor = [], []
            for _ in range(rounds):
                start, start_busy = time.perf_counter(), time.process_time()
                ask()
                clock.append((time.perf_counter() - start) * 1000)
                processor.append((time.process_time() - start_busy) * 1000)
            taken[name] = {
                "clock": round(statistics.median(clock), 1),
                "processor": round(statistics.median(processor), 1),
            }
    return taken


def board_page(board: Board) -> int:
    """Rank the metric shown of every task, and the runs by their GRUE score."""
    n_ranked = 0
    for task in board.tasks.values():
        shown = task.shown()
        n_ranked += ranked(board, task.usual(shown)) if shown else 0
    scores = [Candidate(run.run_id, run.grue.value, run.created_at) for run in board.runs.values()]
    return n_ranked + len(rank(scores, higher_is_better=True))


def every_metric(board: Board) -> int:
    """Rank every run by every metric of every task."""
    return sum(len(found.ranks) for found in ranks_of(board))


def ranked(board: Board, numbers: list[Number]) -> int:
    """Rank numbers of one comparison key."""
    candidates = [Candidate(one.run_id, one.value, board.runs[one.run_id].created_at) for one in numbers]
    return len(rank(candidates, higher_is_better=numbers[0].scored.higher_is_better))


def write_runs(folder: Path, n_runs: int) -> None:
    """Write run directories of the contract's shape; numbers are drawn, tables are the same in all."""
    generator = random.Random(0)
    tables = folder / ".tables"
    for kind in ("samples", "statistics"):
        (tables / kind).mkdir(parents=True)
    for task in TASKS:
        _write_table(tables / "samples" / f"{task}.parquet", with_text=True)
        _write_table(tables / "statistics" / f"{task}.parquet", with_text=False)
    files = hashes_below(tables)
    for number in range(n_runs):
        _write_run(folder / new_run_id(generator), number, generator, tables, files)
    shutil.rmtree(tables)


def _write_table(path: Path, *, with_text: bool) -> None:
    ids = [f"row-{index:04d}" for index in range(N_ROWS)]
    columns: dict[str, object] = {"id": ids, "sample": [0] * N_ROWS}
    if with_text:
        columns |= {
            name: [f"{name} {row_id} " + "a grey river walks under the bridge " * 5 for row_id in ids]
            for name in ("prompt", "prediction", "inputs")
        }
    numbers = random.Random(str(path.name))
    columns |= {f"metric_{index}": [numbers.random() for _ in ids] for index in range(20)}
    pq.write_table(pa.table(columns), path)


def _write_run(path: Path, number: int, generator: random.Random, tables: Path, files: dict[str, str]) -> None:
    shutil.copytree(tables, path)
    signatures = {
        f"metric_{index}": f"metric_{index}|tok:13a|case:mixed|smooth:exp|impl:some-package-1.2.3|v:1"
        for index in range(N_METRICS)
    }
    asked = {task: made_task(task, signatures, list(signatures)[:2], N_ROWS) for task in TASKS}
    results = {task: _result(one, generator) for task, one in asked.items()}
    scores = RunScores(made_score(100 * generator.random()), made_score(100 * generator.random()))
    write_documents(path, number, asked, results, scores, files=files)


def _result(asked: TaskManifest, generator: random.Random) -> TaskResult:
    metrics = {}
    for index, (name, signature) in enumerate(asked.metrics.items()):
        value = generator.random()
        reason = "no method promises an interval for it" if index % 4 == 3 else None
        interval = None if reason else (value - 0.01, value + 0.01)
        metrics[name] = MetricValue(value, interval, N_ROWS, 1.0, index % 5 != 4 or None, signature, reason)
    cost = Cost(wall_seconds=12.5, generated_tokens=900, tokens_per_second=72.0)
    quality, naturalness = made_score(100 * generator.random()), made_score(100 * generator.random())
    return made_result(metrics, cost, TaskScore(quality=quality, naturalness=naturalness), N_ROWS)


if __name__ == "__main__":
    main()
