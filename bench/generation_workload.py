"""The checkpoints and prompts that all contestants get, made once into the cache folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from generation_models import material_module, vocabulary

TASK_FOLDER = Path(__file__).resolve().parent / "generation_task"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Prompts for one checkpoint.

    Attributes:
        kind: `causal` or `seq2seq`.
        model: The checkpoint's folder.
        data: A data folder that holds the prompts as rows of the bench's task.
        prompts: The rows file in it, which the peers read.
        size: How many prompts there are.
    """

    kind: str
    model: Path
    data: Path
    prompts: Path
    size: int


def checkpoint(material: Path, cache: Path, shape: str, kind: str) -> Path:
    """The folder of a checkpoint, made where it is not there yet."""
    folder = cache / "models" / shape / kind
    if not (folder / "config.json").is_file():
        half = folder.with_name(f"{kind}.half")
        shutil.rmtree(half, ignore_errors=True)
        half.parent.mkdir(parents=True, exist_ok=True)
        maker = Path(__file__).with_name("generation_models.py")
        command = [sys.executable, str(maker), "--material", str(material), "--shape", shape, "--kind", kind]
        subprocess.run([*command, "--out", str(half)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.replace(half, folder)
    return folder


def workload(material: Path, cache: Path, shape: str, kind: str, size: int) -> Workload:
    """The first `size` prompts for a checkpoint: a smaller size is the beginning of a larger one."""
    data = cache / "data" / shape / kind / str(size)
    prompts = data / TASK_FOLDER.name / "test.jsonl"
    if not prompts.is_file():
        # The workload is written by the script beside the one that made the checkpoint's language.
        rows = material_module(material, "peer_baselines").workload(size, vocab=vocabulary(shape, kind))
        prompts.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps({**row, "id": str(row["id"])}) + "\n" for row in rows]
        half = prompts.with_suffix(".half")
        half.write_text("".join(lines), encoding="utf-8")
        half.replace(prompts)
    return Workload(kind=kind, model=checkpoint(material, cache, shape, kind), data=data, prompts=prompts, size=size)
