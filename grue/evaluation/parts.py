"""The parts of a run as ``--shard`` made them: all there, each once and whole, or refused with what makes them so."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grue.core.errors import UsageError
from grue.core.run import Manifest, Shard
from grue.runs.fields import read_document
from grue.runs.read import MANIFEST, RESULTS, StoredRun, read_run
from grue.runs.refusal import differing_fields
from grue.runs.values import manifest_value

SHOWN_FAULTS = 20


@dataclass(frozen=True, slots=True)
class Part:
    """A complete part, its files verified."""

    stored: StoredRun
    manifest: Manifest
    shard: Shard


def read_parts(folders: Sequence[Path]) -> list[Part]:
    """Read all parts of one run and check them.

    Args:
        folders: Their run directories, in any order.

    Returns:
        The parts by number, each once and complete.

    Raises:
        UsageError: names every fault, and the commands that mend them.
        RunDirectoryError: where a part is damaged.
    """
    if not folders:
        raise UsageError("No part of a run is named.", "Name the run directories that --shard made.")
    found = {folder: _shard_manifest(folder) for folder in dict.fromkeys(folder.resolve() for folder in folders)}
    (first_folder, (first, sample)), *others = found.items()
    faults: list[str] = []
    by_number: dict[int, Path] = {sample.number: first_folder}
    for folder, (manifest, shard) in others:
        if manifest.identity != first.identity:
            differences = "; ".join(differing_fields(first, manifest)[:3]).replace("stored", str(sample))
            raise UsageError(
                f"{folder} is of another run than {first_folder}. They differ in: {differences or 'identity'}.",
                "Name the parts of one run only.",
            )
        if shard.of != sample.of:
            raise UsageError(
                f"{folder} is {shard}, and {first_folder} is {sample}.", "Name the parts of one division only."
            )
        if shard.number in by_number:
            raise UsageError(f"{folder} and {by_number[shard.number]} are both {shard}.", "Leave out one of them.")
        by_number[shard.number] = folder
    parts: list[Part] = []
    commands: list[str] = []
    for number in range(1, sample.of + 1):
        if number not in by_number:
            faults.append(f"shard {number} of {sample.of} is missing")
            commands.append(_command(sample, first_folder, number))
            continue
        folder = by_number[number]
        manifest, shard = found[folder]
        if not (folder / RESULTS).is_file():
            faults.append(f"{shard} is not finished ({folder})")
            commands.append(_command(shard, folder, number))
            continue
        part = Part(read_run(folder, shard=True), manifest, shard)
        lacking = _lacking(part)
        if lacking:
            faults.append(lacking)
            commands.append(_command(shard, folder, number))
        parts.append(part)
    if faults:
        more = f"; and {len(faults) - SHOWN_FAULTS} more" if len(faults) > SHOWN_FAULTS else ""
        raise UsageError(
            f"The run is not complete: {'; '.join(faults[:SHOWN_FAULTS])}{more}.",
            "\n       ".join(["Run, then merge again:", *commands[:SHOWN_FAULTS]]),
        )
    return parts


def _shard_manifest(folder: Path) -> tuple[Manifest, Shard]:
    if not (folder / MANIFEST).is_file():
        raise UsageError("is no run directory.", "Name the run directories that --shard made.", place=str(folder))
    manifest = manifest_value(read_document(folder / MANIFEST))
    if manifest.shard is None:
        raise UsageError("is a whole run, no part of one.", "There is nothing to join to it.", place=str(folder))
    return manifest, manifest.shard


def _lacking(part: Part) -> str:
    """What a part lacks, in a sentence; empty where it is complete."""
    for name, result in part.stored.results_value().tasks.items():
        lacking = result.expected * part.manifest.tasks[name].samples - part.stored.samples(name).num_rows
        if lacking > 0:
            return f"{part.shard} lacks {lacking} generations of {name} ({result.error})"
    return ""


def _command(shard: Shard, folder: Path, number: int) -> str:
    """The command that makes or finishes a part.

    Args:
        shard: The part at hand.
        folder: Where it lies.
        number: The part that is wanted.
    """
    if not shard.command:
        return f"the call of {shard}, with shard {number}/{shard.of}"
    words = list(shard.command)
    for place, word in enumerate(words[:-1]):
        if word == "--shard":
            words[place + 1] = f"{number}/{shard.of}"
        elif word == "--output":
            words[place + 1] = _folder(shard, folder, number)
    return shlex.join(["grue", *words])


def _folder(shard: Shard, folder: Path, number: int) -> str:
    """The folder of another part: named as this one where the name has the part's number, else the user's to name."""
    if number == shard.number:
        return str(folder)
    places = [
        *re.finditer(rf"(?<!\d){shard.number}(?=-of-{shard.of}$)", folder.name),
        *reversed(list(re.finditer(rf"(?<!\d){shard.number}(?!\d)", folder.name))),
    ]
    if not places:
        return "DIR"
    begin, end = places[0].span()
    return str(folder.with_name(f"{folder.name[:begin]}{number}{folder.name[end:]}"))
