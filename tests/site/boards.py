"""Folders of runs with everything that a board can show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from grue.core.metric import Explanation, Part
from grue.core.run import RunScores, ScoreValue, TaskScore
from grue.runs.validity import Agreement, Correlation, LengthBias, Share, TaskValidity
from tests.site.fake_runs import FakeTask, write_run

HOSTILE = "<script>alert('x')</script> \u0645\u0631\u062d\u0628\u0627"


def sample_runs(folder: Path) -> Path:
    """Two checkpoints, rescored predictions, yardsticks, a hostile run, a subset, an unfinished and a broken run."""

    def tasks(level: float, **more: Any) -> dict[str, FakeTask]:
        return {
            "commongen": FakeTask(
                {"cider_d": None, "coverage": None, "rougeLsum": level / 100, "mean_length": 11.0},
                ("cider_d", "coverage"),
                per_sample=("rougeLsum",),
                **more,
            ),
            "wmt16": FakeTask(
                {"sacrebleu": level, "chrf": level + 20, "ter": 100 - level}, ("sacrebleu", "chrf"), n_rows=120, **more
            ),
            "a_private_task": FakeTask({"sacrebleu": level + 1}, **more),
        }

    meta = {"licence": "apache-2.0"}
    write_run(folder, "01CAUSAL", "demo-causal", tasks(20), source="demo:causal", meta=meta)
    write_run(folder, "01SEQ2SEQ", "demo-seq2seq", tasks(25), source="demo:seq2seq", meta=meta)
    partly = {"wmt16": tasks(30)["wmt16"]}
    write_run(folder, "01SENT", "sent in", partly, kind="predictions", source="predictions")
    for place, (name, level) in enumerate({"null:empty": 0.0, "null:random-reference": 5.0}.items()):
        write_run(folder, f"01NULL{place}", name, tasks(level), kind="null", source=name)
    oracle = {"commongen": tasks(65)["commongen"], "wmt16": tasks(65)["wmt16"]}
    write_run(folder, "01ORACLE", "oracle:reference", oracle, kind="oracle", source="oracle:reference")
    hostile = tasks(10)
    hostile["wmt16"].prompt = "<img src=x onerror=alert(1)> {word} {index}"
    hostile["wmt16"].prediction = "</p><script>alert({index})</script> \u05e9\u05dc\u05d5\u05dd {word}"
    hostile["commongen"].version = 2
    write_run(folder, "01HOSTILE", HOSTILE, hostile, source="<b>x</b>", meta={"licence": "<i>none</i>"})
    subset = tasks(18, source="folder", limit=5, data_rows=600, prompts="q" * 64)
    subset["wmt16"].n_rows = 5
    write_run(folder, "01SUBSET", "demo-causal", subset, source="demo:causal")
    unfinished = write_run(folder, "01UNFINISHED", "stopped", tasks(18))
    (unfinished / "results.json").unlink()
    broken = write_run(folder, "01BROKEN", "broken", tasks(18))
    (broken / "samples" / "wmt16.parquet").write_bytes(b"not parquet")
    return folder


def _validity(language: str, *, is_odd: bool) -> TaskValidity:
    share = Share(
        count=5 if is_odd else 0,
        share=0.5 if is_odd else 0.0,
        severity="warning" if is_odd else "fine",
        meaning="an invented rule",
        examples=("row-0001", "<i>row</i>") if is_odd else (),
        references_share=0.0,
    )
    rho = Correlation(rho=-0.25, ci95=(-0.5, 0.1), n=20)
    none = Correlation(rho=None, ci95=None, n=3)
    return TaskValidity(
        n=10,
        language=language,
        degenerate={"copied": share, "wrong_language": share},
        length_bias={"sacrebleu": LengthBias(with_length=rho, given_references=none, severity="notice")},
        agreement={"sacrebleu": Agreement(against={"chrf": rho}, severity="fine")},
        single_metric={"chrf": share},
        findings=(("warning", "half of the outputs <b>copy</b> the input"), ("notice", "a notice")) if is_odd else (),
    )


def _standing(quality: float | None) -> TaskScore:
    score = ScoreValue.none("the primary metric chrf has no value")
    if quality is not None:
        score = ScoreValue(quality, (quality - 2, quality + 3))
    return TaskScore(
        quality=score,
        naturalness=ScoreValue(88.8, None, "no interval"),
        floor={"sacrebleu": 2.0, "chrf": 12.0},
        ceiling={"sacrebleu": 60.0, "chrf": 80.0},
        null_systems={
            "null:empty": {"sacrebleu": 0.0, "chrf": None},
            "null:copy-input": {"sacrebleu": 1.5, "chrf": 9.0},
        },
        statistics={"msttr": (0.61, None), "mean_length": (9.5, 11.0)},
    )


def scored_runs(folder: Path) -> Path:
    """Runs with scores over tasks, a validity report and explanations; one of an earlier version; a subset."""
    why = Explanation(
        0.5,
        "1 of 2 words <b>match</b>.",
        1,
        (Part("words", ("fluss",), ("graue",), ("<script>alert(2)</script>",)), Part("empty")),
    )

    def tasks(level: float, quality: float | None, **more: Any) -> dict[str, FakeTask]:
        common: dict[str, Any] = {
            "primary": ("sacrebleu", "chrf"),
            "per_sample": ("sacrebleu", "chrf"),
            "standing": _standing(quality),
            "rewards": {"bleu": 0.25},
            "explanations": {"sacrebleu": why},
            **more,
        }
        values = {"sacrebleu": level, "chrf": level + 20}
        return {
            "iwslt2017": FakeTask(values, validity=_validity("de", is_odd=True), **common),
            "wmt16": FakeTask(values, validity=_validity("de", is_odd=False), **common),
        }

    def scores(value: float | None) -> RunScores:
        grue = ScoreValue.none("tasks missing: imdb") if value is None else ScoreValue(value, (value - 1.5, value + 1))
        return RunScores(grue, ScoreValue(77.7, None, "no interval"))

    write_run(folder, "02LOW", "low", tasks(40, 30.0), source="demo:causal", scores=scores(31.0))
    write_run(folder, "02HIGH", "high", tasks(35, 50.0), source="demo:seq2seq", scores=scores(52.25))
    write_run(folder, "02NONE", "no score", tasks(45, None), source="folder", scores=scores(None))
    write_run(folder, "02OTHER", "other rows", tasks(20, 60.0, data="e" * 64), source="folder", scores=scores(99.0))
    old = {name: FakeTask({"sacrebleu": 10.0, "chrf": 30.0}, ("sacrebleu", "chrf")) for name in ("iwslt2017", "wmt16")}
    write_run(folder, "02OLD", "of an earlier version", old, source="folder")
    hidden = tasks(18, 20.0, source="folder", limit=5, data_rows=600, prompts="q" * 64)
    write_run(folder, "02SUBSET", "cut short", hidden, source="demo:causal", scores=scores(44.0))
    return folder
