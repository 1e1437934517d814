"""The folder of a board: whole, linked, the same every time, and never written over anything else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

import pytest

from grue.cli.main import run as command_line
from grue.core.errors import UsageError
from leaderboard_site.export import build_board


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_every_link_leads_to_a_file_of_the_board(site: Any, read_html: Callable[[Path], Any]) -> None:
    n_links = 0
    for path in sorted(site.board.rglob("*.html")):
        html = read_html(path)
        ids = {element.attributes.get("id") for element in html.elements}
        for element in html.elements:
            target = element.attributes.get("href", "")
            if not target or target.startswith(("https://", "http://")):
                continue
            address, fragment = urldefrag(target)
            n_links += 1
            if address:
                assert (path.parent / unquote(address)).resolve().is_file(), f"{path}: {target}"
                assert address.endswith((".html", ".css", ".json"))
            else:
                assert fragment in ids, f"{path}: {target}"
    assert n_links > 1000


def test_every_page_can_be_reached_from_the_first(site: Any, read_html: Callable[[Path], Any]) -> None:
    seen = {(site.board / "index.html").resolve()}
    waiting = list(seen)
    while waiting:
        path = waiting.pop()
        for link in read_html(path).find("a"):
            address = urldefrag(link.attributes["href"])[0]
            target = (path.parent / address).resolve()
            if address.endswith("index.html") and target not in seen:
                seen.add(target)
                waiting.append(target)
    assert {path.resolve() for path in site.board.rglob("*.html")} == seen


def test_equal_runs_give_equal_bytes(site: Any, tmp_path: Path) -> None:
    build_board([site.runs], tmp_path / "again")
    assert _files(tmp_path / "again") == _files(site.board)


def test_broken_and_unfinished_runs_are_left_out_with_their_reason(site: Any) -> None:
    reasons = {skipped.path.name: skipped.reason for skipped in site.report.skipped}
    assert set(reasons) == {"01BROKEN", "01UNFINISHED"}
    assert "wmt16.parquet" in reasons["01BROKEN"]
    assert "results.json" in reasons["01UNFINISHED"]
    assert site.report.runs == 8
    assert site.report.pages == len(list(site.board.rglob("*.html")))


def test_json_documents_have_the_contracts_keys(site: Any) -> None:
    board = json.loads((site.board / "api/v1/leaderboard.json").read_text())
    assert board["schema_version"] == 1
    assert board["setting"]["label"] == "mini rows, test split, whole"
    assert [setting["id"] for setting in board["settings"]] == ["mini-test", "test-5"]
    assert board["next_cursor"] is None
    first = board["rows"][0]
    assert (first["run_id"], first["rank"], first["mark"]) == ("01SEQ2SEQ", 1, "verified")
    assert (first["rank_ci95"], first["band"]) == (None, None)
    assert first["scores"]["grue"]["value"] is None
    assert first["scores"]["grue"]["reason"]
    wmt16 = first["scores"]["wmt16"]
    assert (wmt16["metric"], wmt16["value"], wmt16["ci95"], wmt16["rank"]) == ("sacrebleu", 25.0, [23.75, 26.25], 2)
    assert wmt16["quality"] == {"value": None, "ci95": None, "reason": "not scored"}
    run = json.loads((site.board / "api/v1/runs/01CAUSAL.json").read_text())
    stored = json.loads((site.runs / "01CAUSAL/results.json").read_text())
    assert stored.items() <= run.items()
    assert run["manifest"] == json.loads((site.runs / "01CAUSAL/manifest.json").read_text())
    assert (run["name"], run["mark"], run["submission"]) == ("demo-causal", "verified", None)
    tasks = json.loads((site.board / "api/v1/tasks.json").read_text())["tasks"]
    assert [task["name"] for task in tasks] == ["commongen", "wmt16", "a_private_task"]
    one = json.loads((site.board / "api/v1/leaderboard/mini-test/wmt16.json").read_text())
    assert one["rows"][0]["scores"]["chrf"]["value"] == 50.0


def test_samples_are_given_as_json_where_their_texts_may_be_shown(site: Any) -> None:
    document = json.loads((site.board / "api/v1/runs/01CAUSAL/samples/wmt16.json").read_text())
    assert len(document["rows"]) == 120
    assert document["rows"][1]["prediction"] == "der river fluss 1"
    assert document["rows"][1]["scores"] == {"sacrebleu": 37.0}
    assert not (site.board / "api/v1/runs/01SUBSET/samples/a_private_task.json").exists()


def test_an_older_board_is_replaced_whole(make_run: Callable[..., Path], fake_task: Any, tmp_path: Path) -> None:
    make_run("A", "a", {"t": fake_task()})
    build_board([tmp_path / "runs"], tmp_path / "board")
    (tmp_path / "board" / "left.html").write_text("old")
    build_board([tmp_path / "runs"], tmp_path / "board")
    assert not (tmp_path / "board" / "left.html").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["board", "runs"]


def test_a_folder_that_is_no_board_is_left_alone(make_run: Callable[..., Path], fake_task: Any, tmp_path: Path) -> None:
    make_run("A", "a", {"t": fake_task()})
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("words")
    with pytest.raises(UsageError, match="holds no board"):
        build_board([tmp_path / "runs"], tmp_path / "thesis")
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "words"
    with pytest.raises(UsageError, match="is a file"):
        build_board([tmp_path / "runs"], tmp_path / "thesis" / "chapter.tex")


def test_a_board_is_never_built_over_its_runs(make_run: Callable[..., Path], fake_task: Any, tmp_path: Path) -> None:
    make_run("A", "a", {"t": fake_task()})
    (tmp_path / "board.json").write_text("{}")
    with pytest.raises(UsageError, match="holds the results"):
        build_board([tmp_path / "runs"], tmp_path)
    assert (tmp_path / "runs" / "A" / "results.json").is_file()


def test_a_failed_build_leaves_the_older_board(
    make_run: Callable[..., Path], fake_task: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run("A", "a", {"t": fake_task()})
    build_board([tmp_path / "runs"], tmp_path / "board")
    before = _files(tmp_path / "board")

    def fails(*_: object) -> None:
        raise RuntimeError("no more")

    monkeypatch.setattr("leaderboard_site.export.about_view", fails)
    with pytest.raises(RuntimeError, match="no more"):
        build_board([tmp_path / "runs"], tmp_path / "board")
    assert _files(tmp_path / "board") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["board", "runs"]


def test_a_copy_of_a_run_is_shown_once(make_run: Callable[..., Path], fake_task: Any, tmp_path: Path) -> None:
    import shutil

    original = make_run("A", "a", {"t": fake_task()})
    shutil.copytree(original, tmp_path / "copies" / "A")
    report = build_board([tmp_path / "runs", tmp_path / "copies", original], tmp_path / "board")
    assert (report.runs, report.skipped) == (1, ())


def test_a_run_whose_id_could_leave_the_board_is_left_out(
    make_run: Callable[..., Path], fake_task: Any, tmp_path: Path
) -> None:
    from grue.core.run import checksum

    path = make_run("A", "a", {"t": fake_task()})
    for name in ("manifest.json", "results.json"):
        document = json.loads((path / name).read_text())
        document["run_id"] = "../../escape"
        if name == "results.json":
            document["files"] = {}
            document["checksum"] = checksum(document)
        (path / name).write_text(json.dumps(document))
    report = build_board([tmp_path / "runs"], tmp_path / "board")
    assert report.runs == 0
    assert "'../../escape' is no name" in report.skipped[0].reason
    assert not list(tmp_path.rglob("escape*"))


def test_a_board_without_runs_says_what_to_do(tmp_path: Path, read_html: Callable[[Path], Any]) -> None:
    (tmp_path / "runs").mkdir()
    report = build_board([tmp_path / "runs"], tmp_path / "board")
    assert (report.runs, report.skipped) == (0, ())
    html = read_html(tmp_path / "board" / "index.html")
    assert "No runs yet." in html.one("main").text
    assert "grue eval" in html.one("pre").text
    assert json.loads((tmp_path / "board/api/v1/leaderboard.json").read_text())["rows"] == []


def test_a_base_address_gives_canonical_links(
    make_run: Callable[..., Path], fake_task: Any, tmp_path: Path, read_html: Callable[[Path], Any]
) -> None:
    make_run("A", "a", {"t": fake_task()})
    build_board([tmp_path / "runs"], tmp_path / "board", base_url="https://example.org/board/")
    link = read_html(tmp_path / "board/runs/A/index.html").one("link", rel="canonical")
    assert link.attributes["href"] == "https://example.org/board/runs/A/"


def test_command_prints_the_report_and_exits_3_for_a_broken_run(
    make_run: Callable[..., Path], fake_task: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run("A", "a", {"t": fake_task()})
    call = ["leaderboard", "build", "--results", str(tmp_path / "runs"), "--out", str(tmp_path / "board"), "--json"]
    assert command_line(call) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["runs"] == 1
    assert Path(printed["index"]).is_file()
    broken = make_run("B", "b", {"t": fake_task()})
    (broken / "results.json").write_text("{")
    assert command_line(call) == 3
    out, err = capsys.readouterr()
    assert json.loads(out)["skipped"][0]["path"] == str(broken)
    assert f"skipped: {broken}: " in err


def test_several_results_may_follow_one_flag_as_a_shell_pattern_gives_them(
    make_run: Callable[..., Path], fake_task: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [str(make_run(name, name, {"t": fake_task()})) for name in ("A", "B", "C")]
    assert command_line(["leaderboard", "build", "--results", *paths, "--out", str(tmp_path / "board")]) == 0
    assert capsys.readouterr().out.startswith("3 runs on ")


def test_wrong_calls_exit_2_and_make_no_folder(
    make_run: Callable[..., Path], fake_task: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "board"
    assert command_line(["leaderboard", "build", "--results", str(tmp_path / "none"), "--out", str(out)]) == 2
    assert "no such folder" in capsys.readouterr().err
    call = ["leaderboard", "build", "--results", str(tmp_path), "--out", str(out), "--base-url", "javascript:x"]
    assert command_line(call) == 2
    assert "is no web address" in capsys.readouterr().err
    assert command_line(["leaderboard", "build", "--out", str(out)]) == 2
    assert not out.exists()
