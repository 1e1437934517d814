"""Jobs from the queue to the board, with a real store, real programs and real files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import grue
from grue.runs.read import read_run
from grue.store import queries
from grue.store.service import jobs, submissions
from grue.store.service.submissions import hidden_run_ids
from tests.processes import outcome
from tests.worker.scenario import null_predictions, rows_of


@pytest.fixture(scope="module")
def texts() -> str:
    return null_predictions("null:random-reference", "narrativeqa")


@pytest.fixture(scope="module")
def direct(texts, tmp_path_factory) -> Path:
    """What ``grue score`` makes of these texts."""
    folder = tmp_path_factory.mktemp("direct")
    (folder / "predictions.jsonl").write_text(texts)
    grue.score(folder / "predictions.jsonl", data="mini", split="test", output=folder / "direct")
    return folder / "direct"


@pytest.fixture(scope="module")
def service(shared_scenario, texts, direct):
    """One worker's work: a sound file, an archive, a file that lacks a row, and an upload that is gone."""
    made = shared_scenario()
    made.sound = made.predictions(texts, name="<b>Ünicode</b> & co")
    with tarfile.open(made.home / "run.tar.gz", "w:gz") as archive:
        for name in ("manifest.json", "results.json", "samples/narrativeqa.parquet"):
            archive.add(direct / name, f"direct/{name}")
    made.archive = made.submit("run", made.home / "run.tar.gz", ("narrativeqa",))
    made.lacking = made.predictions(texts.split("\n", 1)[1])
    made.gone = made.predictions(texts)
    made.artifacts.delete(made.gone.upload)
    made.said = made.work()
    return made


def test_a_prediction_file_becomes_the_run_that_grue_score_makes(service, direct):
    assert service.now(service.sound).status == "done"
    run = service.run(service.sound)
    assert outcome(run) == outcome(direct)
    stored = read_run(run)
    assert stored.manifest["model"]["name"] == "<b>Ünicode</b> & co"
    assert stored.submission.mark == "rescored"
    assert stored.submission.licence == "MIT"
    assert stored.submission.url == "https://example.org/system"
    record = queries.run(service.store, stored.manifest["run_id"])
    assert record.mark == "rescored"
    assert Path(record.path) == run


def test_no_document_of_a_run_names_a_path_of_the_worker(service):
    for path in service.run(service.sound).rglob("*"):
        if path.is_file():
            assert str(service.home).encode() not in path.read_bytes(), path.name


def test_the_log_tells_the_steps(service):
    assert service.log(service.sound) == ["Taken by worker here.", "Scoring narrativeqa.", "Done."]


def test_an_archive_of_a_run_is_scored_again_from_its_texts(service, direct):
    """Its own numbers are not believed: those of ``grue score`` on its texts come out."""
    assert service.now(service.archive).status == "done", service.log(service.archive)
    results, scored = (json.loads((run / "results.json").read_text()) for run in (direct, service.run(service.archive)))
    assert scored["tasks"]["narrativeqa"]["metrics"] == results["tasks"]["narrativeqa"]["metrics"]
    assert read_run(service.run(service.archive)).submission.mark == "rescored"


def test_a_file_that_lacks_a_row_is_the_submitters_fault_and_final(service):
    now = service.now(service.lacking)
    assert (now.status, now.reason) == ("failed", "invalid-file")
    assert now.run_id is None
    assert now.is_charged
    assert jobs.job(service.store, now.job_id).attempt == 1


def test_a_fault_of_ours_is_tried_once_more_and_costs_no_quota(service):
    """The upload is gone: nothing that the submitter did."""
    now = service.now(service.gone)
    assert (now.status, now.reason) == ("failed", "internal")
    assert not now.is_charged
    assert jobs.job(service.store, now.job_id).attempt == 2
    assert str(service.home) not in now.detail
    assert any("No artifact" in line for line in service.said)


def test_failed_jobs_leave_nothing(service):
    runs = {path.name for path in (service.home / "artifacts" / "runs").iterdir()}
    assert runs == {service.now(one).run_id for one in (service.sound, service.archive)}
    assert not list((service.home / "workers").glob("*"))


def test_artifacts_may_be_elsewhere_than_in_a_folder(scenario, texts, direct):
    """The index names an address then, and a copy is fetched where it is read."""
    service = scenario(artifacts=f"memory://worker-{os.getpid()}")
    made = service.predictions(texts)
    with tarfile.open(service.home / "run.tar.gz", "w:gz") as archive:
        for name in ("manifest.json", "results.json", "samples/narrativeqa.parquet"):
            archive.add(direct / name, f"direct/{name}")
    archived = service.submit("run", service.home / "run.tar.gz", ("narrativeqa",))
    service.work()
    assert outcome(service.run(made)) == outcome(direct)
    assert service.now(archived).status == "done", service.log(archived)
    run_id = service.now(made).run_id
    assert str(queries.run(service.store, run_id).path).endswith(f"worker-{os.getpid()}/runs/{run_id}")


def test_a_crash_of_the_scoring_program_is_no_crash_of_the_worker(scenario, texts, monkeypatch):
    """The first program dies at once; the job is tried again and the jobs behind it are done."""
    import grue.worker.scorer as module

    commands = []
    python = module.python

    def dying(name, *, parent):
        commands.append(name)
        return [sys.executable, "-c", "import os; os._exit(9)"] if len(commands) == 1 else python(name, parent=parent)

    monkeypatch.setattr(module, "python", dying)
    service = scenario()
    made = [service.predictions(texts), service.predictions(null_predictions("null:empty", "narrativeqa"))]
    service.work()
    assert [service.now(one).status for one in made] == ["done", "done"]
    assert len(commands) == 2


def test_scoring_for_too_long_ends_by_its_limit(scenario, texts):
    service = scenario()
    made = service.predictions(texts)
    service.work(score_hours=1e-9)
    now = service.now(made)
    assert (now.status, now.reason) == ("failed", "score-timeout")
    assert "limit" in now.detail


def test_a_cancelled_job_leaves_nothing(scenario, texts):
    """It is cancelled between its claim and its first step."""
    service = scenario()
    made = service.predictions(texts)
    advance = jobs.advance

    def cancelling(store, job_id, attempt, status, **more):
        jobs.cancel(store, job_id, made.user_id)
        return advance(store, job_id, attempt, status, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "advance", cancelling)
        service.work()
    assert service.now(made).status == "cancelled"
    assert not list((service.home / "artifacts").glob("runs/*"))
    assert not list((service.home / "workers").glob("*"))


def test_a_second_attempt_after_a_kill_between_storing_and_telling_leaves_one_run(scenario, texts):
    """The first attempt stored its run directory and never told of it."""
    service = scenario(lease_seconds=0.2, heartbeat_seconds=0.1)
    made = service.predictions(texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "finish", lambda *a, **k: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            service.work()
    left = list((service.home / "artifacts" / "runs").iterdir())
    assert len(left) == 1
    while service.now(made).status != "done":
        service.work()
    runs = list((service.home / "artifacts" / "runs").iterdir())
    assert [run.name for run in runs] == [service.now(made).run_id]
    assert runs != left
    assert [run.run_id for run in queries.runs(service.store).runs] == [service.now(made).run_id]


def test_texts_of_a_withdrawn_submission_are_deleted_in_time(scenario, texts):
    service = scenario()
    made = service.predictions(texts)
    service.work()
    run = service.run(made)
    submissions.withdraw(service.store, made.submission_id, made.user_id)
    service.work(withdrawn_days=1)
    assert run.exists()
    service.work(withdrawn_days=0)
    assert not run.exists()
    assert not service.artifacts.exists(made.upload)
    assert service.now(made).texts_deleted_at is not None


class TestHiddenSplit:
    @pytest.fixture(scope="class")
    def hidden(self, shared_scenario, texts):
        """Two sound files and one that lacks a row."""
        made = shared_scenario(hidden_splits="test", hidden_release_hours=24, hidden_places=1)
        made.first = made.predictions(texts)
        made.second = made.predictions(null_predictions("null:empty", "narrativeqa"))
        made.lacking = made.predictions(texts.split("\n", 1)[1])
        made.said = made.work()
        return made

    def test_only_rounded_scores_leave_the_worker(self, hidden):
        now = hidden.now(hidden.first)
        assert now.status == "done"
        public = hidden.run(hidden.first)
        names = {path.name for path in public.rglob("*") if path.is_file()}
        assert names == {"manifest.json", "results.json", "submission.yaml"}
        whole = read_run(hidden.home / "private" / "runs" / now.run_id)
        assert whole.has_samples("narrativeqa")
        shown = read_run(public).results_value().tasks["narrativeqa"].metrics
        for name, value in whole.results_value().tasks["narrativeqa"].metrics.items():
            if value.value is not None and value.scale:
                percent = shown[name].value / value.scale * 100
                assert percent == pytest.approx(round(value.value / value.scale * 100, 1))
            if shown[name].ci95:
                low, high = shown[name].ci95
                assert low <= shown[name].value <= high
        assert now.scores["narrativeqa"]["rougeL"] == shown["rougeL"].value
        assert shown["rougeL"].value != whole.results_value().tasks["narrativeqa"].metrics["rougeL"].value

    def test_neither_log_nor_results_show_a_row(self, hidden):
        rows = rows_of("narrativeqa")
        answers = [reference for row in rows for reference in row.references if len(reference) > 12]
        seen = "\n".join([*hidden.said, *hidden.log(hidden.first)]).encode()
        for path in (hidden.home / "artifacts" / "runs").rglob("*"):
            seen += path.read_bytes() if path.is_file() else b""
        assert not [text for text in (*answers, *(row.id for row in rows)) if text.encode() in seen]

    def test_the_rows_that_the_web_process_reads_have_no_label(self, hidden):
        for line in (hidden.home / "artifacts" / "rows" / "test" / "narrativeqa.jsonl").read_text().splitlines():
            assert json.loads(line).keys() == {"id", "prompt"}

    def test_a_wrong_file_is_refused_without_naming_rows(self, hidden):
        now = hidden.now(hidden.lacking)
        assert now.reason == "invalid-file"
        said = "\n".join([now.detail, *hidden.said, *hidden.log(hidden.lacking)])
        assert not [row.id for row in rows_of("narrativeqa") if row.id in said]

    def test_a_second_result_of_an_account_waits_for_its_release(self, hidden):
        unseen = hidden_run_ids(hidden.store)
        assert hidden.now(hidden.first).run_id not in unseen
        assert hidden.now(hidden.second).run_id in unseen


def test_the_worker_imports_no_torch(scenario, texts, tmp_path):
    service = scenario()
    made = service.predictions(texts)
    program = (
        "import sys\nfrom grue.cli.main import app\n"
        "app(['worker', '--once'], standalone_mode=False)\nprint('torch' in sys.modules, 'transformers' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": "/usr/bin:/bin", **service.environment},
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert done.stdout.splitlines()[-1] == "False False"
    assert service.now(made).status == "done"
