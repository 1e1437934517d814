"""From rules and a baseline to the checks that are made: every name in a gate file must stand for something."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from grue.core.text import nearest
from grue.gate.rules import COSTS, RATES, Kind, Rules, TaskRules
from grue.gate.rules_file import GateFileError
from grue.gate.side import Side, check_name, value_of
from grue.gate.tolerance import Tolerance

EXACT = "exact"


@dataclass(frozen=True, slots=True)
class Planned:
    """One check to make.

    Attributes:
        name: As in a check.
        kind: ``None`` for ``exact``.
        tolerance: ``None`` for ``exact``.
        higher_is_better: Direction of the number; ``None`` for ``exact``.
    """

    task: str
    name: str
    kind: Kind | None
    tolerance: Tolerance | None
    higher_is_better: bool | None


@dataclass(frozen=True, slots=True)
class GatePlan:
    """All checks, task by task in the baseline's order, and what is not gated and why."""

    checks: tuple[Planned, ...]
    notes: tuple[str, ...]


def plan_checks(rules: Rules, baseline: Side, known_tasks: Iterable[str] = ()) -> GatePlan:
    """Lay the rules over what the baseline holds.

    Args:
        rules: The gate.
        baseline: The baseline.
        known_tasks: Tasks that are installed, for a helpful message.

    Raises:
        GateFileError: for a task or metric that the baseline does not have, or one without a direction; names file
            and key.
    """
    held = baseline.results.tasks
    for name in rules.tasks:
        if name not in held:
            raise GateFileError(
                _unknown_task(name, held, known_tasks),
                f"The baseline holds: {', '.join(held) or 'no task'}.",
                place=f"{rules.place}: gate.tasks.{name}",
            )
    checks: list[Planned] = []
    notes: list[str] = []
    left_out: list[str] = []
    for task in held:
        asked = rules.of(task)
        if asked is None:
            left_out.append(task)
            continue
        checks += _checks(task, asked, baseline, rules, notes)
    if left_out:
        notes.append(
            f"Not gated, as {rules.place} names other tasks and has no [gate.defaults]: {', '.join(left_out)}."
        )
    return GatePlan(tuple(checks), tuple(notes))


def _unknown_task(name: str, held: Iterable[str], known: Iterable[str]) -> str:
    installed = set(known)
    if name in installed:
        return f"the baseline has no task {name!r}."
    return f"unknown task {name!r}.{nearest(name, [*held, *sorted(installed)])}"


def _checks(task: str, asked: TaskRules, baseline: Side, rules: Rules, notes: list[str]) -> Iterator[Planned]:
    if asked.exact:
        yield Planned(task, EXACT, None, None, None)
    if not asked.metrics_named:
        yield from _first_primary(task, asked, baseline, notes)
    for kind, names in asked.named.items():
        for name, tolerance in names.items():
            place = f"{rules.place}: gate.tasks.{task}.{kind}.{name}"
            direction = _direction(task, kind, name, baseline, place)
            yield Planned(task, check_name(kind, name), kind, tolerance or asked.max_drop, direction)


def _first_primary(task: str, asked: TaskRules, baseline: Side, notes: list[str]) -> Iterator[Planned]:
    """The first primary metric that the baseline has a value of; one that is absent there guards nothing."""
    result = baseline.results.tasks[task]
    primary = baseline.manifest.tasks[task].primary
    for name in primary:
        value = result.metrics.get(name)
        if value is not None and value.value is not None and value.higher_is_better is not None:
            yield Planned(task, name, "metrics", asked.max_drop, value.higher_is_better)
            return
        reason = (value.reason if value else None) or "it has no direction"
        notes.append(f"{task}: {name} is not gated: the baseline has no value of it ({reason}).")
    if not asked.exact:
        notes.append(f"{task} is not gated: no primary metric of the baseline has a value and a direction.")


def _direction(task: str, kind: Kind, name: str, baseline: Side, place: str) -> bool:
    if kind in ("rates", "cost"):
        return (RATES if kind == "rates" else COSTS)[name]
    result = baseline.results.tasks[task]
    names: Mapping[str, object] = result.metrics if kind == "metrics" else result.rewards
    value = value_of(result, check_name(kind, name))
    if value is None:
        word = "metric" if kind == "metrics" else "reward"
        raise GateFileError(
            f"the baseline has no {word} {name!r}.{nearest(name, names)}",
            f"It holds: {', '.join(names) or 'none'}.",
            place=place,
        )
    if value.higher_is_better is not None:
        return value.higher_is_better
    if value.signature is None:
        raise GateFileError(
            f"{name} is absent in the baseline: {value.reason}.",
            "Make the baseline where it can be computed, or take the name out.",
            place=place,
        )
    raise GateFileError(
        f"{name} has no direction: more of it is neither better nor worse.", "Take it out.", place=place
    )
