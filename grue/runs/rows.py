"""Whether the rows that a run stores are those its manifest says: order, number and fingerprints.

``read_run`` checks that files are what was written, which costs no parsing. This reads the rows themselves, so that
it also finds rows that were exchanged before hashes were made anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from grue.core.errors import RunDirectoryError
from grue.core.rows import Row, data_sha256, prompts_sha256
from grue.runs.read import MANIFEST, StoredRun
from grue.runs.tables import samples_table

PROMPT = "prompt"
ORACLE = "oracle"
IMPORTED = "imported"
RESTORE = "Restore the files, or run again with --fresh; 'grue verify' names all that differs."
_NEEDED = ("id", "sample", "references", "prediction", "inputs")
_COLUMNS = ("id", "sample", "references", "inputs", "prediction", "raw")


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with the rows of a task, and file and key or row where it shows."""

    place: str
    cause: str


def row_of(line: Mapping[str, Any]) -> Row:
    """The row of a line of ``samples/<task>.parquet``."""
    inputs = json.loads(line["inputs"])
    prompt = inputs.pop(PROMPT, None) or ""
    return Row(line["id"], prompt, tuple(line["references"]), inputs)


def check_rows(stored: StoredRun, task: str) -> None:
    """Refuse a task whose rows are not those of the manifest.

    Raises:
        RunDirectoryError: names file and key of the first fault.
    """
    for fault in row_faults(stored, task):
        raise RunDirectoryError(fault.cause, RESTORE, place=fault.place)


def row_faults(stored: StoredRun, task: str) -> list[RowFault]:
    """All that is wrong with the rows of a task; none where they are what the manifest says.

    Fingerprints are made of all rows: where a run lacks some (it is partial, or the oracle left them out) they are
    not compared, which ``is_whole`` tells.

    Raises:
        RunDirectoryError: where the file cannot be read or its columns are others.
    """
    check_columns(stored, task)
    place = str(stored.path / "samples" / f"{task}.parquet")
    lines = stored.samples(task, _COLUMNS).to_pylist()
    try:
        return list(_faults(stored, task, place, lines))
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        return [RowFault(place, f"holds a value that no run writes: {error}.")]


def check_columns(stored: StoredRun, task: str) -> None:
    """Refuse samples that lack a column, or hold another kind of value in one.

    Raises:
        RunDirectoryError: names file and column.
    """
    table = stored.samples(task)
    place = str(stored.path / "samples" / f"{task}.parquet")
    for field in samples_table({}, [], {}, {}).schema:
        if field.name not in table.column_names:
            raise RunDirectoryError(f"has no column {field.name}.", RESTORE, place=place)
        column = table.column(field.name)
        if column.type != field.type:
            raise RunDirectoryError(f"{field.name} should be {field.type}: found {column.type}.", RESTORE, place=place)
        if field.name in _NEEDED and column.null_count:
            raise RunDirectoryError(f"{field.name} is null in {column.null_count} rows.", RESTORE, place=place)


def is_whole(stored: StoredRun, task: str) -> bool:
    """Whether the run stores every row that its manifest's fingerprints are made of."""
    asked = stored.manifest["tasks"][task]
    wanted = asked["data"]["rows"] if asked.get("limit") is None else min(asked["limit"], asked["data"]["rows"])
    return bool(len(set(stored.samples(task, ("id",)).column("id").to_pylist())) == wanted)


def _faults(stored: StoredRun, task: str, place: str, lines: list[dict[str, Any]]) -> Iterator[RowFault]:
    asked, result = stored.manifest["tasks"][task], stored.results["tasks"][task]
    keys = [(line["id"], line["sample"]) for line in lines]
    if keys != sorted(set(keys)):
        at = next(number for number in range(1, len(keys)) if keys[number] <= keys[number - 1])
        yield RowFault(
            f"{place}: id {keys[at][0]}", "rows are not in the order of id and sample, or a row is there twice."
        )
    samples: dict[str, set[int]] = {}
    for row_id, sample in keys:
        samples.setdefault(row_id, set()).add(sample)
    scored, expected = result["n"]["scored"], result["n"]["expected"]
    if result.get("error") is None:
        wanted = set(range(asked["samples"]))
        odd = next((row_id for row_id, found in samples.items() if found != wanted), None)
        if odd is not None:
            yield RowFault(
                f"{place}: id {odd}", f"has samples {sorted(samples[odd])}; {MANIFEST} says {asked['samples']} a row."
            )
        if len(samples) != expected or scored != expected:
            yield RowFault(
                f"{place}",
                f"holds {len(samples)} rows; results.json says tasks.{task}.n.expected {expected}, scored {scored}.",
            )
    rows: dict[str, Row] = {}
    for line in lines:
        row = row_of(line)
        first = rows.setdefault(row.id, row)
        if first is not row and first != row:
            yield RowFault(f"{place}: id {row.id}", "its samples have different prompts, references or inputs.")
    # An imported run has the fingerprints of its own harness, which are made of more than its samples hold.
    if stored.manifest["model"]["kind"] != IMPORTED and is_whole(stored, task):
        yield from _fingerprints(stored, task, place, rows, lines)


def _fingerprints(
    stored: StoredRun, task: str, place: str, rows: Mapping[str, Row], lines: list[dict[str, Any]]
) -> Iterator[RowFault]:
    asked = stored.manifest["tasks"][task]
    if stored.manifest["model"]["kind"] == ORACLE:
        # The oracle's texts are the last references, which its rows are scored without.
        held = {line["id"]: line["prediction"] if line["raw"] is None else line["raw"] for line in lines}
        rows = {row.id: Row(row.id, row.prompt, (*row.references, held[row.id]), row.inputs) for row in rows.values()}
    found = {"prompts_sha256": prompts_sha256(rows.values()), "data.sha256": data_sha256(rows.values())}
    said = {"prompts_sha256": asked["prompts_sha256"], "data.sha256": asked["data"]["sha256"]}
    for key, value in found.items():
        if value != said[key]:
            yield RowFault(
                f"{place}",
                f"holds other rows than {MANIFEST} says: tasks.{task}.{key} is {said[key][:12]}…, "
                f"the rows give {value[:12]}….",
            )
