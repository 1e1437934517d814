"""The command line in this process, real runs of null systems, and real output of lm-evaluation-harness."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from grue.cli.main import run

HARNESS = Path(__file__).parent / "lm_eval_0_4_13"
TASKS = "commongen,iwslt2017"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four real runs on embedded rows: two prediction files, one of them twice, and a null system."""
    folder = tmp_path_factory.mktemp("made")
    texts = {"good": "The farmer finds a coin in the bag.", "=cmd|' /C calc'!A0": "a b c"}
    assert run(["prompts", "-t", TASKS, "--data", "mini", "-o", str(folder / "prompts.jsonl")]) == 0
    prompts = [json.loads(line) for line in (folder / "prompts.jsonl").read_text().splitlines()]
    for place, (name, text) in enumerate(texts.items()):
        file = folder / f"p{place}.jsonl"
        lines = ({"task": row["task"], "id": row["id"], "prediction": f"{text} {row['id']}"} for row in prompts)
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        out = str(folder / "runs" / f"run{place}")
        assert run(["score", str(file), "--data", "mini", "--name", name, "-o", out, "--quiet"]) == 0
    again = ["score", str(folder / "p0.jsonl"), "--data", "mini", "--name", "good, again", "--quiet", "--seed", "0"]
    assert run([*again, "--metrics", "sacrebleu,chrf,cider_d,coverage", "-o", str(folder / "runs" / "again")]) == 0
    null = ["eval", "-m", "null:random-reference", "-t", TASKS, "--data", "mini", "--quiet"]
    assert run([*null, "-o", str(folder / "runs" / "null")]) == 0
    return folder / "runs"


@pytest.fixture
def harness(tmp_path: Path) -> Path:
    """A copy of the harness's output, to spoil."""
    return shutil.copytree(HARNESS, tmp_path / "harness")
