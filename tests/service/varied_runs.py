"""A board whose runs differ in everything that it can be filtered and sorted by."""

from __future__ import annotations

from pathlib import Path

from grue.core.run import Cost, RunScores, ScoreValue, TaskScore
from tests.site.fake_runs import FakeTask, write_run

HOSTILE = "<script>alert('x')</script>"


def _task(level: float, natural: float, reward: float | None, speed: float | None = None) -> FakeTask:
    return FakeTask(
        values={"sacrebleu": level, "chrf": 100 - level, "mean_length": 9.0},
        primary=("sacrebleu", "chrf"),
        rewards={} if reward is None else {"bleu": reward},
        standing=TaskScore(
            quality=ScoreValue(level, (level - 1, level + 1)),
            naturalness=ScoreValue(natural, None, "no interval"),
            floor={"sacrebleu": 0.0, "chrf": 0.0},
            ceiling={"sacrebleu": 100.0, "chrf": 100.0},
        ),
        cost=Cost(wall_seconds=10.0)
        if speed is None
        else Cost(wall_seconds=10.0, generated_tokens=900, tokens_per_second=speed, latency_ms_p50=1e5 / speed),
    )


# Id, name, sacrebleu on wmt16, on iwslt2017 (None: not run), naturalness, reward, parameters, licence, kind, speed.
RUNS = (
    ("V1", "ash-7b", 60.0, 30.0, 90.0, 0.50, 7_000_000_000, "apache-2.0", "demo", 100.0),
    ("V2", "birch-3b", 50.0, 50.0, 85.0, 0.55, 3_000_000_000, "mit", "demo", 300.0),
    ("V3", "birch-gamed", 40.0, 10.0, 40.0, 0.95, 3_000_000_000, "MIT", "demo", 200.0),
    ("V4", "cedar predictions", 30.0, 20.0, 88.0, 0.45, None, None, "predictions", None),
    ("V5", HOSTILE, 20.0, None, 80.0, None, 500_000_000, "<i>own</i>", "imported", None),
)
YARDSTICKS = ("oracle:reference", "null:random-reference", "null:empty")


def varied_runs(folder: Path) -> Path:
    """Five runs and three yardsticks on one setting, and one run on a subset of it."""
    for day, (run_id, name, wmt, iwslt, natural, reward, parameters, licence, kind, speed) in enumerate(RUNS, 1):
        tasks = {"wmt16": _task(wmt, natural, reward, speed)}
        if iwslt is not None:
            tasks["iwslt2017"] = _task(iwslt, natural, reward, speed)
        score = ScoreValue.none("tasks missing: imdb")
        write_run(
            folder,
            run_id,
            name,
            tasks,
            kind=kind,
            source=f"{run_id}-source",
            parameters=parameters,
            meta={"licence": licence} if licence else {},
            scores=RunScores(score, ScoreValue(natural, None, "no interval")),
            created_at=f"2026-10-{day:02d}T05:02:00Z",
        )
    for number, name in enumerate(YARDSTICKS):
        level = {"oracle:reference": 95.0, "null:random-reference": 5.0}.get(name, 0.0)
        tasks = {task: _task(level, 50.0, None) for task in ("wmt16", "iwslt2017")}
        write_run(folder, f"VY{number}", name, tasks, kind=name.partition(":")[0], source=name)
    cut = _task(20.0, 80.0, None)
    cut.n_rows, cut.limit, cut.data_rows, cut.prompts = 5, 5, 600, "q" * 64
    write_run(folder, "VSUB", "a subset", {"wmt16": cut}, kind="demo", source="subset")
    return folder


def many_runs(folder: Path, n: int) -> Path:
    """So many runs of one task, each a point better than the one before."""
    for index in range(n):
        task = FakeTask({"sacrebleu": 0.1 * (index + 1)}, n_rows=1, per_sample=())
        write_run(folder, f"M{index:04d}", f"run {index:04d}", {"wmt16": task}, source=f"source-{index}")
    return folder
