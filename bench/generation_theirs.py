"""The peers as contestants, each in a fresh process, and the batch-of-one outputs that all are compared with."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from generation_ours import Taken
from generation_peers import Call
from generation_process import environment, run
from generation_values import Answer, Setting
from generation_workload import Workload

PEERS = Path(__file__).with_name("generation_peers.py")
BARE = Path(__file__).with_name("generation_bare.py")


def theirs(
    setting: Setting,
    workload: Workload,
    way: str,
    batch: str,
    beams: int,
    scratch: Path,
    *,
    python: Path,
    rows: int = 0,
) -> Taken:
    """Run a peer once.

    Raises:
        ContestantFailedError: where it fails.
    """
    out, marks, call_file = (scratch / name for name in ("peer.jsonl", "marks.json", "call.json"))
    call = Call(
        way=way,
        batch=batch,
        model=str(workload.model),
        prompts=str(workload.prompts),
        rows=rows,
        out=str(out),
        marks=str(marks),
        max_new_tokens=setting.max_new_tokens,
        beams=beams,
        device=setting.device,
        dtype=setting.dtype,
        threads=setting.threads,
    )
    call_file.write_text(json.dumps(asdict(call)), encoding="utf-8")
    command = [str(python), str(PEERS), str(call_file)]
    spent = run(command, environment(setting.threads, scratch / "home"), scratch / "peer.log")
    seconds = json.loads(marks.read_text(encoding="utf-8"))["generate_seconds"]
    return Taken(spent=spent, answers=read_answers(out), generate_seconds=seconds)


def bare(setting: Setting, workload: Workload, max_new_tokens: int, scratch: Path) -> Taken:
    """Run the bare script on the first prompt once.

    Raises:
        ContestantFailedError: where it fails.
    """
    out = scratch / "bare.jsonl"
    command = [sys.executable, str(BARE), str(workload.model), str(workload.prompts), str(max_new_tokens)]
    command += [setting.device, setting.dtype, str(out)]
    spent = run(command, environment(setting.threads, scratch / "home"), scratch / "bare.log")
    row = json.loads(out.read_text(encoding="utf-8"))
    return Taken(spent=spent, answers=read_answers(out), first_row_seconds=row["time"] - spent.began)


def read_answers(path: Path) -> tuple[Answer, ...]:
    """The rows that a peer wrote."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return tuple(
        Answer(
            text=row["text"],
            n_tokens=None if row["tokens"] is None else len(row["tokens"]),
            tokens=None if row["tokens"] is None else tuple(row["tokens"]),
        )
        for row in rows
    )


def reference(setting: Setting, workload: Workload, beams: int, scratch: Path, versions: str) -> tuple[Answer, ...]:
    """What `generate` writes for one unpadded prompt at a time; kept in the cache beside the checkpoint.

    Raises:
        ContestantFailedError: where it cannot be made.
    """
    rows = min(workload.size, setting.reference_rows or workload.size)
    name = f"{workload.kind}-{setting.dtype}-{setting.device}-{setting.max_new_tokens}-beams{beams}-{versions}.jsonl"
    kept = setting.cache / "reference" / setting.shape / name
    if not kept.is_file() or len(read_answers(kept)) < rows:
        taken = theirs(setting, workload, "order", "1", beams, scratch, python=Path(sys.executable), rows=rows)
        kept.parent.mkdir(parents=True, exist_ok=True)
        lines = (
            json.dumps({"id": str(i), "text": answer.text, "tokens": answer.tokens}) + "\n"
            for i, answer in enumerate(taken.answers)
        )
        half = kept.with_suffix(".half")
        half.write_text("".join(lines), encoding="utf-8")
        half.replace(kept)
    return read_answers(kept)[:rows]


def equal_rows(answers: Sequence[Answer], wanted: Sequence[Answer]) -> int:
    """How many answers equal the reference: token by token where ids are known, else in text and number of tokens."""
    return sum(_equals(answer, other) for answer, other in zip(answers, wanted, strict=False))


def _equals(answer: Answer, other: Answer) -> bool:
    if answer.tokens is not None and other.tokens is not None:
        return answer.tokens == other.tokens
    if None not in (answer.n_tokens, other.n_tokens) and answer.n_tokens != other.n_tokens:
        return False
    return answer.text.strip() == other.text.strip()
