"""What fails after generation began leaves the rest standing: exit code 3, stored texts, a way to go on."""

from __future__ import annotations

import os
import signal

from grue.core.decoding import Decoding
from grue.core.rows import Generation, Row
from grue.core.task import MetricSpec, Suite, Truncation
from grue.evaluation.scoring_worker import ScoringWorker
from grue.evaluation.task_scoring import Recipe, without_functions
from grue.runs.read import read_run

EVAL = ("eval", "-m", "null:copy-input", "--data", "mini")


def test_plugin_whose_post_processing_raises_fails_alone(grue, tmp_path, plugin):
    bad = plugin("stumbles", postprocess='raise KeyError("river")')
    good = plugin("walks")
    answer = grue(
        *EVAL, "--include", bad, "--include", good, "-t", "stumbles,walks,commongen", "-o", tmp_path / "run", "--json"
    )
    assert answer.code == 3
    tasks = answer.document["results"]["tasks"]
    assert {name: task["status"] for name, task in tasks.items()} == {
        "stumbles": "partial", "walks": "finished", "commongen": "finished",
    }  # fmt: skip
    assert "KeyError" in tasks["stumbles"]["error"]
    assert tasks["stumbles"]["n"] == {"expected": 6, "scored": 0, "failed": 6}
    assert tasks["stumbles"]["metrics"]["f1"]["value"] is None
    assert tasks["stumbles"]["metrics"]["f1"]["failed"] is True
    assert tasks["walks"]["metrics"]["f1"]["n"] == 6
    assert "stumbles failed" in answer.err


def test_mended_plugin_goes_on_where_the_run_stopped(grue, tmp_path, plugin):
    folder = plugin("stumbles", postprocess='raise KeyError("river")')
    command = (*EVAL, "--include", folder, "-t", "stumbles,commongen", "-L", 4, "-o", tmp_path / "run", "--json")
    assert grue(*command).code == 3
    source = folder / "__init__.py"
    source.write_text(source.read_text().replace('raise KeyError("river")', "return text.upper()"))
    import sys

    for name in [name for name in sys.modules if name.startswith("grue_included_")]:
        del sys.modules[name]
    answer = grue(*command)
    assert answer.code == 0
    assert answer.document["status"] == "finished"
    assert all(
        row["prediction"].startswith("SAY") for row in read_run(tmp_path / "run").samples("stumbles").to_pylist()
    )


def test_post_processing_that_gives_no_text_is_named(grue, tmp_path, plugin):
    folder = plugin("mute", postprocess="return None")
    answer = grue(*EVAL, "--include", folder, "-t", "mute", "-o", tmp_path / "run", "--json")
    assert answer.code == 3
    assert "should give a string; gave NoneType" in answer.document["results"]["tasks"]["mute"]["error"]


def test_plugin_that_raises_while_rows_are_read_stops_the_call(grue, tmp_path, plugin):
    folder = plugin("unread", rows='raise ZeroDivisionError("no rows today")')
    answer = grue(*EVAL, "--include", folder, "-t", "commongen,unread", "-o", tmp_path / "run")
    assert answer.code == 2
    assert "unread" in answer.err
    assert "ZeroDivisionError" in answer.err
    assert "fix: " in answer.err
    assert not (tmp_path / "run").exists()


def test_engine_that_raises_in_one_task_leaves_the_others_and_its_own_texts(grue, tmp_path, monkeypatch):
    from grue.engine.null import NullEngine

    plain = NullEngine.generate

    def failing(self, requests, job):
        for index, request in enumerate(requests):
            if index == 3 and job.decoding.num_beams == 5 and job.decoding.min_new_tokens == 5:  # commongen
                raise RuntimeError("the machine is on fire")
            yield from plain(self, [request], job)

    monkeypatch.setattr(NullEngine, "generate", failing)
    command = (*EVAL, "-t", "commongen,iwslt2017", "-L", 5, "-o", tmp_path / "run", "--json")
    answer = grue(*command)
    assert answer.code == 3
    tasks = answer.document["results"]["tasks"]
    assert "the machine is on fire" in tasks["commongen"]["error"]
    assert tasks["iwslt2017"]["status"] == "finished"
    assert len(read_run(tmp_path / "run").samples("commongen")) == 3
    scored = grue("score", tmp_path / "run", "--json")
    assert scored.code == 3
    assert "2 generations are missing" in scored.document["results"]["tasks"]["commongen"]["error"]
    assert scored.document["results"]["tasks"]["commongen"]["metrics"]["rouge1"]["value"] is None
    monkeypatch.setattr(NullEngine, "generate", plain)
    answer = grue(*command)
    assert answer.code == 0
    assert answer.document["results"]["tasks"]["commongen"]["n"]["scored"] == 5


def test_death_of_the_scoring_process_loses_no_text_and_score_repeats_it(grue, tmp_path, monkeypatch, results):
    command = (*EVAL, "-t", "commongen,iwslt2017", "-L", 5, "--json")
    assert grue(*command, "-o", tmp_path / "whole").code == 0
    plain = ScoringWorker.begin

    def killed(self, ticket, recipe):
        plain(self, ticket, recipe)
        if ticket.endswith("/iwslt2017"):
            os.kill(self.pid, signal.SIGKILL)

    monkeypatch.setattr(ScoringWorker, "begin", killed)
    answer = grue(*command, "-o", tmp_path / "run")
    assert answer.code == 3
    task = answer.document["results"]["tasks"]["iwslt2017"]
    assert "the scoring process ended with code -9" in task["error"]
    assert f"grue score {tmp_path / 'run'}" in task["error"]
    assert len(read_run(tmp_path / "run").samples("iwslt2017")) == 5
    monkeypatch.setattr(ScoringWorker, "begin", plain)
    answer = grue("score", tmp_path / "run", "--json")
    assert answer.code == 0
    assert answer.document["path"] == str(tmp_path / "run")
    assert results(tmp_path / "run") == results(tmp_path / "whole")


def test_metric_that_raises_makes_the_task_partial_and_the_others_go_on(grue, tmp_path, monkeypatch):
    from grue.metrics import squad

    assert grue(*EVAL, "-t", "commongen", "-L", 3, "-o", tmp_path / "run").code == 0
    monkeypatch.setattr(squad.Squad, "per_sample", lambda self, texts: [][0])
    wanted = ("--metrics", "rouge1,exact_match", "-o", tmp_path / "scored", "--json")
    answer = grue("score", tmp_path / "run", *wanted)
    assert answer.code == 3
    assert answer.document["status"] == "partial"
    task = answer.document["results"]["tasks"]["commongen"]
    assert task["status"] == "partial"
    assert "exact_match" in task["error"]
    assert "IndexError" in task["metrics"]["exact_match"]["reason"]
    assert task["metrics"]["exact_match"]["value"] is None
    assert task["metrics"]["rouge1"]["n"] == 3
    assert task["n"] == {"expected": 3, "scored": 3, "failed": 0}
    monkeypatch.undo()
    assert grue("score", tmp_path / "run", *wanted).code == 0


SUITE = Suite(
    rows=lambda records: iter(()),
    truncation=Truncation("right", 8),
    decoding=Decoding(max_new_tokens=1),
    metrics=(MetricSpec("exact_match"),),
    primary=("exact_match",),
)


def test_worker_serves_several_tasks_and_one_that_fails_does_not_end_it():
    rows = {"1": Row("1", "p", ("yes",)), "2": Row("2", "p", ("no",))}
    made = [Generation("2", 0, "no"), Generation("1", 0, "no")]
    with ScoringWorker() as worker:
        worker.begin("broken", Recipe(suite=without_functions(SUITE), metrics=("no_such_metric",)))
        worker.begin("sound", Recipe(suite=without_functions(SUITE)))
        for ticket in ("broken", "sound"):
            worker.add(ticket, made[:1], rows)
            worker.add(ticket, made[1:], rows)
            worker.end(ticket)
        broken, sound = worker.answer("broken", wait=True), worker.answer("sound", wait=True)
    assert broken.scores is None
    assert "no_such_metric" in broken.error
    assert sound.keys == [("1", 0), ("2", 0)]
    assert sound.scores.per_sample["exact_match"].tolist() == [0.0, 1.0]


def test_worker_ends_with_the_process_that_started_it():
    worker = ScoringWorker()
    process = worker._start()
    process.stdin.close()
    process.wait(30)
    assert process.returncode == 0
    worker.stop()


def test_no_process_is_started_before_there_is_a_text_to_score():
    with ScoringWorker(program="raise SystemExit('started {path!r:.0}')") as worker:
        worker.begin("a", Recipe(suite=without_functions(SUITE)))
        worker.add("a", [], {})
        assert worker.answer("a", wait=False) is None
        assert worker._process is None
    assert worker._process is None


def test_worker_that_cannot_start_says_why():
    with ScoringWorker(program="raise SystemExit('no way {path!r:.0}')") as worker:
        worker.begin("a", Recipe(suite=without_functions(SUITE)))
        worker.end("a")
        answer = worker.answer("a", wait=True)
    assert answer.scores is None
    assert "no way" in answer.error
