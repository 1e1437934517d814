"""The manifest of an imported run: what the harness's file says was run.

Signatures begin with ``lm-eval|`` and the profile is ``lm-eval``, so that no imported value is ever ranked or compared
with one that grue computed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grue import __version__
from grue.core.run import DataInfo, Manifest, ModelInfo, TaskManifest
from grue.core.text import Json, canonical_json, sha256_text
from grue.exchange.lm_eval.foreign import ForeignRun, ForeignTask, ForeignValue
from grue.exchange.lm_eval.foreign_samples import ForeignRow
from grue.exchange.lm_eval.names import FILTER
from grue.runs.identity import run_identity

HARNESS = "lm-eval"
IMPORTED = "imported"
_NO_NAME = re.compile(r"[^A-Za-z0-9_.-]+")
_WHOLE = re.compile(r"\d{1,6}(\.0)?")
_CALL = ("model", "model_args", "batch_size", "limit", "gen_kwargs")
_ASKING = ("dataset_path", "dataset_name", "doc_to_text", "doc_to_target", "description")


@dataclass(frozen=True, slots=True)
class Part:
    """A task in both forms."""

    name: str
    task: ForeignTask
    rows: tuple[ForeignRow, ...] | None


def column_name(metric: str, filter_name: str) -> str:
    """A metric's name here: as there, with ``:FILTER`` behind it where texts were filtered before scoring."""
    return metric if filter_name == FILTER else f"{metric}:{filter_name}"


def named_tasks(tasks: Sequence[ForeignTask]) -> list[tuple[str, ForeignTask]]:
    """Tasks by names that can stand in addresses and file names."""
    named: dict[str, ForeignTask] = {}
    for task in tasks:
        safe = _NO_NAME.sub("_", task.name).lstrip(".-")[:90] or "task"
        number, unique = 2, safe
        while unique in named:
            unique, number = f"{safe}-{number}", number + 1
        named[unique] = task
    return list(named.items())


def imported_manifest(run: ForeignRun, parts: Sequence[Part], name: str) -> Manifest:
    """The manifest under a display name; the same files give the same run id and identity."""
    content = _content_hash(run, parts)
    tasks = {part.name: _task_manifest(run, part) for part in parts}
    config = run.config
    dtype, parameters = config.get("model_dtype"), config.get("model_num_parameters")
    revision = config.get("model_sha") or config.get("model_revision")
    model = ModelInfo(
        name=name,
        source=f"{HARNESS}:{run.model}",
        kind=IMPORTED,
        revision=revision if isinstance(revision, str) and revision else None,
        weights_sha256=content,
        parameters=parameters if isinstance(parameters, int) and parameters > 0 else None,
        dtype=dtype.removeprefix("torch.") if isinstance(dtype, str) else None,
        engine=run.engine,
    )
    versions = {"lm_eval": run.version, "transformers": _text(run.document.get("transformers_version"))}
    environment: dict[str, Json] = {
        "packages": {key: value for key, value in versions.items() if value},
        "device": _text(config.get("device")),
        "seconds_in_all": _text(run.document.get("total_evaluation_time_seconds")),
    }
    arguments: dict[str, Json] = {
        "imported_from": HARNESS,
        "file": run.path.name,
        "tasks": {part.name: part.task.name for part in parts},
        "call": {
            key: config[key] for key in ("model", "model_args", "batch_size", "limit", "gen_kwargs") if key in config
        },
    }
    seed = config.get("random_seed")
    return Manifest(
        run_id=_run_id(run, content),
        identity=run_identity(model, tasks, 0),
        created_at=run.created_at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        grue={"version": __version__, "commit": None},
        model=model,
        environment=environment,
        arguments={**arguments, "seed": seed if isinstance(seed, int) else None},
        seed=0,
        tasks=tasks,
    )


def _content_hash(run: ForeignRun, parts: Sequence[Part]) -> str:
    """SHA-256 over values and texts: what the identity of an imported run rests on."""
    tasks: dict[str, Json] = {}
    for part in parts:
        rows: list[Json] = [
            [row.id, row.document_hash, row.prompt, row.target, list(row.predictions)] for row in part.rows or ()
        ]
        values: list[Json] = [[v.metric, v.filter, v.value, v.stderr] for v in part.task.values]
        tasks[part.name] = {"version": part.task.version, "n": part.task.effective, "values": values, "rows": rows}
    return sha256_text(canonical_json({"model": run.model, "version": run.version, "tasks": tasks}))


def _run_id(run: ForeignRun, content: str) -> str:
    """A ULID of the evaluation's time and content, so that importing twice gives one run."""
    from ulid import ULID

    milliseconds = int(run.created_at.timestamp() * 1000)
    return str(ULID(milliseconds.to_bytes(6, "big") + bytes.fromhex(content)[:10]))


def _task_manifest(run: ForeignRun, part: Part) -> TaskManifest:
    task, rows = part.task, part.rows
    original = task.original if task.original is not None else task.effective
    about: dict[str, Json] = {"task": task.name, "version": task.version, "shots": task.n_shot, "of": original}
    about |= {key: _text(task.config.get(key)) for key in _ASKING}
    about["system"] = _text(run.document.get("system_instruction_sha"))
    about["examples"] = _text(run.config.get("fewshot_seed")) if task.n_shot else None
    if rows is None:
        # No document was seen: what the file says of them stands for them.
        data, prompts = ({**about, "split": task.split}, {**about, "evaluated": task.effective})
        data_sha256, prompts_sha256 = (sha256_text(canonical_json(one)) for one in (data, prompts))
    else:
        ordered = sorted(rows, key=lambda row: row.id)
        data_sha256 = _hash(f"{row.id}\t{row.document_hash}\t{sha256_text(row.target)}" for row in ordered)
        if run.has_chat_template:
            # Before its template a prompt is not known: the document and the task's way of asking stand for it.
            asking = sha256_text(canonical_json(about))
            prompts_sha256 = _hash(f"{row.id}\t{asking}\t{row.document_hash}" for row in ordered)
        else:
            prompts_sha256 = _hash(f"{row.id}\t{row.prompt}" for row in ordered)
    names = {column_name(value.metric, value.filter): value for value in task.values}
    listed: Any = task.config.get("metric_list")
    first = [one.get("metric") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    directed = [name for name, value in names.items() if task.directions.get(value.metric) is not None]
    directed.sort(key=lambda name: first.index(metric) if (metric := names[name].metric) in first else len(first))
    return TaskManifest(
        version=int(float(task.version)) if re.fullmatch(r"\d{1,6}(\.0)?", task.version) else 0,
        profile=HARNESS,
        quirks=(),
        split=_NO_NAME.sub("_", task.split) or "test",
        data=DataInfo(
            source=HARNESS,
            id=_text(task.config.get("dataset_path")),
            revision=None,
            sha256=data_sha256,
            rows=original,
        ),
        prompts_sha256=prompts_sha256,
        limit=task.effective if task.effective < original else None,
        samples=len(rows[0].predictions) if rows else 1,
        generation=_generation(task),
        metrics={name: signature(run, task, value) for name, value in names.items()},
        rewards={},
        primary=tuple(directed[:1]),
    )


def signature(run: ForeignRun, task: ForeignTask, value: ForeignValue) -> str:
    """All that the file says of what can change a number."""
    listed: Any = task.config.get("metric_list")
    settings: Mapping[str, Any] = (
        next((one for one in listed if isinstance(one, dict) and one.get("metric") == value.metric), {})
        if isinstance(listed, list)
        else {}
    )
    known = ("metric", "aggregation", "higher_is_better")
    more = {str(key): _text(settings[key]) for key in sorted(settings) if key not in known}
    parts = [
        HARNESS,
        f"metric:{value.metric}",
        f"filter:{value.filter}",
        f"agg:{settings.get('aggregation', 'unknown')}",
        *(f"{key}:{text}" for key, text in more.items()),
        f"task:{task.version or 'unknown'}",
        f"shots:{task.n_shot}",
        *(["group:yes"] if task.is_group else []),
        f"v:{run.version}",
    ]
    return "|".join(part.replace("|", "/") for part in parts)


def _generation(task: ForeignTask) -> dict[str, Json]:
    """How texts were generated, by the names that runs use."""
    given: Any = task.config.get("generation_kwargs")
    found: dict[str, Json] = {str(key): value for key, value in given.items()} if isinstance(given, dict) else {}
    if "max_gen_toks" in found:
        found["max_new_tokens"] = found.pop("max_gen_toks")
    return {"output_type": task.output_type or None, "num_fewshot": task.n_shot, **found}


def _hash(lines: Iterable[str]) -> str:
    return sha256_text("".join(f"{line}\n" for line in lines))


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
