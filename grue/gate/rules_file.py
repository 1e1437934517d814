"""Reads a gate file (TOML) into rules; every fault names file and key."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from grue.core.errors import UsageError
from grue.core.text import nearest
from grue.gate.rules import COSTS, KINDS, LEVEL, RATES, Kind, Rules, TaskRules, Uncertain, is_better_higher
from grue.gate.tolerance import Tolerance, parse_tolerance

MAX_DROP, MAX_RISE = "max_drop", "max_rise"
_TASK_KEYS = (MAX_DROP, "exact", *KINDS)
_DEFAULT_KEYS = (MAX_DROP, "exact", "rates", "cost")
_GATE_KEYS = ("baseline", "candidate", "level", "uncertain", "defaults", "tasks")
_POLICIES = ("warn", "fail")
_HIGHEST_LEVEL = 0.5


class GateFileError(UsageError):
    """A gate file is faulty; ``place`` names file and key."""


def read_rules(path: Path) -> Rules:
    """Read a gate file.

    Raises:
        GateFileError: for a file that cannot be read, is no TOML, or has an unknown key or a wrong value.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise GateFileError(
            "no such gate file.", "Name one with --config, or leave it out.", place=str(path)
        ) from error
    except OSError as error:
        raise GateFileError(f"cannot be read: {error.strerror or error}.", place=str(path)) from error
    except UnicodeDecodeError as error:
        raise GateFileError("is not UTF-8.", "Save it as UTF-8.", place=str(path)) from error
    except tomllib.TOMLDecodeError as error:
        raise GateFileError(f"is no valid TOML: {error}.", "Mend the line it names.", place=str(path)) from error
    whole = _Table(document, str(path), "")
    whole.refuse_others(("gate",))
    gate = whole.table("gate")
    if gate is None:
        raise GateFileError("holds no table [gate].", "Begin it with [gate] or [gate.tasks.NAME].", place=str(path))
    gate.refuse_others(_GATE_KEYS)
    defaults_table, tasks_table = gate.table("defaults"), gate.table("tasks")
    defaults = TaskRules()
    if defaults_table is not None:
        defaults_table.refuse_others(_DEFAULT_KEYS)
        defaults = _task_rules(defaults_table, TaskRules())
    tasks: dict[str, TaskRules] = {}
    for name in tasks_table.values if tasks_table else ():
        task = cast(_Table, tasks_table).table(name)
        if task is not None:
            task.refuse_others(_TASK_KEYS)
            tasks[name] = _task_rules(task, defaults)
    return Rules(
        level=gate.level(),
        uncertain=gate.policy(),
        # Tasks that are named are the gate, unless the defaults are written down too.
        defaults=defaults if defaults_table is not None or not tasks else None,
        tasks=tasks,
        place=str(path),
        baseline=gate.path_at("baseline", path.parent),
        candidate=gate.path_at("candidate", path.parent),
    )


@dataclass(frozen=True, slots=True)
class _Table:
    """A table that knows its file and key."""

    values: Mapping[str, Any]
    file: str
    key: str

    def fault(self, key: str, cause: str, fix: str = "") -> GateFileError:
        """An error at a key of this table, for the caller to raise."""
        return GateFileError(cause, fix, place=f"{self.file}: {self.path(key)}")

    def path(self, key: str) -> str:
        return f"{self.key}.{key}" if self.key else key

    def refuse_others(self, known: Sequence[str]) -> None:
        for key in self.values:
            if key not in known:
                raise self.fault(key, f"unknown key {key!r}.{nearest(key, known)}", f"Known here: {', '.join(known)}.")

    def table(self, key: str) -> _Table | None:
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.fault(key, f"should be a table: found {value!r}.")
        return _Table(value, self.file, self.path(key))

    def level(self) -> float:
        value = self.values.get("level", LEVEL)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < _HIGHEST_LEVEL:
            raise self.fault("level", f"should be a number between 0 and {_HIGHEST_LEVEL}: found {value!r}.")
        return float(value)

    def policy(self) -> Uncertain:
        value = self.values.get("uncertain", _POLICIES[0])
        if value not in _POLICIES:
            raise self.fault("uncertain", f"should be one of {', '.join(_POLICIES)}: found {value!r}.")
        return cast(Uncertain, value)

    def path_at(self, key: str, folder: Path) -> Path | None:
        """A path, which counts from the folder of the gate file."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            raise self.fault(key, f"should be a path: found {value!r}.")
        return folder / value

    def flag(self, key: str, default: bool) -> bool:
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise self.fault(key, f"should be true or false: found {value!r}.")
        return value

    def tolerance(self, key: str) -> Tolerance:
        value = self.values[key]
        found = parse_tolerance(value)
        if found is None:
            fix = f'Write {key} = 0.02 in the unit of the number, or {key} = "2%" of the baseline\'s value.'
            shown = value if isinstance(value, str) or not isinstance(value, float) else _plain(value)
            raise self.fault(key, f'should be a number of 0 or more, or a share such as "2%": found {shown!r}.', fix)
        return found


def _plain(value: float) -> object:
    return value if math.isfinite(value) else str(value)


def _task_rules(table: _Table, above: TaskRules) -> TaskRules:
    """The rules of a task's table, or of the defaults', over those above it."""
    named: dict[Kind, Mapping[str, Tolerance | None]] = dict(above.named)
    for kind in KINDS:
        if kind in table.values:
            named[kind] = {**above.named.get(kind, {}), **_named(table, kind)}
    return TaskRules(
        named=named,
        max_drop=table.tolerance(MAX_DROP) if MAX_DROP in table.values else above.max_drop,
        exact=table.flag("exact", above.exact),
        metrics_named="metrics" in table.values or "rewards" in table.values,
    )


def _named(table: _Table, kind: Kind) -> dict[str, Tolerance | None]:
    value = table.values[kind]
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        value = {name: {} for name in value}
    if not isinstance(value, dict):
        raise table.fault(kind, f"should be a table or a list of names: found {value!r}.")
    chosen = _Table(value, table.file, table.path(kind))
    return {name: _tolerance_of(chosen, kind, name) for name in value}


def _tolerance_of(chosen: _Table, kind: Kind, name: str) -> Tolerance | None:
    known = {"rates": RATES, "cost": COSTS}.get(kind)
    if known is not None and name not in known:
        raise chosen.fault(name, f"unknown name {name!r}.{nearest(name, known)}", f"Known here: {', '.join(known)}.")
    entry = chosen.table(name)
    if entry is None:
        raise chosen.fault(name, "should be a table.")
    entry.refuse_others((MAX_DROP, MAX_RISE))
    if MAX_DROP in entry.values and MAX_RISE in entry.values:
        raise entry.fault(MAX_RISE, f"{MAX_DROP} and {MAX_RISE} say the same.", "Give one of them.")
    if known is not None and MAX_RISE in entry.values and is_better_higher(kind, name):
        raise entry.fault(MAX_RISE, f"{name} should be high: a rise is no harm.", f"Write {MAX_DROP}.")
    key = MAX_RISE if MAX_RISE in entry.values else MAX_DROP
    if key not in entry.values:
        if kind == "cost":
            raise entry.fault(
                MAX_DROP,
                f"{name} changes from run to run and needs a tolerance.",
                f'Say {name} = {{{MAX_DROP} = "20%"}}.',
            )
        return None
    return entry.tolerance(key)
