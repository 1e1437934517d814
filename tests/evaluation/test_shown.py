"""What a user sees: progress, tables, the demo."""

from __future__ import annotations

import io

import pytest

from grue.cli import demo, progress
from grue.cli.report import interval, number
from grue.core.metric import MetricValue
from grue.core.rows import Generation
from grue.evaluation.progress import Workload

WORK = [Workload(task="a", total=30, stored=10, prompt_tokens=10, new_tokens=10)]


def made(n: int) -> list[Generation]:
    return [Generation(str(i), 0, "text", prompt_tokens=10, generated_tokens=10) for i in range(n)]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_log_gets_a_line_every_ten_seconds_with_rows_speed_time_left_and_memory(capsys, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    lines = progress.watcher(quiet=False)
    lines.start(WORK)
    lines.task("a")
    for _ in range(4):
        clock[0] += 4.0
        lines.advance("a", made(2), 4.0)
    err = capsys.readouterr().err.splitlines()
    assert err[0] == "generating a …"
    [line] = err[1:]
    assert line.startswith("a: 16 of 30 rows, 5 tokens/s, 28 s left, ")
    assert line.endswith("B")


def test_quiet_keeps_notes_and_drops_progress(capsys):
    quiet = progress.watcher(quiet=True)
    quiet.start(WORK)
    quiet.phase("loading")
    quiet.task("a")
    quiet.advance("a", made(2), 100.0)
    quiet.note("Passed over: imdb.")
    quiet.stop()
    assert capsys.readouterr().err == "Passed over: imdb.\n"


def test_terminal_gets_a_bar_that_says_estimating_until_it_knows(monkeypatch):
    from rich.console import Console

    screen = Terminal()
    monkeypatch.setattr(progress.sys, "stderr", screen)
    monkeypatch.setattr(progress, "stderr", lambda: Console(file=screen, force_terminal=True, width=140))
    bar = progress.watcher(quiet=False)
    assert isinstance(bar, progress.Bar)
    bar.start(WORK)
    bar.task("a")
    bar.advance("a", made(5), 0.5)
    bar._bar.refresh()
    assert "15/30 rows" in screen.getvalue()
    assert "15 left" in screen.getvalue()
    assert "estimating" in screen.getvalue()
    bar.advance("a", made(5), 3.0)
    bar.advance("a", made(5), 3.0)
    bar._bar.refresh()
    assert "25/30 rows" in screen.getvalue()
    assert "s left" in screen.getvalue()
    bar.stop()


@pytest.mark.parametrize(
    ("value", "scale", "shown", "bounds"),
    [
        (0.123456, 1.0, "0.1235", "0.1000 – 0.2000"),
        (31.4159, 100.0, "31.42", "0.10 – 0.20"),
        (1.23456, 10.0, "1.235", "0.100 – 0.200"),
        (7.0, None, "7.000", "0.100 – 0.200"),
    ],
)
def test_decimals_follow_the_unit(value, scale, shown, bounds):
    metric = MetricValue(value, (0.1, 0.2), 5, scale, True, "s")
    assert number(metric) == shown
    assert interval(metric) == bounds
    assert number(MetricValue.absent("none")) == interval(MetricValue.absent("none")) == "–"


def test_table_shows_primaries_reasons_and_the_next_command(grue, tmp_path):
    answer = grue(
        "eval", "-m", "null:copy-input", "-t", "commongen,iwslt2017", "--data", "mini", "-L", 5, "-o", tmp_path / "r"
    )
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0].split() == [
        "task",
        "metric",
        "value",
        "95",
        "%",
        "interval",
        "n",
        "quality",
        "cut",
        "%",
        "tokens/s",
    ]
    assert any(line.startswith("commongen") and "cider_d" in line and " 5 " in line for line in lines)
    assert any(line.startswith("iwslt2017") and "sacrebleu" in line for line in lines)
    assert any(line.startswith("GRUE – (tasks missing: imdb, ") for line in lines)
    assert any(line.startswith("Validity: ") for line in lines)
    assert f"grue samples {tmp_path / 'r'} -t commongen" in answer.out
    assert f"grue leaderboard build --results {tmp_path / 'r'}" in answer.out
    assert "Traceback" not in answer.err


def test_json_prints_one_document_and_nothing_else(grue, tmp_path):
    answer = grue(
        "eval", "-m", "null:empty", "-t", "commongen", "--data", "mini", "-L", 2, "-o", tmp_path / "r", "--json"
    )
    assert set(answer.document) == {"schema_version", "run_id", "path", "status", "results"}


@pytest.mark.long
def test_demo_makes_runs_and_a_board_and_says_finished_the_second_time(grue, tmp_path, monkeypatch):
    """With the systems that need no model; the whole demo is a long test."""
    monkeypatch.setattr(demo, "SYSTEMS", ("null:empty", "null:copy-input", "oracle:reference"))
    answer = grue("demo", "--out", tmp_path / "demo", "--quiet")
    assert answer.code == 0
    assert (tmp_path / "demo" / "board" / "index.html").is_file()
    assert sorted(path.name for path in (tmp_path / "demo" / "runs").iterdir()) == [
        "null-copy-input", "null-empty", "oracle-reference",
    ]  # fmt: skip
    assert (tmp_path / "demo" / "board" / "index.html").as_uri() in answer.out
    assert any(line.split()[:2] == ["iwslt2017", "sacrebleu"] for line in answer.out.splitlines())
    again = grue("demo", "--out", tmp_path / "demo", "--quiet")
    assert again.code == 0
    assert again.err.count("was finished already") == 3
