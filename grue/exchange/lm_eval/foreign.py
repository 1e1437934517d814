"""Results of lm-evaluation-harness as values, read from its results JSON; every fault names file and key."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grue.core.errors import GrueError, RunDirectoryError
from grue.core.text import Json
from grue.exchange.lm_eval.names import ABOUT, NOT_AVAILABLE, STDERR, split_key
from grue.runs.fields import Fields

_FIX = "Give the results of lm-evaluation-harness 0.4 as it wrote them (--output_path, --log_samples)."
# What the harness reports where it computed no metric at all (--predict_only).
_BYPASS = "bypass"
# The harness puts the time behind whatever name --output_path gives.
_TIMED = re.compile(r".*_\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(\.\d+)?")
_MOST_DIGITS = 300  # a float holds no whole number of more than 308
_SPLITS = ("test_split", "validation_split")


class ForeignResultsError(GrueError):
    """A file of another harness is not what that harness writes; ``place`` names file and key."""


@dataclass(frozen=True, slots=True)
class ForeignValue:
    """A metric of a task, as the harness reports it.

    Attributes:
        metric: Its name there.
        filter: The filter whose texts it scored.
        value: ``None`` where the harness gives no number.
        stderr: Standard error; ``None`` where it gives none.
        n: Documents behind it, where that is not the task's number.
        found: What stands in the place of the value where that is no number.
    """

    metric: str
    filter: str
    value: float | None
    stderr: float | None
    n: int | None
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignTask:
    """A task, or a group of tasks with values of its own.

    Attributes:
        name: Its name there.
        version: As text; empty where it has none.
        is_group: Whether its values are made from those of other tasks.
        n_shot: Examples in the prompt.
        original: Documents of the split; ``None`` where it is not said.
        effective: Documents that were evaluated.
        directions: Metric -> whether higher is better.
        config: What the harness says of the task.
        values: Of all metrics and filters, in the file's order.
    """

    name: str
    version: str
    is_group: bool
    n_shot: int
    original: int | None
    effective: int
    directions: Mapping[str, bool | None]
    config: Mapping[str, Any]
    values: tuple[ForeignValue, ...]

    @property
    def split(self) -> str:
        """The split that was evaluated."""
        return next((str(self.config[key]) for key in _SPLITS if self.config.get(key)), "test")

    @property
    def output_type(self) -> str:
        """``generate_until``, ``multiple_choice``, ``loglikelihood`` …; empty where it is not said."""
        return str(self.config.get("output_type") or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignRun:
    """One results file.

    Attributes:
        path: Of the file.
        time: The time in its name, which its samples' files share; empty where there is none.
        model: The model's name.
        engine: What ran it (``hf``, ``vllm`` …).
        config: The call.
        version: Of the harness.
        created_at: RFC 3339 in UTC.
        has_chat_template: Whether prompts went through one.
        document: The whole file.
    """

    path: Path
    time: str
    model: str
    engine: str | None
    config: Mapping[str, Any]
    version: str
    created_at: datetime
    has_chat_template: bool
    tasks: tuple[ForeignTask, ...]
    document: Mapping[str, Any]


def find_results(source: Path) -> Path:
    """The results file that a user means by a file or a folder.

    Raises:
        ForeignResultsError: where there is none, or several.
    """
    if source.is_file():
        return source
    if not source.is_dir():
        raise ForeignResultsError("no such file or folder.", _FIX, place=str(source))
    listed = sorted(path for path in source.rglob("*.json") if path.is_file())
    found = [path for path in listed if path.name.startswith("results") or _TIMED.fullmatch(path.stem)]
    if not found:
        raise ForeignResultsError("holds no results_*.json of lm-evaluation-harness.", _FIX, place=str(source))
    if len(found) > 1:
        shown = ", ".join(str(path.relative_to(source)) for path in found[:5]) + (" …" if len(found) > 5 else "")
        raise ForeignResultsError(
            f"holds {len(found)} results files: {shown}.",
            f"Import them one by one, each into a folder of its own: grue import --from lm-eval {found[0]} -o OUT",
            place=str(source),
        )
    return found[0]


def read_results(path: Path) -> ForeignRun:
    """Read a results file.

    Raises:
        ForeignResultsError: where it is damaged or lacks what makes it one.
    """
    try:
        return _read(path)
    except RunDirectoryError as error:
        raise ForeignResultsError(error.cause, _FIX, place=error.place) from error


def parsed(text: str, place: str, fix: str) -> dict[str, Any]:
    """A JSON object; NaN and infinite numbers, which the harness writes and JSON does not know, become null, as do
    numbers beyond a float.

    Raises:
        ForeignResultsError: for anything else.
    """
    try:
        values = json.loads(
            text,
            parse_constant=lambda _: None,
            parse_float=lambda digits: _finite(float(digits)),
            parse_int=lambda digits: int(digits) if len(digits) < _MOST_DIGITS else None,
        )
        json.dumps(values, ensure_ascii=False).encode("utf-8")  # half a character cannot be stored
    except (ValueError, RecursionError) as error:
        raise ForeignResultsError(f"is no valid JSON: {error}.", fix, place=place) from error
    if not isinstance(values, dict):
        raise ForeignResultsError("should hold a JSON object.", fix, place=place)
    return values


def _read(path: Path) -> ForeignRun:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ForeignResultsError(f"cannot be read: {error}.", _FIX, place=str(path)) from error
    values = parsed(text, str(path), _FIX)
    document = Fields(values, str(path))
    document.required("results", dict)
    config = document.child("config")
    time = path.stem.rpartition("_")[2] if "_" in path.stem else ""
    tasks = tuple(task for name, one in document.children("results") if (task := _task(name, one, document)).values)
    if not tasks:
        raise document.fault("results holds no value of any task (--predict_only computes none).")
    return ForeignRun(
        path=path,
        time=time,
        model=_model(document, config),
        engine=config.optional("model", str),
        config=config.values,
        version=document.optional("lm_eval_version", str) or "unknown",
        created_at=_moment(document, time),
        has_chat_template=bool(values.get("chat_template") or values.get("chat_template_sha")),
        tasks=tasks,
        document=values,
    )


def _task(name: str, one: Fields, document: Fields) -> ForeignTask:
    config, counts = document.child("configs").child(name), document.child("n-samples").child(name)
    directions = document.child("higher_is_better").child(name)
    version, shots = document.child("versions").values.get(name), document.child("n-shot").values.get(name)
    effective = counts.optional("effective", int) or one.optional("sample_len", int) or 0
    known = {metric: directions.optional(metric, bool) for metric in directions.values}
    for listed in config.optional("metric_list", list) or []:
        if isinstance(listed, dict) and isinstance(listed.get("higher_is_better"), bool):
            known.setdefault(str(listed.get("metric")), listed["higher_is_better"])
    children = document.child("group_subtasks").optional(name, list)
    return ForeignTask(
        name=name,
        version="" if version is None else str(version),
        is_group=bool(children),
        n_shot=shots if isinstance(shots, int) and not isinstance(shots, bool) else 0,
        original=counts.optional("original", int),
        effective=effective,
        directions=known,
        config=config.values,
        values=tuple(_values(one)),
    )


def _values(one: Fields) -> list[ForeignValue]:
    counts = one.child("sample_count")
    found = []
    for key, value in one.values.items():
        metric, filter_name = split_key(key)
        if key in ABOUT or metric.endswith(STDERR) or metric == _BYPASS:
            continue
        beside = f"{metric}{STDERR},{filter_name}" if "," in key else f"{metric}{STDERR}"
        stderr = one.values.get(beside)
        if stderr not in (None, NOT_AVAILABLE) and (not _is_number(stderr) or stderr < 0):
            raise one.fault(f"{beside} should be a number from 0 or {NOT_AVAILABLE}: found {stderr!r:.60}.")
        number = _finite(value)
        found.append(
            ForeignValue(
                metric,
                filter_name,
                number,
                _finite(stderr),
                counts.optional(key, int),
                "" if number is not None else f"{value!r:.60}",
            )
        )
    return found


def _model(document: Fields, config: Fields) -> str:
    """The name that the harness gives, else what its call says."""
    if name := document.optional("model_name", str):
        return str(name)
    arguments: Any = config.values.get("model_args")
    if isinstance(arguments, dict) and isinstance(arguments.get("pretrained"), str):
        return str(arguments["pretrained"])
    if isinstance(arguments, str) and "pretrained=" in arguments:
        return arguments.partition("pretrained=")[2].partition(",")[0]
    return str(config.required("model", str))


def _moment(document: Fields, time: str) -> datetime:
    """When the evaluation began; else when the file says by its name that it was written."""
    date = document.optional("date", float)
    try:
        if date is not None:
            return datetime.fromtimestamp(date, UTC)
        day, _, clock = time.partition("T")
        return datetime.fromisoformat(f"{day}T{clock.replace('-', ':')}").replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        raise document.fault(f"date should be seconds since 1970: found {document.values.get('date')!r:.40}.") from None


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _finite(value: Any) -> float | None:
    return float(value) if _is_number(value) and math.isfinite(value) else None
