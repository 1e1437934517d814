"""What was run: the facts of a run page, and how each task was generated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grue.comparison.standings_runs import BoardRun, TaskResult
from grue.core.task import STANDARD
from leaderboard_site.cards import Card
from leaderboard_site.numbers import NONE, bytes_, count, duration, moment, size
from leaderboard_site.pages.frame import Fact

_FILES = {
    "manifest.json": "what was run",
    "samples": "generations with their scores",
    "statistics": "what intervals are made from",
    "events.jsonl": "log",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodingRow:
    """How one task was asked and generated.

    Attributes:
        asked: Version, and the profile where it is not the usual one.
        data: What was read, with its revision.
        rows: Rows asked for, and samples of each where there are several.
        data_sha256: Fingerprint of the rows with references; ``prompts_sha256`` of the prompts alone.
    """

    title: str
    asked: str
    data: str
    rows: str
    data_sha256: str
    prompts_sha256: str
    new_tokens: str
    method: str
    prompt: str


def facts(run: BoardRun) -> tuple[Fact, ...]:
    """Who generated, with what, when."""
    manifest, model = run.manifest, run.manifest.model
    found = [Fact("Run", run.id, is_code=True), Fact("Model", run.source, is_code=True)]
    if behind := model.endpoint:
        told = f"{behind.address}, {behind.server or 'of an unknown version'}; {behind.mark}"
        found.append(Fact("Endpoint", told))
    if model.revision:
        found.append(Fact("Revision", model.revision, is_code=True))
    parameters = f"{size(run.parameters)} parameters" if run.parameters is not None else None
    if shape := ", ".join(part for part in (model.architecture, parameters, model.dtype) if part):
        found.append(Fact("Architecture", shape))
    if model.weights_sha256:
        name = {"predictions": "Predictions", "imported": "Imported values and texts"}.get(run.kind, "Weights")
        found.append(Fact(name, f"sha256:{model.weights_sha256}", is_code=True))
    found += [
        Fact(name.replace("_", " ").capitalize(), value)
        for name, value in sorted(model.meta.items())
        if name not in ("licence", "license")
    ]
    if run.licence:
        found.append(Fact("Licence", f"{run.licence}, as declared"))
    found += _published(run)
    found.append(Fact("Engine", f"{model.engine or 'none'}, seed {manifest.seed}"))
    seconds = sum(result.cost.wall_seconds for result in run.tasks.values())
    found.append(Fact("Made", f"{moment(run.created_at)}, {duration(seconds)}"))
    commit = manifest.grue.get("commit")
    found.append(Fact("grue", (manifest.grue.get("version") or "unknown") + (f" at {commit[:10]}" if commit else "")))
    found.append(Fact("Identity", manifest.identity, is_code=True))
    return tuple(found)


def _published(run: BoardRun) -> list[Fact]:
    """What is said of a published result, and that its generations are not here."""
    published = run.stored.submission
    if published is None:
        return []
    found = [Fact("Published as", published.name), Fact("Description", published.description)]
    if published.url:
        found.append(Fact("More", published.url, href=published.url))
    found += [
        Fact("Licence of the system", published.licence),
        Fact("Trained on", published.trained_on),
        Fact("Contamination", published.contamination),
        Fact("Made by", published.command, is_code=True),
    ]
    if earlier := published.supersedes:
        found.append(Fact("Supersedes", f"{earlier.run_id}, {earlier.date.isoformat()}: {earlier.reason}"))
    if not any(run.stored.has_samples(name) for name in run.tasks):
        found.append(Fact("Samples", "not published"))
    return found


def machine(run: BoardRun) -> tuple[Fact, ...]:
    """The environment as the manifest records it."""
    found = []
    for name, value in run.manifest.environment.items():
        if isinstance(value, Mapping):
            text = ", ".join(f"{key} {item}" for key, item in value.items() if item is not None)
        elif isinstance(value, list):
            text = ", ".join(str(item) for item in value)
        elif value is None:
            continue
        else:
            text = bytes_(value) if name.endswith("_bytes") and isinstance(value, int) else str(value)
        found.append(Fact(name.removesuffix("_bytes").replace("_", " ").capitalize(), text))
    return tuple(found)


def decoding(result: TaskResult, card: Card) -> DecodingRow:
    """How one task was asked and generated."""
    settings = result.generation

    def value(key: str, otherwise: float) -> float:
        found = settings.get(key)
        return found if isinstance(found, int | float) else otherwise

    if not settings:
        method = "no model ran"
    elif settings.get("do_sample"):
        parts = [f"T {value('temperature', 1.0):g}"]
        parts += [f"top-k {value('top_k', 0):g}"] if value("top_k", 0) else []
        parts += [f"top-p {value('top_p', 1):g}"] if value("top_p", 1) < 1 else []
        method = f"sampling, {', '.join(parts)}"
    else:
        beams = value("num_beams", 1)
        method = f"beam {beams:g}" if beams > 1 else "greedy"
    low, high = value("min_new_tokens", 0), settings.get("max_new_tokens")
    tokens = f"{low:g}–{high}" if low and high else (str(high) if high else NONE)
    truncation = settings.get("truncation")
    cut = truncation if isinstance(truncation, Mapping) else settings
    prompt = NONE
    if cut.get("side") and cut.get("max_tokens"):
        prompt = f"{cut['side']} {cut['max_tokens']}"
    version = f"{result.version}" + (f", {result.profile}" if result.profile != STANDARD else "")
    revision = f" at {result.data.revision[:10]}" if result.data.revision else ""
    samples = f" × {count(result.samples)} samples" if result.samples > 1 else ""
    return DecodingRow(
        title=card.title,
        asked=version,
        data=f"{result.data.id or result.data.source}{revision}, {result.split}",
        rows=f"{count(result.expected)} of {count(result.data.rows)}{samples}",
        data_sha256=result.data.sha256,
        prompts_sha256=result.prompts_sha256,
        new_tokens=tokens,
        method=method,
        prompt=prompt,
    )


def files(run: BoardRun) -> tuple[tuple[str, str, str], ...]:
    """Path, meaning and checksum of each file of the run directory."""
    return tuple(
        (path, next((meaning for start, meaning in _FILES.items() if path.startswith(start)), ""), digest)
        for path, digest in sorted(run.results.files.items())
    )
