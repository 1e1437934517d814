"""The contract suite of a task: what must hold before its numbers can be trusted."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from grue.core.errors import GrueError, TaskContractError
from grue.core.task import PROFILES, Suite, Task
from grue.data.location import DataLocation
from grue.metrics.build import entry
from grue.metrics.settings import resolve
from grue.registry.contract import check_structure
from grue.rewards.build import check_settings as check_reward
from grue.rewards.build import entry as reward_entry
from grue.testing.problems import Problem
from grue.testing.repeat import Rows, check_repeatable, find_splits, load_rows
from grue.testing.rows import check_rows, check_splits

CARD = "card.md"
# Published data repeat short texts between splits (a greeting, "Thank you."); rows inside a package need not.
NATURAL_REPEATS = 0.01


def check_task(task: object, data: Path | None = None) -> list[Problem]:
    """Check a task on its embedded rows or on a data folder.

    Args:
        task: What a plugin's ``TASK`` is.
        data: A folder ``DIR/<task>/<split>.jsonl|.parquet``; the rows inside the task's package where none is given.

    Returns:
        All problems found, in the order of the checks; empty where the task keeps the contract.
    """
    try:
        checked = check_structure(task, getattr(task, "name", "(without name)"), "this plugin")
    except TaskContractError as error:
        return [Problem("structure", error.cause.partition("breaks the task contract: ")[2] or error.cause, error.fix)]
    location = DataLocation("mini", None) if data is None else DataLocation("folder", data)
    problems = [*_card(checked)]
    for profile in PROFILES:
        problems += _names(checked.profile(profile), profile)
    splits = find_splits(checked, location)
    if not splits:
        return [*problems, _no_rows(checked, data)]
    with tempfile.TemporaryDirectory(prefix="grue-check-") as home:
        for profile in PROFILES:
            suite = checked.profile(profile)
            loaded: dict[str, Rows] = {}
            for split in splits:
                place = f"{profile}, {split}"
                rows = load_rows(checked, suite, split, location, Path(home))
                if isinstance(rows, Problem):
                    problems.append(rows)
                    continue
                faults = list(check_rows(suite, rows, place))
                problems += faults
                if any(fault.check == "rows" for fault in faults):
                    continue
                loaded[split] = rows
                problems += check_repeatable(checked, suite, split, location, Path(home), rows, place)
            problems += check_splits(loaded, profile, tolerated=0.0 if data is None else NATURAL_REPEATS)
            problems += _postprocess(suite, profile, loaded)
    return list(dict.fromkeys(problems))


def _card(task: Task) -> Iterator[Problem]:
    try:
        card = files(task.package) / CARD
        text = card.read_text(encoding="utf-8") if card.is_file() else ""
    except (ModuleNotFoundError, UnicodeDecodeError) as error:
        yield Problem("card", f"{CARD} of package {task.package!r} cannot be read: {error}.", "Set package=__name__.")
        return
    if not text.strip():
        yield Problem(
            "card",
            f"Package {task.package!r} has no {CARD}.",
            "Write beside __init__.py what the task measures, its licence, citation and known weaknesses.",
        )
    for field in ("licence", "citation"):
        if not getattr(task, field).strip():
            yield Problem("card", f"The task's {field} is empty.", f"Set Task({field}=...).")


def _names(suite: Suite, profile: str) -> Iterator[Problem]:
    """Metrics, rewards and their settings must be known by name; they need not be installed."""
    for spec in suite.metrics:
        try:
            resolve(entry(spec.name).family, spec.settings)
        except GrueError as error:
            yield Problem("metrics", error.cause, error.fix, f"{profile}, metric {spec.name}")
    for reward in suite.rewards:
        try:
            reward_entry(reward.name)
            check_reward({reward.name: reward.settings})
        except GrueError as error:
            yield Problem("metrics", error.cause, error.fix, f"{profile}, reward {reward.name}")


def _postprocess(suite: Suite, profile: str, loaded: dict[str, Rows]) -> Iterator[Problem]:
    """Post-processing must take any text, also none, and give text."""
    if suite.postprocess is None:
        return
    texts = ["", " \n"] + [text for rows in loaded.values() for row in rows[:20] for text in row.references]
    for text in texts:
        try:
            result: object = suite.postprocess(text)
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything
            found = f"raised {type(error).__name__}: {error}"
        else:
            if isinstance(result, str):
                continue
            found = f"gave a {type(result).__name__}"
        yield Problem(
            "postprocess", f"postprocess({text[:40]!r}) {found}.", "It must give text for every text.", profile
        )
        return


def _no_rows(task: Task, data: Path | None) -> Problem:
    if data is None:
        return Problem(
            "rows",
            f"Package {task.package!r} holds no embedded rows.",
            "Put data/test.jsonl (and train, validation) beside __init__.py, and into the distribution.",
        )
    names = " or ".join(str(data / name) for name in (task.name, *task.folders))
    return Problem("rows", f"No <split>.jsonl or <split>.parquet in {names}.", "Name a data folder with --data.")
