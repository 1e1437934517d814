"""Run directories of the contract's shape, written from the shared values, for pages to show."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grue.core.metric import Explanation, MetricValue, Part
from grue.core.run import (
    Cost,
    DataInfo,
    Manifest,
    ModelInfo,
    Rates,
    Results,
    RunScores,
    ScoreValue,
    TaskManifest,
    TaskResult,
    TaskScore,
)
from grue.runs.explanations import line_of
from grue.runs.validity import Agreement, Correlation, LengthBias, Share, TaskValidity, Validity
from leaderboard_site.export import BoardReport, build_board

ROWS = 7
WORDS = ("grey", "river", "stone", "walks", "slowly", "under", "bridge", "morning", "light", "over", "hills")


@dataclass
class FakeTask:
    """What one task of a run says; the numbers of its metrics are given, not computed."""

    values: Mapping[str, float | None] = field(default_factory=lambda: {"sacrebleu": 20.0})
    primary: Sequence[str] = ("sacrebleu",)
    n_rows: int = ROWS
    data_rows: int | None = None
    source: str = "mini"
    data: str = "d" * 64
    prompts: str = "p" * 64
    version: int = 1
    split: str = "test"
    limit: int | None = None
    signatures: Mapping[str, str] = field(default_factory=dict)
    rates: Rates = field(default_factory=lambda: Rates(empty=0.0, cut_prompt=0.0, cut_output=0.0))
    status: str = "finished"
    error: str | None = None
    prompt: str = "Translate to German: the {word} river {index}"
    prediction: str = "der {word} fluss {index}"
    references: Sequence[str] = ("der graue Fluss", "ein Fluss")
    per_sample: Sequence[str] = ("sacrebleu",)
    rewards: Mapping[str, float] = field(default_factory=dict)
    standing: TaskScore = field(default_factory=TaskScore)
    explanations: Mapping[str, Explanation] = field(default_factory=dict)
    validity: TaskValidity | None = None
    cost: Cost | None = None


_SCALES = {"sacrebleu": 100.0, "chrf": 100.0, "ter": 100.0, "rougeLsum": 1.0, "sentiment": 1.0, "mean_length": None}


def metric_value(name: str, value: float | None, signature: str | None = None, n: int = ROWS) -> MetricValue:
    """A value with an interval of ±5 %, or an absent metric."""
    if value is None:
        return MetricValue.absent(f"{name} is not installed")
    better = None if name == "mean_length" else name != "ter"
    interval = None if name == "mean_length" else (value * 0.95, value * 1.05)
    return MetricValue(
        value,
        interval,
        n,
        _SCALES.get(name, 1.0),
        better,
        signature or f"{name}|v:1",
        None if interval else "no method",
    )


def write_run(
    folder: Path,
    run_id: str,
    name: str,
    tasks: Mapping[str, FakeTask],
    *,
    kind: str = "demo",
    source: str | None = None,
    meta: Mapping[str, str] | None = None,
    parameters: int | None = 3_100_000,
    scores: RunScores | None = None,
) -> Path:
    """Write a whole run directory below ``folder`` and return its path."""
    path = folder / run_id
    (path / "samples").mkdir(parents=True)
    runs_model = kind not in ("null", "oracle", "predictions")
    manifest = Manifest(
        run_id=run_id,
        identity=hashlib.sha256(run_id.encode()).hexdigest(),
        created_at="2026-11-20T05:02:00Z",
        grue={"version": "0.1.0", "commit": None},
        model=ModelInfo(
            name=name,
            source=source or name,
            kind=kind,
            architecture="GPT2LMHeadModel" if runs_model else None,
            parameters=parameters if runs_model else None,
            dtype="float32" if runs_model else None,
            engine="hf" if runs_model else None,
            weights_sha256=hashlib.sha256(name.encode()).hexdigest() if runs_model else None,
            meta=meta or {},
        ),
        environment={"python": "3.11.7", "platform": "Linux"},
        arguments={"model": source or name, "tasks": ",".join(tasks), "data": "mini", "seed": 0},
        seed=0,
        tasks={task: _task_manifest(fake, runs_model) for task, fake in tasks.items()},
    )
    for task, fake in tasks.items():
        pq.write_table(_table(fake, runs_model), path / "samples" / f"{task}.parquet")
        if fake.explanations:
            lines = [line_of(f"row-{index:04d}", 0, fake.explanations) for index in range(fake.n_rows)]
            text = "".join(json.dumps(line) + "\n" for line in lines)
            (path / "samples" / f"{task}.explain.jsonl").write_text(text)
    reports = {task: fake.validity for task, fake in tasks.items() if fake.validity is not None}
    if reports:
        write_json(path / "validity.json", Validity(reports).to_json())
    (path / "events.jsonl").write_text("{}\n")
    write_json(path / "manifest.json", manifest.to_json())
    results = Results(
        run_id=run_id,
        status="finished" if all(fake.status == "finished" for fake in tasks.values()) else "partial",
        tasks={task: _task_result(fake, runs_model) for task, fake in tasks.items()},
        files={
            str(found.relative_to(path)): hashlib.sha256(found.read_bytes()).hexdigest()
            for found in sorted(path.rglob("*"))
            if found.is_file() and found.name != "events.jsonl"
        },
        scores=scores or RunScores(),
    )
    write_json(path / "results.json", results.to_json())
    return path


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _task_manifest(fake: FakeTask, runs_model: bool) -> TaskManifest:
    return TaskManifest(
        version=fake.version,
        profile="standard",
        quirks=(),
        split=fake.split,
        data=DataInfo(source=fake.source, id=None, revision=None, sha256=fake.data, rows=fake.data_rows or fake.n_rows),
        prompts_sha256=fake.prompts,
        limit=fake.limit,
        samples=1,
        generation={"max_new_tokens": 48, "do_sample": False, "num_beams": 4} if runs_model else {},
        metrics={name: fake.signatures.get(name, f"{name}|v:1") for name in fake.values},
        rewards={name: f"{name}|v:1" for name in fake.rewards},
        primary=tuple(fake.primary),
    )


def _task_result(fake: FakeTask, runs_model: bool) -> TaskResult:
    cost = Cost(
        wall_seconds=12.5,
        generated_tokens=9 * fake.n_rows if runs_model else None,
        tokens_per_second=3120.0 if runs_model else None,
        latency_ms_p50=228.0 if runs_model else None,
    )
    return TaskResult(
        status=fake.status,
        expected=fake.n_rows,
        scored=fake.n_rows,
        failed=0,
        metrics={
            name: metric_value(name, value, fake.signatures.get(name), fake.n_rows)
            for name, value in fake.values.items()
        },
        rewards={name: metric_value(name, value, n=fake.n_rows) for name, value in fake.rewards.items()},
        rates=fake.rates,
        cost=fake.cost or cost,
        score=fake.standing,
        error=fake.error,
    )


def _table(fake: FakeTask, runs_model: bool) -> pa.Table:
    ids = [f"row-{index:04d}" for index in range(fake.n_rows)]
    words = [WORDS[index % len(WORDS)] for index in range(fake.n_rows)]
    prompts = [fake.prompt.format(word=word, index=index) for index, word in enumerate(words)]
    columns: dict[str, Any] = {
        "id": ids,
        "sample": pa.array([0] * fake.n_rows, pa.int64()),
        "prompt": pa.array(prompts if runs_model else [None] * fake.n_rows, pa.string()),
        "references": pa.array([list(fake.references)] * fake.n_rows, pa.list_(pa.string())),
        "prediction": [fake.prediction.format(word=word, index=index) for index, word in enumerate(words)],
        "raw": pa.array([None] * fake.n_rows, pa.string()),
        "finish_reason": pa.array(
            ["length" if index == 1 else "stop" for index in range(fake.n_rows)]
            if runs_model
            else [None] * fake.n_rows,
            pa.string(),
        ),
        "prompt_tokens": pa.array([5] * fake.n_rows if runs_model else [None] * fake.n_rows, pa.int64()),
        "generated_tokens": pa.array(
            [3 + index % 40 for index in range(fake.n_rows)] if runs_model else [None] * fake.n_rows, pa.int64()
        ),
        "prompt_cut": pa.array([False] * fake.n_rows if runs_model else [None] * fake.n_rows, pa.bool_()),
        "inputs": [json.dumps({"prompt": prompt}) for prompt in prompts],
    }
    for place, name in enumerate(fake.per_sample):
        scale = _SCALES.get(name) or 1.0
        columns[name] = [scale * ((index * 37 + 11 * place) % 100) / 100 for index in range(fake.n_rows)]
    for name, value in fake.rewards.items():
        columns[f"reward_{name}"] = [value] * fake.n_rows
    return pa.table(columns)


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Writes a run directory into ``tmp_path / "runs"``; arguments as for ``write_run`` after the folder."""

    def make(run_id: str, name: str, tasks: Mapping[str, FakeTask], **more: Any) -> Path:
        return write_run(tmp_path / "runs", run_id, name, tasks, **more)

    return make


@pytest.fixture
def fake_task() -> type[FakeTask]:
    """The class of a task of a run."""
    return FakeTask


@dataclass
class WriteFake:
    """What writes runs into a folder of one's own."""

    run: Callable[..., Path] = write_run
    task: type[FakeTask] = FakeTask


@pytest.fixture(scope="session")
def write_fake() -> WriteFake:
    """``run(folder, run_id, name, tasks)`` and ``task(values)``, for boards that several tests read."""
    return WriteFake()


@dataclass
class Element:
    """A tag with its attributes and all text below it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""
    parents: tuple[str, ...] = ()


class Html(HTMLParser):
    """All elements of a page in order; ``find`` chooses by tag and attributes."""

    _VOID = frozenset({"meta", "link", "br", "img", "input", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.unbalanced: list[str] = []
        self.feed(text)
        self.unbalanced += [element.tag for element in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        parents = tuple(element.tag for element in self._open)
        element = Element(tag, {key: value or "" for key, value in attrs}, parents=parents)
        self.elements.append(element)
        if tag not in self._VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1].tag != tag:
            self.unbalanced.append(tag)
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def find(self, tag: str, **attributes: str) -> list[Element]:
        wanted = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
        return [
            element
            for element in self.elements
            if element.tag == tag and all(element.attributes.get(key) == value for key, value in wanted.items())
        ]

    def one(self, tag: str, **attributes: str) -> Element:
        found = self.find(tag, **attributes)
        assert len(found) == 1, f"{len(found)} elements <{tag} {attributes}>"
        return found[0]


@pytest.fixture(scope="session")
def read_html() -> Callable[[Path], Html]:
    """Parses a file of the board; a board that stays as it is is parsed once."""
    parsed: dict[tuple[Path, int], Html] = {}

    def read(path: Path) -> Html:
        key = (path, path.stat().st_mtime_ns)
        if key not in parsed:
            parsed[key] = Html(path.read_text(encoding="utf-8"))
        return parsed[key]

    return read


@dataclass
class Site:
    """A board with everything that a board can have, and the runs it was built from."""

    runs: Path
    board: Path
    report: BoardReport


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


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A board built once for all tests that only read it."""
    folder = tmp_path_factory.mktemp("site")
    runs = sample_runs(folder / "runs")
    report = build_board([runs], folder / "board")
    return Site(runs, folder / "board", report)


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


@pytest.fixture(scope="session")
def scored_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A board of runs with scores, validity reports and explanations."""
    folder = tmp_path_factory.mktemp("scored")
    runs = scored_runs(folder / "runs")
    return Site(runs, folder / "board", build_board([runs], folder / "board"))
