"""The cheap checks that an object passes before it is used as a task; rows are checked by ``grue.testing``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from grue.core.decoding import Decoding
from grue.core.errors import GrueError, TaskContractError
from grue.core.source import HubSource
from grue.core.task import PROFILES, MetricSpec, Quirk, RewardSpec, Suite, Task, Truncation


def check_structure(task: object, name: str, distribution: str) -> Task:
    """The object as a task.

    Args:
        task: What the plugin's ``TASK`` is.
        name: The name under which it was asked for.
        distribution: Who brings it, for the message.

    Raises:
        TaskContractError: names the plugin, what was found and what was expected.
    """
    if not isinstance(task, Task):
        raise _broken(name, distribution, f"TASK is {_described(task)}, not a grue.core.task.Task.")
    problem = _identity(task, name) or _profiles(task)
    if problem:
        raise _broken(name, distribution, problem)
    return task


def _broken(name: str, distribution: str, problem: str) -> TaskContractError:
    return TaskContractError(
        f"Task {name!r} of {distribution} breaks the task contract: {problem}",
        "Mend the plugin, then run 'grue tasks validate' on it.",
    )


_SUITE_TYPES: Mapping[str, type] = {
    "truncation": Truncation,
    "decoding": Decoding,
    "metrics": tuple,
    "primary": tuple,
    "rewards": tuple,
}


def suite_problem(suite: object, profile: str) -> str | None:
    """What is wrong with what ``suite(...)`` returned for a profile, or ``None``."""
    where = f"suite(...) for profile {profile!r}"
    if not isinstance(suite, Suite):
        return f"{where} returned {_described(suite)}, not a Suite."
    for field, kind in _SUITE_TYPES.items():
        value = getattr(suite, field)
        if not isinstance(value, kind):
            return f"{where}: {field} is {_described(value)}, not a {kind.__name__}."
    for field in ("rows", "postprocess"):
        value = getattr(suite, field)
        if not callable(value) and not (value is None and field == "postprocess"):
            return f"{where}: {field} is {_described(value)}, not a function."
    if not _is_one_of(suite.truncation.side, "left", "right"):
        return f"{where}: truncation.side is {suite.truncation.side!r}; it must be 'left' or 'right'."
    if not _is_positive(suite.truncation.max_tokens):
        return f"{where}: truncation.max_tokens is {suite.truncation.max_tokens!r}; it must be at least 1."
    return _names(suite, where)


def _names(suite: Suite, where: str) -> str | None:
    for field, kind in (("metrics", MetricSpec), ("rewards", RewardSpec)):
        specs = getattr(suite, field)
        if odd := _others(specs, kind):
            return f"{where}: {field} holds {_described(odd[0])} where a {kind.__name__} belongs."
        twice = [name for name, count in Counter(spec.name for spec in specs).items() if count > 1]
        if twice:
            return f"{where}: {field} name {twice[0]!r} twice."
    if not suite.primary:
        return f"{where}: primary is empty; name at least one metric."
    known = {spec.name for spec in suite.metrics}
    for primary in suite.primary:
        if primary not in known:
            return f"{where}: primary metric {primary!r} is not among its metrics ({', '.join(sorted(known))})."
    return None


def _identity(task: Task, name: str) -> str | None:
    if task.name != name:
        return f"its name is {task.name!r}, but its entry point or folder is named {name!r}."
    if not _is_positive(task.version):
        return f"version is {task.version!r}; it must be a whole number from 1 on."
    for field in ("title", "summary", "package"):
        value = getattr(task, field)
        if not isinstance(value, str) or not value.strip():
            return f"{field} is {value!r}; it must be text."
    if not _is_function(task.suite):
        return f"suite is {_described(task.suite)}, not a function of active quirk keys."
    if not _is_one_of(task.repeated_ids, "number", "refuse"):
        return f"repeated_ids is {task.repeated_ids!r}; it must be 'number' or 'refuse'."
    source: object = task.source
    if source is not None and not isinstance(source, HubSource):
        return f"source is {_described(source)}, not a HubSource or None."
    if odd := _others(task.quirks, Quirk):
        return f"quirks holds {_described(odd[0])} where a Quirk belongs."
    keys = [quirk.key for quirk in task.quirks]
    if len(set(keys)) != len(keys):
        return f"quirks repeat a key: {', '.join(keys)}."
    return None


def _profiles(task: Task) -> str | None:
    for profile in PROFILES:
        try:
            suite = task.profile(profile)
        except GrueError as error:
            return f"suite(...) for profile {profile!r} raised: {error.cause}"
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything, and its author is told what
            return f"suite(...) for profile {profile!r} raised {type(error).__name__}: {error}"
        if problem := suite_problem(suite, profile):
            return problem
    return None


def _is_positive(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_one_of(value: object, *allowed: str) -> bool:
    return value in allowed


def _is_function(value: object) -> bool:
    return callable(value)


def _others(values: Iterable[object], kind: type) -> list[object]:
    return [value for value in values if not isinstance(value, kind)]


def _described(value: object) -> str:
    return "None" if value is None else f"a {type(value).__name__}"
