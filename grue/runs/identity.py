"""A run's identity: one hash over all that determines its numbers, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from grue.core.run import ModelInfo, TaskManifest
from grue.core.text import Json, canonical_json, sha256_text

# Raised when the document below changes its form, so that identities of two forms never meet by chance.
IDENTITY_FORM = 1
NAME_CHARACTERS = 60


def run_identity(model: ModelInfo, tasks: Mapping[str, TaskManifest], seed: int) -> str:
    """SHA-256 over all that determines a run's numbers, as 64 hex digits.

    Left out are what cannot change a number: display name, address of the weights, declared meta, devices,
    batch sizes, the place the rows were read from.
    """
    return sha256_text(canonical_json(identity_document(model, tasks, seed)))


def identity_document(model: ModelInfo, tasks: Mapping[str, TaskManifest], seed: int) -> dict[str, Json]:
    """What the identity is the hash of.

    For a prediction file, and for results of another harness, the hash of its canonical content stands for weights,
    tokenizer, engine, number type and decoding; for null systems and the oracle their name does; for a model behind
    an endpoint its address, its name there and the server's version do, as nobody saw weights. The seed counts for
    all: it also draws the resamples behind the intervals.
    """
    generated = model.kind not in ("predictions", "imported", "null", "oracle")
    document: dict[str, Json] = {
        "form": IDENTITY_FORM,
        "seed": seed,
        "tasks": {name: _task(task, generated=generated) for name, task in tasks.items()},
    }
    if model.kind in ("predictions", "imported"):
        return {**document, "model": {f"{model.kind}_sha256": model.weights_sha256}}
    if not generated:
        return {**document, "model": {"system": model.source}}
    if model.endpoint is not None:
        endpoint = model.endpoint
        behind: dict[str, Json] = {
            "endpoint": endpoint.address,
            "name": endpoint.model,
            "server": endpoint.server,
            "engine": model.engine,
        }
        return {**document, "model": behind}
    weights: dict[str, Json] = {
        "weights_sha256": model.weights_sha256,
        "tokenizer_sha256": model.tokenizer_sha256,
        "architecture": model.architecture,
        "engine": model.engine,
        "dtype": model.dtype,
    }
    return {**document, "model": weights}


def folder_name(name: str, identity: str) -> str:
    """``<name>-<first 10 of the identity>``, the name made fit for any file system."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:NAME_CHARACTERS] or "run"
    return f"{safe}-{identity[:10]}"


def timestamp() -> str:
    """The time now, RFC 3339 in UTC to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def new_run_id() -> str:
    """A fresh ULID: 26 characters that sort by time."""
    from ulid import ULID

    return str(ULID())


def _task(task: TaskManifest, *, generated: bool) -> dict[str, Json]:
    document: dict[str, Json] = {
        "version": task.version,
        "profile": task.profile,
        "quirks": sorted(task.quirks),
        "split": task.split,
        "data_sha256": task.data.sha256,
        "prompts_sha256": task.prompts_sha256,
        "samples": task.samples,
        "metrics": dict(task.metrics),
        "rewards": dict(task.rewards),
    }
    if generated:
        document["generation"] = dict(task.generation)
    return document
