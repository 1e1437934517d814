"""``submission.yaml``: what a published result says of itself, beside the manifest and the results of its run.

A folder with this file is a run that was published: its generations may be missing, all else is as in a run directory.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from grue.core.errors import RunDirectoryError
from grue.core.run import SCHEMA_VERSION
from grue.core.text import Json, nearest

SUBMISSION = "submission.yaml"
PROVENANCE = "provenance.json"
# How far the numbers are ours, the strongest first.
MARKS = ("verified", "rescored", "self-reported", "imported")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_MOST_BYTES = 1 << 16
_REQUIRED = ("name", "run_id", "description", "licence", "trained_on", "contamination", "mark", "command", "grue")
_KEYS = ("schema_version", *_REQUIRED, "url", "supersedes")
_FIX = "docs/publishing.md has the whole form; 'grue export RUN --to submission' writes it."


@dataclass(frozen=True, slots=True)
class Supersedes:
    """An earlier result that this one corrects; it stays readable.

    Attributes:
        run_id: Of the earlier run.
        reason: What was wrong with it, in a sentence.
        date: Day of the correction.
    """

    run_id: str
    reason: str
    date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What is said of a published result.

    Attributes:
        name: Name of its folder.
        run_id: Of the run that is published.
        description: What the system is.
        licence: Of the checkpoint or its outputs.
        trained_on: Data that it was trained on.
        contamination: What is known of test rows in that data.
        mark: ``verified``, ``rescored``, ``self-reported`` or ``imported``.
        command: The command line that made the run.
        grue_version: Version that made it.
        grue_commit: Its commit, where it was a checkout.
        url: Where there is more of it.
        supersedes: The result that it corrects.
    """

    name: str
    run_id: str
    description: str
    licence: str
    trained_on: str
    contamination: str
    mark: str
    command: str
    grue_version: str
    grue_commit: str | None = None
    url: str | None = None
    supersedes: Supersedes | None = None

    def to_json(self) -> dict[str, Json]:
        """The content of ``submission.yaml``, optional keys only where they say something."""
        found: dict[str, Json] = {
            "schema_version": SCHEMA_VERSION,
            "name": self.name,
            "run_id": self.run_id,
            "description": self.description,
            **({"url": self.url} if self.url else {}),
            "licence": self.licence,
            "trained_on": self.trained_on,
            "contamination": self.contamination,
            "mark": self.mark,
            "command": self.command,
            "grue": {"version": self.grue_version, "commit": self.grue_commit},
        }
        if self.supersedes is not None:
            earlier = self.supersedes
            found["supersedes"] = {
                "run_id": earlier.run_id,
                "reason": earlier.reason,
                "date": earlier.date.isoformat(),
            }
        return found


def read_submission(path: Path) -> Submission:
    """Read a ``submission.yaml``.

    Raises:
        RunDirectoryError: for a file that cannot be read, is no YAML mapping, is of a newer version, or has a key that
            is missing, unknown, twice there or of the wrong kind; names file and key.
    """
    values = _mapping(path)
    place = str(path)
    _check_version(values, place)
    for key in values:
        if key not in _KEYS:
            raise _fault(place, f"unknown key {key!r}.{nearest(str(key), _KEYS)}")
    made_with = _inner(values, "grue", place)
    earlier = values.get("supersedes")
    mark = _text(values, "mark", place)
    if mark not in MARKS:
        raise _fault(place, f"mark should be one of {', '.join(MARKS)}: found {mark!r}.{nearest(mark, MARKS)}")
    name = _text(values, "name", place)
    if not NAME.fullmatch(name):
        raise _fault(place, f"name: {name[:60]!r} is no name of letters, digits, '-', '_' and '.'.")
    url = _optional(values, "url", place)
    if url is not None and not url.startswith(("https://", "http://")):
        raise _fault(place, f"url should begin with https://: found {url[:60]!r}.")
    return Submission(
        name=name,
        run_id=_text(values, "run_id", place),
        description=_text(values, "description", place),
        licence=_text(values, "licence", place),
        trained_on=_text(values, "trained_on", place),
        contamination=_text(values, "contamination", place),
        mark=mark,
        command=_text(values, "command", place),
        grue_version=_text(made_with, "version", f"{place}: grue"),
        grue_commit=_optional(made_with, "commit", f"{place}: grue"),
        url=url,
        supersedes=_supersedes(_inner(values, "supersedes", place), place) if earlier is not None else None,
    )


def _mapping(path: Path) -> Mapping[str, Any]:
    import yaml

    place = str(path)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise _fault(place, f"is larger than {_MOST_BYTES:,} bytes.")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _fault(place, f"cannot be read: {error}.") from error
    try:
        # An alias may stand for a text of any size; nobody needs one here.
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise _fault(place, "holds an alias (*name).")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _fault(place, f"is no valid YAML: {' '.join(str(error).split())}.") from error
    if not isinstance(values, dict):
        raise _fault(place, "should hold keys and values.")
    keys = [key.value for key, _ in node.value]
    twice = next((key for at, key in enumerate(keys) if key in keys[:at]), None)
    if twice is not None:
        raise _fault(place, f"has the key {twice!r} twice.")
    return values


def _check_version(values: Mapping[str, Any], place: str) -> None:
    version = values.get("schema_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise _fault(place, f"schema_version should be {SCHEMA_VERSION}: found {version!r}.")
    if version > SCHEMA_VERSION:
        raise RunDirectoryError(
            f"schema_version is {version}; this version of grue reads up to {SCHEMA_VERSION}.",
            "Upgrade grue: pip install --upgrade grue",
            place=place,
        )


def _text(values: Mapping[str, Any], key: str, place: str) -> str:
    value = values.get(key)
    if not isinstance(value, str) or not value.strip():
        found = f"found {value!r:.60}" if value is not None else "it is missing"
        raise _fault(place, f"{key} should be a text: {found}.")
    return value.strip()


def _optional(values: Mapping[str, Any], key: str, place: str) -> str | None:
    return None if values.get(key) is None else _text(values, key, place)


def _inner(values: Mapping[str, Any], key: str, place: str) -> Mapping[str, Any]:
    value = values.get(key)
    if value is None and key == "supersedes":
        return {}
    if not isinstance(value, dict):
        raise _fault(place, f"{key} should hold keys and values: found {value!r:.60}.")
    return value


def _supersedes(values: Mapping[str, Any], place: str) -> Supersedes:
    inner = f"{place}: supersedes"
    day = values.get("date")
    if isinstance(day, str):
        try:
            day = date.fromisoformat(day)
        except ValueError:
            day = None
    if type(day) is not date:
        raise _fault(inner, f"date should be a day such as 2026-11-21: found {values.get('date')!r:.60}.")
    return Supersedes(_text(values, "run_id", inner), _text(values, "reason", inner), day)


def _fault(place: str, cause: str) -> RunDirectoryError:
    return RunDirectoryError(cause, _FIX, place=place)
