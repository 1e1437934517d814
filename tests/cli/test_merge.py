"""``grue merge`` as a command, and the SLURM script of the documentation, run as SLURM would."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grue.cli.main import run

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "docs" / "examples" / "slurm-array.sh"
CALL = ("-m", "null:copy-input", "-t", "commongen,iwslt2017", "--data", "mini", "-L", "6", "--quiet")
PATIENCE_SECONDS = 120
SLOW = """
import os
import time
from grue.runs.directory import RunDirectory

append = RunDirectory.append


def slow(self, task, generations):
    append(self, task, generations)
    if list(generations) and "SLOW" in os.environ:
        time.sleep(1)


RunDirectory.append = slow
"""


def part(folder: Path, number: int, of: int = 2) -> Path:
    assert run(["eval", *CALL, "--shard", f"{number}/{of}", "-o", str(folder)]) == 0
    return folder


def test_a_part_says_what_comes_next(tmp_path, capsys):
    part(tmp_path / "one", 1)
    out = capsys.readouterr().out
    assert "6 of 6 generations of shard 1 of 2 are stored" in out
    assert "grue merge" in out


def test_a_part_as_one_json_document(tmp_path, capsys):
    assert run(["eval", *CALL, "--shard", "2/2", "-o", str(tmp_path / "two"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema_version"] == 1
    assert document["status"] == "partial"
    assert (document["shard"]["number"], document["shard"]["of"]) == (2, 2)
    assert document["shard"]["rows"] == {"commongen": 3, "iwslt2017": 3}
    assert document["generations"]["commongen"] == {"expected": 3, "stored": 3}


def test_a_plan_of_a_part_counts_its_rows(tmp_path, capsys):
    assert run(["eval", *CALL, "--shard", "2/2", "--plan", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [task["rows"] for task in document["plan"]["tasks"].values()] == [3, 3]
    assert document["path"].endswith("-shard-2-of-2")


def test_joined_parts_as_one_json_document(tmp_path, capsys):
    parts = [part(tmp_path / "one", 1), part(tmp_path / "two", 2)]
    capsys.readouterr()
    assert run(["merge", *map(str, parts), "-o", str(tmp_path / "run"), "--json", "--quiet"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["status"] == "finished"
    assert document["path"] == str(tmp_path / "run")
    assert document["results"]["tasks"]["commongen"]["n"] == {"expected": 6, "scored": 6, "failed": 0}


def test_one_part_of_one_is_the_run(tmp_path):
    assert run(["merge", str(part(tmp_path / "one", 1, of=1)), "-o", str(tmp_path / "run")]) == 0


def test_the_folder_of_a_missing_part_is_named_where_names_tell_it(tmp_path, capsys):
    names = {"part-1-of-4": "part-2-of-4", "s1": "s2", "first": "DIR", "shard01": "DIR"}
    for name, other in names.items():
        part(tmp_path / name, 1, of=4)
        capsys.readouterr()
        assert run(["merge", str(tmp_path / name), "-o", str(tmp_path / "run")]) == 2
        err = capsys.readouterr().err
        assert "shard 2 of 4 is missing; shard 3 of 4 is missing; shard 4 of 4 is missing" in err
        commands = [line.strip() for line in err.splitlines() if "--shard 2/4" in line]
        assert len(commands) == 1
        assert (f"--output {tmp_path / other} " if other != "DIR" else "--output DIR ") in commands[0]


def test_an_address_in_the_recorded_call_has_no_secret(tmp_path, capsys):
    from grue.cli.shard import _USER_INFO

    assert _USER_INFO.sub("", "http://user:key@host:8000/v1") == "http://host:8000/v1"
    assert _USER_INFO.sub("", "org/name@main") == "org/name@main"


@pytest.mark.parametrize("arguments", [(), ("-o", "DIR")])
def test_parts_have_to_be_named(arguments, capsys):
    assert run(["merge", *arguments]) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.fixture
def slurm(tmp_path: Path) -> dict[str, str]:
    """The environment of a job, with a ``grue`` whose storing takes its time and a ``scontrol`` that takes notes."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "slow.py").write_text(f"{SLOW}\nfrom grue.cli.main import main\nmain()\n")
    (tools / "grue").write_text(f'#!/bin/bash\nexec {sys.executable} {tools / "slow.py"} "$@"\n')
    (tools / "scontrol").write_text(f'#!/bin/bash\necho "$@" >> {tmp_path / "scontrol.log"}\n')
    for tool in tools.iterdir():
        tool.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'tasks'}",
        "OMP_NUM_THREADS": "1",
        "PARTS": "2",
        "MODEL": "null:copy-input",
        "TASKS": "imdb",
        "DATA": "mini",
        "OUT": str(tmp_path / "out"),
        "FLAGS": "-L 24 --no-model-metrics",
        "SLURM_JOB_ID": "4711",
    }


def job(environment: dict[str, str], number: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["bash", str(SCRIPT)],
        env={**environment, "SLURM_ARRAY_TASK_ID": str(number)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_slurm_script_makes_parts_and_goes_on_when_its_time_was_over(slurm, tmp_path):
    out = tmp_path / "out"
    process = job({**slurm, "SLOW": "1"}, 1)
    lines = out / "part-1-of-2" / "samples" / "imdb.partial.jsonl"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None and not (lines.exists() and lines.stat().st_size):
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, err
    assert (tmp_path / "scontrol.log").read_text() == "requeue 4711\n"
    assert not (out / "part-1-of-2" / "results.json").exists()
    for number in (1, 2):
        process = job(slurm, number)
        _, err = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, err
    assert run(["merge", *map(str, sorted(out.glob("part-*"))), "-o", str(out / "run"), "--quiet"]) == 0
    assert json.loads((out / "run" / "results.json").read_text())["tasks"]["imdb"]["n"]["scored"] == 24


def test_the_slurm_script_fails_with_its_part(slurm):
    process = job({**slurm, "MODEL": "demo:nothing"}, 1)
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 2
    assert "demo:nothing" in err


def test_the_script_is_the_one_that_the_guide_shows():
    """How it is submitted stands in both, word for word."""
    guide = (ROOT / "docs" / "scaling.md").read_text()
    submitted = re.findall(r"^# {3}(.+)$", SCRIPT.read_text(), flags=re.M)
    assert len(submitted) == 3
    assert "\n".join(submitted) in guide
