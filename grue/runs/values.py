"""Manifest and results from their JSON, as the values that wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grue.core.metric import MetricValue
from grue.core.run import (
    Cost,
    DataInfo,
    EndpointInfo,
    Manifest,
    ModelInfo,
    Rates,
    Results,
    RunScores,
    ScoreValue,
    Shard,
    TaskManifest,
    TaskResult,
    TaskScore,
)
from grue.runs.fields import Fields


def manifest_value(document: Fields) -> Manifest:
    """``manifest.json`` as a value.

    Raises:
        RunDirectoryError: for a missing field or one of the wrong type.
    """
    return Manifest(
        run_id=document.required("run_id", str),
        identity=document.required("identity", str),
        created_at=document.required("created_at", str),
        grue=document.child("grue").values,
        model=_model(document.child("model")),
        environment=document.child("environment").values,
        arguments=document.child("arguments").values,
        seed=document.required("seed", int),
        tasks={name: _task_manifest(task) for name, task in document.children("tasks")},
        shard=_shard(document.child("shard")) if document.values.get("shard") is not None else None,
    )


def results_value(document: Fields) -> Results:
    """``results.json`` as a value.

    Raises:
        RunDirectoryError: for a missing field or one of the wrong type.
    """
    files = document.child("files")
    return Results(
        run_id=document.required("run_id", str),
        status=document.required("status", str),
        tasks={name: _task_result(task) for name, task in document.children("tasks")},
        files={path: files.required(path, str) for path in files.values},
        scores=RunScores(_score(document, "grue"), _score(document, "naturalness")),
    )


def _shard(shard: Fields) -> Shard:
    rows = shard.child("rows")
    return Shard(
        number=shard.required("number", int),
        of=shard.required("of", int),
        rows={task: rows.required(task, int) for task in rows.values},
        command=shard.strings("command"),
    )


def _model(model: Fields) -> ModelInfo:
    meta = model.child("meta")
    return ModelInfo(
        name=model.required("name", str),
        source=model.required("source", str),
        kind=model.required("kind", str),
        revision=model.optional("revision", str),
        weights_sha256=model.optional("weights_sha256", str),
        tokenizer_sha256=model.optional("tokenizer_sha256", str),
        architecture=model.optional("architecture", str),
        parameters=model.optional("parameters", int),
        dtype=model.optional("dtype", str),
        engine=model.optional("engine", str),
        meta={key: meta.required(key, str) for key in meta.values},
        endpoint=_endpoint(model.child("endpoint")) if model.values.get("endpoint") is not None else None,
    )


def _endpoint(endpoint: Fields) -> EndpointInfo:
    return EndpointInfo(
        address=endpoint.required("address", str),
        model=endpoint.required("model", str),
        server=endpoint.optional("server", str),
        mark=endpoint.required("mark", str),
    )


def _task_manifest(task: Fields) -> TaskManifest:
    data, metrics, rewards = task.child("data"), task.child("metrics"), task.child("rewards")
    return TaskManifest(
        version=task.required("version", int),
        profile=task.required("profile", str),
        quirks=task.strings("quirks"),
        split=task.required("split", str),
        data=DataInfo(
            source=data.required("source", str),
            id=data.optional("id", str),
            revision=data.optional("revision", str),
            sha256=data.required("sha256", str),
            rows=data.required("rows", int),
        ),
        prompts_sha256=task.required("prompts_sha256", str),
        limit=task.optional("limit", int),
        samples=task.required("samples", int),
        generation=task.child("generation").values,
        metrics={name: metrics.optional(name, str) for name in metrics.values},
        rewards={name: rewards.optional(name, str) for name in rewards.values},
        primary=task.strings("primary"),
    )


def _task_result(task: Fields) -> TaskResult:
    n, rates = task.child("n"), task.child("rates")
    return TaskResult(
        status=task.required("status", str),
        expected=n.required("expected", int),
        scored=n.required("scored", int),
        failed=n.required("failed", int),
        metrics=_metrics(task, "metrics"),
        rewards=_metrics(task, "rewards"),
        rates=Rates(
            empty=rates.optional("empty", float),
            cut_prompt=rates.optional("cut_prompt", float),
            cut_output=rates.optional("cut_output", float),
        ),
        cost=_cost(task.child("cost")),
        score=_task_score(task),
        error=task.optional("error", str),
    )


def _task_score(task: Fields) -> TaskScore:
    scores = task.child("scores")
    return TaskScore(
        quality=_score(task, "quality"),
        naturalness=_score(task, "naturalness"),
        floor=_numbers(scores.child("floor")),
        ceiling=_numbers(scores.child("ceiling")),
        # Runs of earlier versions have none of these two.
        null_systems={name: _numbers(values) for name, values in scores.children("null_systems")}
        if "null_systems" in scores.values
        else {},
        statistics={
            name: (pair.optional("value", float), pair.optional("references", float))
            for name, pair in (scores.children("statistics") if "statistics" in scores.values else ())
        },
    )


def _score(document: Fields, name: str) -> ScoreValue:
    value = document.child("scores").child(name)
    return ScoreValue(value.optional("value", float), _bounds(value), value.optional("reason", str))


def _bounds(value: Fields) -> tuple[float, float] | None:
    bounds = value.optional("ci95", list)
    if bounds is None:
        return None
    if len(bounds) != 2 or any(isinstance(one, bool) or not isinstance(one, int | float) for one in bounds):
        raise value.fault("ci95 should be two numbers or null.")
    return float(bounds[0]), float(bounds[1])


def _numbers(values: Fields) -> dict[str, float | None]:
    return {name: values.optional(name, float) for name in values.values}


def _metrics(task: Fields, key: str) -> dict[str, MetricValue]:
    """Metrics or rewards of a task: most of what a board reads, so the usual ones go a short way."""
    inner = task.child(key)
    found = {}
    for name, values in inner.values.items():
        value = _usual_metric(values) if type(values) is dict else None
        if value is None:
            value = _metric(Fields(inner.required(name, dict), f"{inner.place}.{name}"))
        found[name] = value
    return found


def _usual_metric(values: Mapping[str, Any]) -> MetricValue | None:
    """A metric all of whose fields are exactly what is written; ``None`` where any needs a closer look."""
    get = values.get
    value, bounds, n, scale = get("value"), get("ci95"), get("n"), get("scale")
    better, signature, reason = get("higher_is_better"), get("signature"), get("reason")
    if bounds is not None:
        if type(bounds) is not list or len(bounds) != 2 or type(bounds[0]) is not float or type(bounds[1]) is not float:
            return None
        bounds = (bounds[0], bounds[1])
    if (
        type(n) is int
        and (value is None or type(value) is float)
        and (scale is None or type(scale) is float)
        and (better is None or type(better) is bool)
        and (signature is None or type(signature) is str)
        and (reason is None or type(reason) is str)
        and get("failed") is None
    ):
        return MetricValue(value, bounds, n, scale, better, signature, reason)
    return None


def _metric(value: Fields) -> MetricValue:
    return MetricValue(
        value=value.optional("value", float),
        ci95=_bounds(value),
        n=value.required("n", int),
        scale=value.optional("scale", float),
        higher_is_better=value.optional("higher_is_better", bool),
        signature=value.optional("signature", str),
        reason=value.optional("reason", str),
        failed=bool(value.optional("failed", bool)),
    )


def _cost(cost: Fields) -> Cost:
    latency = cost.child("latency_ms")
    return Cost(
        wall_seconds=cost.required("wall_seconds", float),
        load_seconds=cost.optional("load_seconds", float),
        prompt_tokens=cost.optional("prompt_tokens", int),
        generated_tokens=cost.optional("generated_tokens", int),
        tokens_per_second=cost.optional("tokens_per_second", float),
        prefill_tokens_per_second=cost.optional("prefill_tokens_per_second", float),
        decode_tokens_per_second=cost.optional("decode_tokens_per_second", float),
        latency_ms_p50=latency.optional("p50", float),
        latency_ms_p95=latency.optional("p95", float),
        first_row_seconds=cost.optional("first_row_seconds", float),
        peak_memory_bytes=cost.optional("peak_memory_bytes", int),
        peak_memory_of=cost.optional("peak_memory_of", str),
        energy_joules=cost.optional("energy_joules", float),
        energy_generations=cost.optional("energy_generations", int),
        energy_of=cost.strings("energy_of"),
        flops=cost.optional("flops", float),
        flops_utilization=cost.optional("flops_utilization", float),
        device_peak_flops=cost.optional("device_peak_flops", float),
    )
