"""What a row must be before anything runs on it; a task plugin that breaks this is named."""

from __future__ import annotations

from typing import Any

from grue.core.errors import TaskContractError
from grue.core.rows import Row
from grue.core.text import canonical_json


def check_row(task: str, row: object, place: str) -> None:
    """Check the types and texts of one row.

    Args:
        task: Name of the task, for the message.
        row: What the task's rows function gave.
        place: Place of the record it was made from.

    Raises:
        TaskContractError: names the field and what is wrong with it.
    """
    problem = _problem(row)
    if problem:
        raise TaskContractError(
            f"Task {task!r} gave a row that cannot be used: {problem}.",
            "Mend the rows function of the plugin.",
            place=place,
        )


def _problem(given: object) -> str:
    if not isinstance(given, Row):
        return f"it is a {type(given).__name__}, not a Row"
    row: Any = given  # a plugin may be untyped: what the dataclass says of its fields is checked here
    if not isinstance(row.id, str) or not row.id:
        return f"its id should be a non-empty string, found {row.id!r}"
    if not isinstance(row.prompt, str):
        return f"the prompt of row {row.id!r} is a {type(row.prompt).__name__}, not a string"
    if not isinstance(row.references, tuple) or not all(isinstance(text, str) for text in row.references):
        return f"the references of row {row.id!r} are no tuple of strings"
    for name, text in (("id", row.id), ("prompt", row.prompt), *(("reference", text) for text in row.references)):
        if not _is_unicode(text):
            return f"the {name} of row {row.id!r} holds half a surrogate pair"
    try:
        canonical_json(dict(row.inputs)).encode("utf-8")
    except (TypeError, ValueError) as error:
        return f"the inputs of row {row.id!r} are no JSON values: {error}"
    return ""


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
