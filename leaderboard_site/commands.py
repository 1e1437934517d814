"""The command that makes a run again, from the arguments its manifest keeps."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from grue.core.text import Json

_FLAGS = {"model": "-m", "tasks": "-t", "limit": "-L", "generation": "-g", "settings": "--set", "batch_rows": "-b"}
_DEFAULTS: Mapping[str, Json] = {"profile": "standard", "samples": 1, "decoding": "task", "model_metrics": True}
_INPUTS = ("predictions", "run")


def command(arguments: Mapping[str, Json]) -> str:
    """The command line, one argument a line; values that are the command's defaults are left out.

    Args:
        arguments: Of the manifest; an unknown key becomes the flag of its name.
    """
    if harness := arguments.get("imported_from"):
        return f"grue import --from {shlex.quote(str(harness))} {shlex.quote(str(arguments.get('file')))}"
    source = next((str(arguments[key]) for key in _INPUTS if arguments.get(key)), None)
    lines = ["grue eval" if source is None else f"grue score {shlex.quote(source)}"]
    for name, value in arguments.items():
        is_empty = value is None or value is False or value in ("", [], {})
        if name not in _INPUTS and not is_empty and _DEFAULTS.get(name) != value:
            lines += _parts(name, value)
    if arguments.get("model_metrics") is False:
        lines.append("--no-model-metrics")
    return " \\\n  ".join(lines) if arguments else ""


def _parts(name: str, value: Json) -> list[str]:
    flag = _FLAGS.get(name, f"--{name.replace('_', '-')}")
    if value is True:
        return [flag]
    if name == "settings" and isinstance(value, Mapping):
        pairs = [(f"{family}.{key}", item) for family, keys in value.items() for key, item in _items(keys)]
        return [f"{flag} {shlex.quote(f'{key}={_text(item)}')}" for key, item in pairs]
    if isinstance(value, Mapping):
        joined = [f"{key}={_text(item)}" for key, item in value.items()]
        if name == "generation":
            return [f"{flag} {shlex.quote(','.join(joined))}"]
        return [f"{flag} {shlex.quote(pair)}" for pair in joined]
    if isinstance(value, Sequence) and not isinstance(value, str):
        if name in ("tasks", "metrics", "devices"):
            return [f"{flag} {shlex.quote(','.join(_text(item) for item in value))}"]
        return [f"{flag} {shlex.quote(_text(item))}" for item in value]
    return [f"{flag} {shlex.quote(_text(value))}"]


def _items(value: Json) -> list[tuple[str, Json]]:
    return list(value.items()) if isinstance(value, Mapping) else []


def _text(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
