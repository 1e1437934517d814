"""Does the checkpoint write these texts? Random rows are generated again and compared token by token."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from grue.core.decoding import Decoding
from grue.core.errors import CheckpointError, GrueError, UsageError
from grue.core.rows import Generation, Row
from grue.core.run import Manifest, TaskManifest
from grue.core.task import Truncation
from grue.engine.hf import HFEngine
from grue.engine.null import row_seed
from grue.engine.protocol import Engine, Job, Request
from grue.verification.equality import differences
from grue.verification.findings import FAILED, NOT_CHECKED, PASSED, Finding, capped
from grue.verification.retrace import Retracer, tokens_of

# Of the rows looked at, the share that rounding may explain in float32: two runs of one engine hardly ever part there.
MOST_ROUNDED_FLOAT32 = 0.1
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTask:
    """A task's rows and texts as the run stores them; ``generations`` by (id, sample)."""

    name: str
    manifest: TaskManifest
    rows: Mapping[str, Row]
    generations: Mapping[tuple[str, int], Generation]
    place: str


def same_checkpoint(manifest: Manifest, engine: Engine) -> list[Finding]:
    """Whether the checkpoint is the one that the run names: weights, tokenizer, architecture, number type."""
    claimed, given = manifest.model, engine.info
    pairs = {
        "weights_sha256": (claimed.weights_sha256, given.weights_sha256),
        "tokenizer_sha256": (claimed.tokenizer_sha256, given.tokenizer_sha256),
        "architecture": (claimed.architecture, given.architecture),
        "dtype": (claimed.dtype, given.dtype),
    }
    faults = [
        Finding(
            check="checkpoint",
            status=FAILED,
            place=f"manifest.json: model.{key}",
            message=f"is {_short(said)}, {given.source} has {_short(found)}",
        )
        for key, (said, found) in pairs.items()
        if said != found
    ]
    message = f"weights, tokenizer, architecture and number type are those of {given.source}"
    return faults or [Finding(check="checkpoint", status=PASSED, message=message)]


def job_of(manifest: Manifest, task: StoredTask) -> Job:
    """How the run decoded a task.

    Raises:
        GrueError: where the manifest's settings are none that grue decodes with.
    """
    generation = task.manifest.generation
    names = [field.name for field in fields(Decoding)]
    cut: Any = generation.get("truncation")
    try:
        values: dict[str, Any] = {name: generation[name] for name in names}
        values["stop"] = tuple(values["stop"])
        return Job(
            decoding=Decoding(**values),
            truncation=Truncation(cut["side"], int(cut["max_tokens"])),
            seed=manifest.seed,
            rows=tuple(task.rows.values()),
            samples=task.manifest.samples,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"tasks.{task.name}.generation of the manifest lacks or spoils a setting: {error}.") from error


def chosen(task: StoredTask, n_rows: int, seed: int) -> list[tuple[str, int]]:
    """(id, sample) of random rows, one draw a row; all rows where there are no more than asked for."""
    keys = sorted(task.generations)
    ids = sorted({row_id for row_id, _ in keys})
    random = np.random.Generator(np.random.Philox(key=row_seed(seed, task.name, 0)))
    taken = sorted(random.choice(len(ids), size=min(n_rows, len(ids)), replace=False).tolist())
    samples = {row_id: [sample for one, sample in keys if one == row_id] for row_id in (ids[place] for place in taken)}
    return [(row_id, samples[row_id][int(random.integers(len(samples[row_id])))]) for row_id in samples]


def spotted(n_rows: int, n_looked: int) -> int:
    """Of so many changed rows at least one is among those looked at with 95 % probability; at most ``n_rows``.

    The count of changed rows among rows drawn without replacement is hypergeometric.
    """
    for changed in range(1, n_rows + 1):
        unseen = math.comb(n_rows - changed, n_looked) / math.comb(n_rows, n_looked)
        if unseen <= 1 - CONFIDENCE:
            return changed
    return n_rows


def regenerated(manifest: Manifest, engine: HFEngine, task: StoredTask, n_rows: int, seed: int) -> list[Finding]:
    """Generate random rows of a task again and compare; prompts are compared for all rows.

    Args:
        manifest: Of the run.
        engine: The checkpoint; its weights are loaded here.
        task: What the run stores.
        n_rows: Rows to look at.
        seed: Chooses them.

    Raises:
        GrueError: where the weights cannot be loaded.
    """
    try:
        job = job_of(manifest, task)
        settings = engine.settings(job)
    except GrueError as error:
        return [_finding(task, FAILED, "manifest.json", f"cannot be decoded by {engine.info.source}: {error.cause}")]
    faults = [
        _finding(
            task,
            FAILED,
            f"manifest.json: tasks.{task.name}.generation.{one.key}",
            f"is {_short(one.stored)}, {engine.info.source} has {_short(one.again)}",
        )
        for one in differences(dict(task.manifest.generation), dict(settings), 0.0)
        # Another engine describes itself in other words.
        if manifest.model.engine == engine.info.engine or (one.stored is not None and one.again is not None)
    ]
    faults += capped(list(_prompts(engine, task, job)))
    if manifest.model.engine != engine.info.engine and job.decoding.do_sample:
        message = f"{manifest.model.engine} drew the texts by random numbers of its own, which hf cannot repeat"
        return [*faults, _finding(task, NOT_CHECKED, "", message)]
    return [*faults, *_texts(engine, task, job, chosen(task, n_rows, seed))]


def _prompts(engine: HFEngine, task: StoredTask, job: Job) -> Iterator[Finding]:
    """What the model saw, of every row: as the checkpoint's tokenizer reads and cuts the row's prompt."""
    items = engine.encode(list(task.rows.values()), job)
    prompts = dict(zip(task.rows, (item.prompt for item in items), strict=True))
    for (row_id, _), made in task.generations.items():
        prompt = prompts[row_id]
        read = {"prompt": prompt.text, "prompt_tokens": len(prompt.ids), "prompt_cut": prompt.is_cut}
        for key, value in read.items():
            found = getattr(made, key)
            if found != value:
                message = f"{key} is {_short(found)}, {engine.info.source} reads {_short(value)}"
                yield _finding(task, FAILED, f"{task.place}: id {row_id}", message)
                break


def _texts(engine: HFEngine, task: StoredTask, job: Job, keys: Sequence[tuple[str, int]]) -> list[Finding]:
    made: dict[tuple[str, int], Generation] = {}
    failed: dict[str, str] = {}
    for portion in engine.generate([Request(task.rows[row_id], sample) for row_id, sample in keys], job):
        made.update({(one.id, one.sample): one for one in portion.generations})
        failed.update({failure.id: failure.reason for failure in portion.failures})
    retracer = Retracer(engine, job)
    faults, rounded, left = [], [], [f"id {row_id} cannot be generated here: {why}" for row_id, why in failed.items()]
    for key, again in sorted(made.items()):
        stored = task.generations[key]
        if _equal(stored, again):
            continue
        try:
            fault = _fault(engine, retracer, job, task.rows[key[0]], stored, again)
        except CheckpointError as error:
            left.append(f"id {key[0]} differs and cannot be followed: {error.cause}")
            continue
        if fault is None:
            rounded.append(key[0])
        else:
            name = f"id {key[0]}" + (f", sample {key[1]}" if task.manifest.samples > 1 else "")
            faults.append(_finding(task, FAILED, f"{task.place}: {name}", fault))
    findings = [*capped(faults), *(_finding(task, NOT_CHECKED, task.place, message) for message in left)]
    allowed = max(1, int(MOST_ROUNDED_FLOAT32 * len(made)))
    if engine.dtype == "float32" and len(rounded) > allowed:
        message = (
            f"{len(rounded)} of {len(made)} rows differ by what rounding could do, more than {allowed}, "
            f"which float32 hardly ever does: ids {', '.join(rounded[:10])}"
        )
        findings.append(_finding(task, FAILED, task.place, message))
    if not findings:
        findings.append(_finding(task, PASSED, "", _summary(task, len(made), rounded)))
    return findings


def _summary(task: StoredTask, n_made: int, rounded: Sequence[str]) -> str:
    n_rows = len(task.rows)
    same = f"{n_made} of {n_rows} rows were generated again and are the same, token by token"
    if rounded:
        same = (
            f"{n_made} of {n_rows} rows were generated again: {n_made - len(rounded)} are the same, token by token, "
            f"{len(rounded)} part where two tokens are equal within rounding (ids {', '.join(rounded[:10])})"
        )
    if n_made == n_rows:
        return same
    return f"{same}; of {spotted(n_rows, n_made)} changed rows one would have been seen with 95 % probability"


def _equal(stored: Generation, again: Generation) -> bool:
    """Text, number of tokens and how it ended; ``prompt`` was compared before."""
    return (
        _raw(stored) == again.prediction
        and stored.generated_tokens == again.generated_tokens
        and stored.finish_reason == again.finish_reason
    )


def _fault(
    engine: HFEngine, retracer: Retracer, job: Job, row: Row, stored: Generation, again: Generation
) -> str | None:
    """Why a stored text is not the checkpoint's; ``None`` where rounding explains it."""
    text = _raw(stored)
    if text == again.prediction:
        if stored.finish_reason != again.finish_reason:
            return f"finish_reason is {stored.finish_reason}, the same text ended by {again.finish_reason}"
        return f"generated_tokens is {stored.generated_tokens}, the same text has {again.generated_tokens}"
    if job.decoding.num_beams == 1:
        trace = retracer.follow(row, stored.sample, text, stored.finish_reason)
        if trace.position is None:
            return None
        return f"differs from token {trace.position} on: the run has {trace.found}, the model writes {trace.wrote}"
    found = retracer.score(row, text, stored.finish_reason)
    best = retracer.score(row, again.prediction, again.finish_reason)
    if abs(found - best) <= retracer.beam_rounding:
        return None
    one, other = tokens_of(engine, text), tokens_of(engine, again.prediction)
    at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return (
        f"differs from token {at} on: the run has {_short(engine.reader.decode(one[at:]))}, the beam search finds "
        f"{_short(engine.reader.decode(other[at:]))}; log-probability a token {found:.3f} against {best:.3f}"
    )


def _raw(made: Generation) -> str:
    """The text as it was decoded."""
    return made.prediction if made.raw is None else made.raw


def _finding(task: StoredTask, status: Any, place: str, message: str) -> Finding:
    return Finding(check="texts", status=status, task=task.name, place=place or None, message=message)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:40]}…"
