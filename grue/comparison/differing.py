"""In what two comparable runs differ: model, decoding, engine, number type, seed, environment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from grue.comparison.values import Setting
from grue.runs.read import StoredRun

_OF_RUN = ("model", "seed", "grue", "environment")
_OF_TASK = ("profile", "quirks", "limit", "samples", "generation")
NOTHING = "–"


def differing(baseline: StoredRun, candidate: StoredRun, tasks: Sequence[str]) -> tuple[Setting, ...]:
    """Settings of the manifests that differ, those of the whole run first.

    A setting that differs alike in all tasks is told once, without a task.

    Args:
        baseline: The first run.
        candidate: The other.
        tasks: Tasks that are compared.
    """
    found = list(_between("", baseline.manifest, candidate.manifest, _OF_RUN))
    by_task = [
        setting
        for task in tasks
        for setting in _between(task, baseline.manifest["tasks"][task], candidate.manifest["tasks"][task], _OF_TASK)
    ]
    alike: dict[tuple[str, str, str], list[Setting]] = {}
    for setting in by_task:
        alike.setdefault((setting.name, setting.baseline, setting.candidate), []).append(setting)
    for (name, left, right), settings in alike.items():
        if len(settings) == len(tasks) > 1:
            found.append(Setting("", name, left, right))
        else:
            found += settings
    return tuple(found)


def _between(task: str, left: Mapping[str, Any], right: Mapping[str, Any], names: Iterable[str]) -> Iterator[Setting]:
    ours = dict(_flat({name: left.get(name) for name in names}))
    theirs = dict(_flat({name: right.get(name) for name in names}))
    for name in dict.fromkeys((*ours, *theirs)):
        if ours.get(name, NOTHING) != theirs.get(name, NOTHING):
            yield Setting(task, name, ours.get(name, NOTHING), theirs.get(name, NOTHING))


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, inner in value.items():
        name = f"{prefix}{key}"
        if isinstance(inner, Mapping):
            yield from _flat(inner, f"{name}.")
        elif isinstance(inner, list | tuple):
            yield name, ", ".join(map(str, inner)) or NOTHING
        else:
            yield name, NOTHING if inner is None else str(inner).lower() if isinstance(inner, bool) else str(inner)
