"""Options that several commands share, and how their text is read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from grue.core.errors import UsageError
from grue.core.task import PROFILES, Setting
from grue.core.text import nearest

Tasks = Annotated[
    str,
    typer.Option(
        "-t", "--tasks", help="Tasks or groups, comma-separated: a name, `grue` (the paper's seven) or `all`."
    ),
]
Split = Annotated[
    str | None,
    typer.Option(
        "--split",
        help="train, validation, test, or another file of the data folder. "
        "[default: test; validation where the hub withholds test references]",
    ),
]
Data = Annotated[
    str | None,
    typer.Option("--data", help="mini (rows inside the package), hub, or a folder. [default: $GRUE_DATA, else hub]"),
]
Limit = Annotated[
    int | None,
    typer.Option("-L", "--limit", min=1, help="Rows a task: the same nested subset for every model. [default: all]"),
]
Profile = Annotated[str, typer.Option("--profile", help="standard or grue-paper.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="FAMILY.key=value, a metric's setting or TASK.quirk=true|false; repeatable."),
]
Metrics = Annotated[
    str | None, typer.Option("--metrics", help="Comma-separated metric names instead of the task's suite.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, nothing else there.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress.")]
Offline = Annotated[bool, typer.Option("--offline", help="Look at local files only.")]
Output = Annotated[
    Path | None, typer.Option("-o", "--output", help="Run directory. [default: $GRUE_RESULTS_DIR/NAME-IDENTITY]")
]
NoModelMetrics = Annotated[bool, typer.Option("--no-model-metrics", help="Leave out metrics that need a model.")]
Meta = Annotated[list[str] | None, typer.Option("--meta", help="k=v, what you declare about the model; repeatable.")]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Start anew beside a run that is there; it is kept until the end.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 3 where a metric is absent.")]


def go_offline(offline: bool) -> None:
    """Keep this process off the network; libraries read the variable when they are first imported."""
    if offline:
        os.environ["HF_HUB_OFFLINE"] = "1"


def parse_pairs(flag: str, items: Sequence[str] | None) -> dict[str, str]:
    """``k=v`` items as a mapping.

    Raises:
        UsageError: where an item is not of that form.
    """
    values = {}
    for item in items or ():
        key, equals, value = item.partition("=")
        if not (equals and key.strip()):
            raise UsageError(f"{flag}: {item!r} is not of the form key=value.", f"For example: {flag} licence=MIT")
        values[key.strip()] = value
    return values


def included(ctx: typer.Context) -> tuple[Path, ...]:
    """The folders given with ``--include``."""
    return tuple(ctx.obj or ())


def profile_name(name: str) -> str:
    """Check a profile's name.

    Raises:
        UsageError: for an unknown one.
    """
    if name not in PROFILES:
        raise UsageError(
            f"--profile: unknown profile {name!r}.{nearest(name, PROFILES)}", f"Profiles: {', '.join(PROFILES)}."
        )
    return name


def parse_settings(items: Sequence[str] | None) -> dict[str, dict[str, Setting]]:
    """Read ``--set FAMILY.key=value`` items into family -> key -> typed value.

    Raises:
        UsageError: where an item is not of that form.
    """
    settings: dict[str, dict[str, Setting]] = {}
    for item in items or ():
        name, equals, raw = item.partition("=")
        family, dot, key = name.rpartition(".")
        if not (equals and dot and family and key):
            raise UsageError(
                f"--set: {item!r} is not of the form FAMILY.key=value.", "For example: --set rouge.use_stemmer=false"
            )
        settings.setdefault(family.strip(), {})[key.strip()] = _typed(raw.strip())
    return settings


def _typed(raw: str) -> Setting:
    if raw.lower() in ("true", "false"):
        return raw.lower() == "true"
    for kind in (int, float):
        try:
            return kind(raw)
        except ValueError:
            continue
    return raw
