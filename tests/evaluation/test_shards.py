"""Parts of a run, joined, are the run of one process; anything less is refused with what is missing."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import grue as api
from grue.cli.main import run as command_line
from grue.core.errors import UsageError
from grue.core.rows import Row
from grue.core.run import Shard
from grue.engine.null import NullEngine
from grue.engine.protocol import Failure, Portion
from grue.evaluation.shard import parse_shard, rows_of
from tests.processes import SLOW, kill, start, stored, until

CALL = ("-m", "demo:causal", "-t", "imdb,iwslt2017,commongen", "--data", "mini", "-L", "7", "--quiet")
SAMPLED = ("-g", "do_sample=true,temperature=0.8,num_beams=1", "--samples", "2")
TASKS = ("imdb", "iwslt2017", "commongen")


def evaluate(folder: Path, *flags: str) -> Path:
    assert command_line(["eval", *CALL, "-o", str(folder), *flags]) == 0
    return folder


def whole_and_parts(folder: Path, *flags: str) -> tuple[Path, list[Path]]:
    """A whole run and its three parts, which were made with other batches."""
    whole = evaluate(folder / "whole", *flags)
    return whole, [
        evaluate(folder / f"part-{number}", *flags, "--shard", f"{number}/3", "-b", str(number)) for number in (1, 2, 3)
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    return whole_and_parts(tmp_path_factory.mktemp("made"))


@pytest.fixture
def parts(made: tuple[Path, list[Path]], tmp_path: Path) -> list[Path]:
    """Copies of the three parts, to be spoiled."""
    return [Path(shutil.copytree(part, tmp_path / part.name)) for part in made[1]]


rows = st.dictionaries(
    st.sampled_from(TASKS),
    st.lists(st.text("abc", max_size=3), max_size=40, unique=True).flatmap(
        lambda ids: st.tuples(*(st.builds(Row, st.just(one), st.text("x ", max_size=30)) for one in ids))
    ),
    min_size=1,
)


@settings(deadline=None, max_examples=150)
@given(tasks=rows, of=st.integers(1, 7), shuffled=st.randoms())
def test_every_row_is_in_one_part_and_parts_are_of_one_size(tasks, of, shuffled):
    dealt = [rows_of(tasks, Shard(number=number, of=of)) for number in range(1, of + 1)]
    for task, all_rows in tasks.items():
        assert sorted(row.id for part in dealt for row in part[task]) == sorted(row.id for row in all_rows)
        per_task = [len(part[task]) for part in dealt]
        assert max(per_task) - min(per_task) <= 2
    sizes = [sum(map(len, part.values())) for part in dealt]
    assert max(sizes) - min(sizes) <= 1
    mixed = {task: shuffled.sample(list(tasks[task]), len(tasks[task])) for task in reversed(list(tasks))}
    again = rows_of(mixed, Shard(number=1, of=of))
    assert {task: {row.id for row in part} for task, part in again.items()} == {
        task: {row.id for row in part} for task, part in dealt[0].items()
    }


def test_parts_hold_prompts_of_like_length():
    tasks = {"imdb": [Row(f"{n}", "x" * (n * n)) for n in range(200)]}
    characters = [
        sum(len(row.prompt) for row in rows_of(tasks, Shard(number=number, of=8))["imdb"]) for number in range(1, 9)
    ]
    assert max(characters) < 1.02 * min(characters)


@pytest.mark.parametrize("text", ["", "1", "0/4", "5/4", "1/0", "-1/4", "1/4/2", "a/b", "1.0/4", "¹/4"])
def test_a_part_that_there_is_not_is_refused(text):
    with pytest.raises(UsageError, match="--shard"):
        parse_shard(text)


@pytest.mark.long
def test_joined_parts_are_the_run_of_one_process(made, grue, tmp_path, results):
    whole, parts = made
    before = {path: path.read_bytes() for part in parts for path in part.rglob("*") if path.is_file()}
    answer = grue("merge", *reversed(parts), "-o", tmp_path / "joined", "--json")
    assert answer.code == 0
    assert answer.document["status"] == "finished"
    joined = tmp_path / "joined"
    assert results(joined) == results(whole)  # among them the SHA-256 of every Parquet file
    assert {"samples/imdb.parquet", "statistics/imdb.parquet"} <= set(results(whole)["files"])
    manifests = [json.loads((path / "manifest.json").read_text()) for path in (whole, joined, *parts)]
    assert len({manifest["identity"] for manifest in manifests}) == 1
    assert "shard" not in manifests[1]
    assert manifests[1]["arguments"]["merged_from"] == [manifest["run_id"] for manifest in manifests[2:]]
    assert {path: path.read_bytes() for part in parts for path in part.rglob("*") if path.is_file()} == before


@pytest.mark.long
def test_costs_of_the_parts_are_added(made, grue, tmp_path):
    _, parts = made
    assert grue("merge", *parts, "-o", tmp_path / "joined").code == 0
    cost = json.loads((tmp_path / "joined" / "results.json").read_text())["tasks"]["imdb"]["cost"]
    each = [json.loads((part / "results.json").read_text())["tasks"]["imdb"]["cost"] for part in parts]
    for key in ("prompt_tokens", "generated_tokens", "wall_seconds", "load_seconds"):
        assert cost[key] == pytest.approx(sum(one[key] for one in each))
    assert cost["peak_memory_bytes"] == max(one["peak_memory_bytes"] for one in each)
    middles = [one["latency_ms"]["p50"] for one in each]
    assert min(middles) <= cost["latency_ms"]["p50"] <= max(middles)


@pytest.mark.long
def test_all_samples_of_a_row_are_in_one_part(grue, tmp_path, results):
    import pyarrow.parquet as pq

    whole, parts = whole_and_parts(tmp_path, *SAMPLED)
    assert grue("merge", *parts, "-o", tmp_path / "joined").code == 0
    assert results(tmp_path / "joined") == results(whole)
    for task in TASKS:
        samples = json.loads((whole / "manifest.json").read_text())["tasks"][task]["samples"]
        for part in parts:
            counts = Counter(pq.read_table(part / "samples" / f"{task}.parquet").column("id").to_pylist())
            assert set(counts.values()) == {samples}


@pytest.mark.long
@pytest.mark.parametrize("model", ["demo:causal", "folder"])
def test_a_metric_that_asks_the_checkpoint_itself_is_joined_too(model, checkpoint, grue, tmp_path, results):
    source = model if model != "folder" else checkpoint
    call = ("-m", source, "-t", "imdb", "--data", "mini", "-L", "4", "--profile", "grue-paper", "--quiet")
    assert grue("eval", *call, "-o", tmp_path / "whole").code == 0
    parts = [tmp_path / "s1", tmp_path / "s2"]
    for number, folder in enumerate(parts, start=1):
        assert grue("eval", *call, "--shard", f"{number}/2", "-o", folder).code == 0
    assert grue("merge", *parts, "-o", tmp_path / "joined").code == 0
    found = results(tmp_path / "joined")
    assert found["tasks"]["imdb"]["metrics"]["perplexity_references"]["value"] is not None
    assert found == results(tmp_path / "whole")


@pytest.mark.long
def test_a_part_is_never_taken_for_the_run(made, grue, tmp_path):
    _, parts = made
    for refused in (("score", parts[0]), ("samples", parts[0], "-t", "imdb"), ("runs", "show", parts[0])):
        answer = grue(*refused)
        assert answer.code == 2
        assert "shard 1 of 3" in answer.err
        assert "grue merge" in answer.err
    listed = grue("runs", "list", "--results", parts[0].parent, "--json").document
    assert [run["path"] for run in listed["runs"]] == [str(parts[0].parent / "whole")]
    assert [run["unfinished"] for run in listed["broken"]] == [True] * 3
    board = grue("leaderboard", "build", "--results", parts[0].parent, "--out", tmp_path / "board", "--json")
    assert board.document["runs"] == 1
    assert {Path(skipped["path"]) for skipped in board.document["skipped"]} == set(parts)
    with pytest.raises(Exception, match="shard 1 of 3"):
        api.load_run(parts[0])


@pytest.mark.long
def test_a_directory_keeps_to_its_part(made, grue):
    whole, parts = made
    for folder, shard in ((parts[0], ("--shard", "2/3")), (parts[0], ()), (whole, ("--shard", "1/3"))):
        before = (folder / "results.json").read_bytes()
        answer = grue("eval", *CALL, "-o", folder, *shard)
        assert answer.code == 2
        assert "of this run" in answer.err
        assert (folder / "results.json").read_bytes() == before


@pytest.mark.long
def test_missing_parts_are_named_with_the_command_that_makes_them(parts, grue, tmp_path, results, made):
    shutil.rmtree(parts[1])
    answer = grue("merge", parts[0], parts[2], "-o", tmp_path / "joined")
    assert answer.code == 2
    assert "shard 2 of 3 is missing" in answer.err
    assert not (tmp_path / "joined").exists()
    [command] = [line.strip() for line in answer.err.splitlines() if line.strip().startswith("grue eval")]
    assert "--shard 2/3" in command
    assert grue(*command.split()[1:]).code == 0
    assert parts[1].is_dir()
    assert grue("merge", *parts, "-o", tmp_path / "joined").code == 0
    assert results(tmp_path / "joined") == results(made[0])


@pytest.mark.long
def test_parts_of_another_run_or_division_or_twice_are_refused(parts, made, grue, tmp_path):
    other = evaluate(tmp_path / "other", "--seed", "5", "--shard", "2/3")
    two = evaluate(tmp_path / "two", "--shard", "2/2")
    copy = Path(shutil.copytree(parts[0], tmp_path / "copy"))
    for given_parts, told in (
        ((parts[0], other), "another run"),
        ((parts[0], two), "one division"),
        ((parts[0], copy), "both shard 1 of 3"),
        ((parts[0], made[0]), "whole run"),
        ((parts[0], tmp_path / "nothing"), "no run directory"),
    ):
        answer = grue("merge", *given_parts, "-o", tmp_path / "joined")
        assert answer.code == 2
        assert told in answer.err
        assert "Traceback" not in answer.err
        assert not (tmp_path / "joined").exists()
    # The same folder under two names is one part.
    assert grue("merge", *parts, parts[0] / ".." / parts[0].name, "-o", tmp_path / "joined").code == 0


@pytest.mark.long
def test_a_changed_file_of_a_part_is_refused(parts, grue, tmp_path):
    path = parts[1] / "samples" / "imdb.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    answer = grue("merge", *parts, "-o", tmp_path / "joined")
    assert answer.code == 2
    assert "was changed after the run" in answer.err
    assert str(path) in answer.err
    assert not (tmp_path / "joined").exists()


@pytest.mark.long
def test_a_part_cannot_be_the_place_of_the_run(parts, grue):
    before = (parts[0] / "results.json").read_bytes()
    answer = grue("merge", *parts, "-o", parts[0])
    assert answer.code == 2
    assert (parts[0] / "results.json").read_bytes() == before


def test_more_parts_than_rows(grue, tmp_path, results):
    call = ("-m", "null:copy-input", "-t", "iwslt2017", "--data", "mini", "-L", "2", "--quiet")
    assert grue("eval", *call, "-o", tmp_path / "whole").code == 0
    folders = [tmp_path / f"s{number}" for number in (1, 2, 3)]
    for number, folder in enumerate(folders, start=1):
        assert grue("eval", *call, "--shard", f"{number}/3", "-o", folder).code == 0
    assert grue("merge", *folders, "-o", tmp_path / "joined").code == 0
    assert results(tmp_path / "joined") == results(tmp_path / "whole")


def test_a_null_system_borrows_from_all_rows_of_the_run(grue, tmp_path, results):
    call = ("-m", "null:random-reference", "-t", "commongen", "--data", "mini", "-L", "9", "--quiet")
    assert grue("eval", *call, "-o", tmp_path / "whole").code == 0
    folders = [tmp_path / f"s{number}" for number in (1, 2)]
    for number, folder in enumerate(folders, start=1):
        assert grue("eval", *call, "--shard", f"{number}/2", "-o", folder).code == 0
    assert grue("merge", *folders, "-o", tmp_path / "joined").code == 0
    assert results(tmp_path / "joined") == results(tmp_path / "whole")


def test_rows_that_failed_are_named_and_their_part_is_finished_by_the_same_command(
    grue, tmp_path, monkeypatch, results
):
    call = ("-m", "null:copy-input", "-t", "iwslt2017", "--data", "mini", "-L", "6", "--quiet")
    assert grue("eval", *call, "-o", tmp_path / "whole").code == 0
    assert grue("eval", *call, "--shard", "1/2", "-o", tmp_path / "s1").code == 0
    whole = NullEngine.generate

    def but_one(self, requests, job):
        failed, *others = requests
        yield Portion((), [Failure(failed.row.id, failed.sample, "the device is gone")])
        yield from whole(self, others, job)

    with monkeypatch.context() as patch:
        patch.setattr(NullEngine, "generate", but_one)
        answer = grue("eval", *call, "--shard", "2/2", "-o", tmp_path / "s2")
    assert answer.code == 3
    assert "2 of 3 generations" in answer.out
    assert "the device is gone" in answer.out
    refused = grue("merge", tmp_path / "s1", tmp_path / "s2", "-o", tmp_path / "joined")
    assert refused.code == 2
    assert "shard 2 of 2 lacks 1 generations of iwslt2017 (1 row failed" in refused.err
    assert not (tmp_path / "joined").exists()
    assert grue("eval", *call, "--shard", "2/2", "-o", tmp_path / "s2").code == 0
    assert grue("merge", tmp_path / "s1", tmp_path / "s2", "-o", tmp_path / "joined").code == 0
    assert results(tmp_path / "joined") == results(tmp_path / "whole")


def test_a_part_is_not_started_anew_beside_itself(grue, tmp_path):
    call = ("-m", "null:copy-input", "-t", "iwslt2017", "--data", "mini", "-L", "4", "--shard", "1/2")
    answer = grue("eval", *call, "--fresh", "-o", tmp_path / "s1")
    assert answer.code == 2
    assert "--fresh and --shard" in answer.err
    assert not (tmp_path / "s1").exists()


def test_the_oracle_has_no_parts(grue, tmp_path):
    call = ("-m", "oracle:reference", "-t", "commongen", "--data", "mini", "--shard", "1/2", "-o", tmp_path / "run")
    answer = grue("eval", *call)
    assert answer.code == 2
    assert not (tmp_path / "run").exists()


@pytest.mark.long
def test_from_python_with_default_folders(tmp_path, monkeypatch, made, results):
    monkeypatch.setenv("GRUE_RESULTS_DIR", str(tmp_path / "runs"))
    done = [api.evaluate("demo:causal", TASKS, data="mini", limit=7, shard=f"{number}/2") for number in (1, 2)]
    assert [run.path.name[-13:] for run in done] == ["-shard-1-of-2", "-shard-2-of-2"]
    joined = api.merge([run.path for run in done])
    assert joined.path.name == done[0].path.name.removesuffix("-shard-1-of-2")
    assert results(joined.path) == results(made[0])


@pytest.mark.long
def test_a_killed_part_is_named_and_its_command_finishes_it(grue, tmp_path, results):
    call = ("-m", "demo:causal", "-t", "imdb", "--data", "mini", "-L", "48", "--quiet", "-b", "2")
    assert grue("eval", *call, "-o", tmp_path / "whole").code == 0
    assert grue("eval", *call, "--shard", "1/2", "-o", tmp_path / "one").code == 0
    process = start("eval", *call, "--shard", "2/2", "-o", tmp_path / "two", program=SLOW)
    until(lambda: stored(tmp_path / "two") != [], process)
    kill(process)
    answer = grue("merge", tmp_path / "one", tmp_path / "two", "-o", tmp_path / "joined")
    assert answer.code == 2
    assert "shard 2 of 2 is not finished" in answer.err
    [command] = [line.strip() for line in answer.err.splitlines() if line.strip().startswith("grue eval")]
    again = grue(*command.split()[1:])
    assert again.code == 0
    assert "24 of 24 generations" in again.out
    assert grue("merge", tmp_path / "one", tmp_path / "two", "-o", tmp_path / "joined").code == 0
    assert results(tmp_path / "joined") == results(tmp_path / "whole")


@pytest.mark.long
def test_a_killed_merge_is_started_again(made, tmp_path, grue, results):
    whole, parts = made
    arguments = ["merge", *map(str, parts), "-o", str(tmp_path / "joined")]
    process = start(*arguments)
    until((tmp_path / "joined" / "samples").exists, process)
    kill(process)
    assert not (tmp_path / "joined" / "results.json").exists()
    assert grue(*arguments).code == 0
    assert results(tmp_path / "joined") == results(whole)
    assert "finished already" in grue(*arguments).out
