"""``grue compare``: what is printed, written and refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from grue.cli.main import run
from grue.core.run import checksum
from grue.runs.files import sha256_file
from tests.commands import Answer

Grue = Callable[..., Answer]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of two null systems on embedded rows, by name, and one of fewer rows."""
    results = tmp_path_factory.mktemp("results")

    def make(name: str, model: str, *flags: str) -> None:
        tasks: Sequence[str] = ("-t", "commongen,iwslt2017", "--no-model-metrics", "--data", "mini", "--offline")
        call = ("eval", "-m", model, *tasks, "--name", name, *flags, "--quiet", "-o", str(results / name))
        assert run(call) == 0

    make("copies", "null:copy-input", "-L", "12")
    make("others", "null:random-reference", "-L", "12")
    make("fewer", "null:random-reference", "-L", "8")
    return results


def test_the_terminal_shows_the_verdict_of_each_task_first(grue: Grue, folder: Path) -> None:
    answer = grue("compare", folder / "copies", folder / "others")
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0] == "others against copies"
    assert "commongen" in lines[1]
    head = next(place for place, line in enumerate(lines) if line.startswith("task "))
    assert lines[head].split()[:4] == ["task", "metric", "copies", "others"]
    shown = {tuple(line.split()[:2]) for line in lines[head + 1 : head + 5]}
    assert shown == {
        ("commongen", "cider_d"),
        ("commongen", "coverage"),
        ("iwslt2017", "sacrebleu"),
        ("iwslt2017", "chrf"),
    }
    assert answer.err == ""


def test_all_metrics_are_shown_on_request(grue: Grue, folder: Path) -> None:
    few = grue("compare", folder / "copies", folder / "others").out
    every = grue("compare", folder / "copies", folder / "others", "--all").out
    assert "rouge2" not in few
    assert "rouge2" in every
    assert "distinct_1" in every
    assert "not tested (" in every


def test_names_in_the_results_folder_are_found(grue: Grue, folder: Path) -> None:
    answer = grue("compare", "copies", "others", "--results", folder, "--json")
    assert answer.code == 0
    found = json.loads(answer.out)
    assert found["schema_version"] == 1
    assert (found["baseline"]["name"], found["comparisons"][0]["candidate"]["name"]) == ("copies", "others")
    assert grue("compare", "copies", "oters", "--results", folder).code == 2


def test_values_are_those_of_the_runs(grue: Grue, folder: Path) -> None:
    found = json.loads(grue("compare", folder / "copies", folder / "others", "--json", "--power").out)
    for side, name in (("baseline", "copies"), ("candidate", "others")):
        results = json.loads((folder / name / "results.json").read_text())
        for task, entry in found["comparisons"][0]["tasks"].items():
            for metric, value in entry["metrics"].items():
                assert value[side]["value"] == results["tasks"][task]["metrics"][metric]["value"]
                assert value[side]["ci95"] == results["tasks"][task]["metrics"][metric]["ci95"]
    metric = found["comparisons"][0]["tasks"]["commongen"]["metrics"]["coverage"]
    assert metric["difference"] == pytest.approx(metric["candidate"]["value"] - metric["baseline"]["value"])
    assert metric["power"]["n_rows"] == 12


def test_a_run_against_itself_exits_0_and_says_so(grue: Grue, folder: Path) -> None:
    answer = grue("compare", folder / "copies", folder / "copies")
    assert answer.code == 0
    assert "same run: no difference" in answer.out
    found = json.loads(grue("compare", folder / "copies", folder / "copies", "--json").out)["comparisons"][0]
    assert found["is_equal"] is True
    assert {metric["difference"] for task in found["tasks"].values() for metric in task["metrics"].values()} <= {
        0.0,
        None,
    }


def test_other_rows_are_refused_with_4_and_common_rows_compared(grue: Grue, folder: Path) -> None:
    answer = grue("compare", folder / "copies", folder / "fewer")
    assert answer.code == 4
    assert answer.out == ""
    assert "commongen: prompts_sha256 is" in answer.err
    assert "--common-rows" in answer.err
    answer = grue("compare", folder / "copies", folder / "fewer", "--common-rows")
    assert answer.code == 0
    assert "8 common rows of 12 and 8" in answer.out
    found = json.loads(grue("compare", folder / "copies", folder / "fewer", "--common-rows", "--json").out)
    chrf = found["comparisons"][0]["tasks"]["iwslt2017"]["metrics"]["chrf"]
    stored = json.loads((folder / "fewer" / "results.json").read_text())["tasks"]["iwslt2017"]["metrics"]["chrf"]
    assert chrf["candidate"]["value"] == pytest.approx(stored["value"], abs=1e-9)
    assert chrf["n"] == 8


@pytest.mark.parametrize(
    ("flags", "start"),
    [
        (("--format", "markdown"), "## others against copies"),
        (("--format", "latex"), "% needs \\usepackage{booktabs}"),
        (("--format", "csv"), "baseline,candidate,task,metric"),
        (("--format", "html"), "<!doctype html>"),
        (("--format", "json"), '{\n  "schema_version": 1'),
    ],
)
def test_reports_go_to_standard_output_or_to_a_file(
    grue: Grue, folder: Path, tmp_path: Path, flags: tuple[str, str], start: str
) -> None:
    runs = folder / "copies", folder / "others"
    printed = grue("compare", *runs, *flags)
    assert printed.code == 0
    assert printed.out.startswith(start)
    path = tmp_path / "report"
    written = grue("compare", *runs, *flags, "-o", path)
    assert (written.code, written.out) == (0, "")
    assert path.read_text() == printed.out


@pytest.mark.parametrize(
    ("name", "start"), [("r.html", "<!doctype"), ("r.md", "## "), ("r.tex", "%"), ("r.csv", "bas")]
)
def test_the_suffix_of_the_file_names_the_format(
    grue: Grue, folder: Path, tmp_path: Path, name: str, start: str
) -> None:
    assert grue("compare", folder / "copies", folder / "others", "-o", tmp_path / name).code == 0
    assert (tmp_path / name).read_text().startswith(start)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("copies",), "One run alone"),
        (("copies", "others", "-o", "report.xyz"), "suffix"),
        (("copies", "others", "-o", "no/such/folder/report.html"), "no folder"),
        (("copies", "others", "--json", "--format", "csv"), "exclude each other"),
        (("copies", "others", "-t", "comongen"), "commongen"),
        (("copies", "others", "--metrics", "cidr_d"), "cider_d"),
        (("copies", "others", "--metric", "cidr_d"), "cider_d"),
        (("copies", "others", "--format", "xml"), "xml"),
        (("copies", "others", "--resamples", "0"), "resamples"),
    ],
)
def test_wrong_calls_are_told_and_write_nothing(
    grue: Grue,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = grue("compare", *arguments, "--results", folder)
    assert answer.code == 2
    assert says in answer.err
    assert "Traceback" not in answer.err
    assert list(tmp_path.iterdir()) == []


def _no_results(run: Path) -> None:
    (run / "results.json").unlink()


def _cut(run: Path) -> None:
    path = run / "samples" / "commongen.parquet"
    path.write_bytes(path.read_bytes()[:-100])


def _newer(run: Path) -> None:
    _change(run / "manifest.json", "schema_version", 2)


def _edited(run: Path) -> None:
    path = run / "results.json"
    document = json.loads(path.read_text())
    document["tasks"]["commongen"]["metrics"]["coverage"]["value"] = 1.0
    path.write_text(json.dumps(document))


def _change(path: Path, key: str, value: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))


def _no_manifest(run: Path) -> None:
    (run / "manifest.json").unlink()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_no_results, "results.json"),
        (_cut, "samples/commongen.parquet"),
        (_newer, "schema_version"),
        (_edited, "checksum"),
        (_no_manifest, "manifest.json"),
    ],
)
def test_a_spoilt_run_is_a_named_error_and_nothing_is_written(
    grue: Grue, folder: Path, tmp_path: Path, spoil: Callable[[Path], None], says: str
) -> None:
    spoilt = tmp_path / "spoilt"
    shutil.copytree(folder / "others", spoilt)
    spoil(spoilt)
    for runs in ((folder / "copies", spoilt), (spoilt, folder / "copies")):
        answer = grue("compare", *runs, "-o", tmp_path / "report.html")
        assert answer.code == 2
        assert says in answer.err or (says == "manifest.json" and "no run" in answer.err)
        assert "Traceback" not in answer.err
    assert not (tmp_path / "report.html").exists()


def test_help_loads_nothing_heavy() -> None:

    code = (
        "import sys; from grue.cli.main import run; run(['compare', '--help']); "
        "print([name for name in ('torch', 'numpy', 'pandas', 'pyarrow', 'jinja2') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.rstrip().endswith("[]")
    assert "--common-rows" in said


def test_finished_tasks_of_a_partial_run_are_compared_and_the_exit_code_is_3(
    grue: Grue, folder: Path, tmp_path: Path
) -> None:
    partial = tmp_path / "partial"
    shutil.copytree(folder / "others", partial)
    document = json.loads((partial / "results.json").read_text())
    document["status"] = document["tasks"]["iwslt2017"]["status"] = "partial"
    document["tasks"]["iwslt2017"]["error"] = "the device was lost"
    document["checksum"] = checksum(document)
    (partial / "results.json").write_text(json.dumps(document))
    answer = grue("compare", folder / "copies", partial)
    assert answer.code == 3
    assert "not compared: iwslt2017" in answer.err
    assert "the device was lost" in answer.err
    assert "commongen" in answer.out
    assert grue("compare", folder / "copies", partial, "-o", tmp_path / "report.html").code == 3
    assert "the device was lost" in (tmp_path / "report.html").read_text()
    assert grue("compare", folder / "copies", partial, "-t", "iwslt2017").code == 3


def test_codes_of_a_terminal_in_texts_of_others_are_not_printed(grue: Grue, folder: Path, tmp_path: Path) -> None:
    named = tmp_path / "named"
    shutil.copytree(folder / "others", named)
    manifest = json.loads((named / "manifest.json").read_text())
    manifest["model"]["name"] = "\x1b[2J\x1b]0;owned\x07name"
    (named / "manifest.json").write_text(json.dumps(manifest))
    document = json.loads((named / "results.json").read_text())
    document["files"]["manifest.json"] = sha256_file(named / "manifest.json")
    document["checksum"] = checksum(document)
    (named / "results.json").write_text(json.dumps(document))
    answer = grue("compare", folder / "copies", named)
    assert answer.code == 0
    assert "owned" in answer.out
    assert "\x1b" not in answer.out
    assert "\x07" not in answer.out
