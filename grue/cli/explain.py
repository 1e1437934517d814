"""`grue metrics explain`: which words, n-grams, facts or cells of one row matched, and which did not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grue.cli.options import AsJson, Offline, Settings, parse_settings, profile_name
from grue.cli.output import print_json, stdout
from grue.core.errors import UsageError
from grue.core.task import MetricSpec
from grue.core.text import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from grue.core.metric import Explanation, Metric, Part, Texts
    from grue.core.text import Json
    from grue.metrics.settings import SettingTable

MOST_SHOWN = 40


def explain(
    name: Annotated[str, typer.Argument(help="Metric name.")],
    file: Annotated[Path, typer.Argument(help="JSON lines as for `grue metrics compute`, or a run directory.")],
    row: Annotated[str, typer.Option("--row", help="The row's id, or its number in the file, from 1.")],
    task: Annotated[str | None, typer.Option("-t", "--task", help="Task of a run directory.")] = None,
    sample: Annotated[int, typer.Option("--sample", min=0, help="Which of a row's samples, in a run directory.")] = 0,
    settings: Settings = None,
    profile: Annotated[str | None, typer.Option("--profile", help="standard or grue-paper.")] = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Explain the value of one row: what matched, what is missing, what is extra."""
    from grue.metrics.build import entry
    from grue.metrics.settings import check_settings

    given = parse_settings(settings)
    check_settings(given)
    chosen = profile_name(profile) if profile else None
    entry(name)
    if file.is_dir():
        texts, found, shown = _of_run(name, file, row, task, sample, given, chosen, offline=offline)
    else:
        for flag, value in (("-t", task), ("--sample", sample)):
            if value:
                raise UsageError(f"{flag} is for a run directory; {file} is none.", f"Leave out {flag}.")
        texts, found, shown = _of_file(name, file, row, given, chosen)
    if as_json:
        document: dict[str, Json] = {"metric": name, "row": shown, "prediction": texts.predictions[0]}
        print_json({**document, "references": list(texts.references[0]), "explanation": found.to_json()})
        return
    _print(stdout(), name, shown, texts, found)


def _of_file(
    name: str, file: Path, row: str, given: SettingTable, profile: str | None
) -> tuple[Texts, Explanation, str]:
    """The row's text alone, its explanation, and its name."""
    from grue.metrics.build import build, entry
    from grue.metrics.profiles import profile_settings
    from grue.metrics.rows_file import read_rows

    family = entry(name).family
    layers = {family: {**profile_settings(profile).get(family, {}), **given.get(family, {})}}
    metric = build(MetricSpec(name), layers)
    texts = read_rows(file)
    ids = [str(inputs["id"]) if "id" in inputs else str(number) for number, inputs in enumerate(texts.inputs, start=1)]
    place = _place(row, ids, str(file))
    return _one(texts, place), explained(metric, texts, place), ids[place]


def _of_run(
    name: str,
    path: Path,
    row: str,
    task: str | None,
    sample: int,
    given: SettingTable,
    profile: str | None,
    *,
    offline: bool,
) -> tuple[Texts, Explanation, str]:
    from grue.evaluation.call import OutputCall
    from grue.evaluation.from_run import run_to_score
    from grue.evaluation.portions import chunk_of
    from grue.evaluation.to_score import ScoreCall
    from grue.runs.explanations import read_explanations
    from grue.runs.read import read_run

    stored = read_run(path)
    known = list(stored.results["tasks"])
    if task is None and len(known) != 1:
        raise UsageError("-t is missing.", f"Tasks of this run: {', '.join(known)}.")
    wanted = task or known[0]
    if wanted not in known:
        raise UsageError(f"The run has no task {wanted!r}.{nearest(wanted, known)}", f"It has: {', '.join(known)}.")
    call = ScoreCall(source=path, tasks=wanted, metrics=(name,), settings=given, profile=profile, offline=offline)
    (one,) = run_to_score(call, OutputCall()).tasks
    generations = [generation for generation in one.generations if generation.sample == sample]
    place = _place(row, [generation.id for generation in generations], f"{path}, {wanted}, sample {sample}")
    key = (generations[place].id, sample)
    chunk = chunk_of(generations, {row.id: row for row in one.rows})
    if not given and profile is None and (found := read_explanations(stored, wanted).get(key, {}).get(name)):
        return _one(chunk.texts, place), found, key[0]
    built = one.recipe.build()
    if name in built.absent:
        raise UsageError(f"{name} is absent: {built.absent[name]}", "'grue metrics show' says what it needs.")
    return _one(chunk.texts, place), explained(built.metrics[name], chunk.texts, place), key[0]


def explained(metric: Metric, texts: Texts, place: int) -> Explanation:
    """The explanation of one text; a metric whose row values depend on the other rows is given them.

    Raises:
        UsageError: for a metric that explains nothing, or a row that it has no value for.
    """
    from grue.core.metric import Explains, PooledMetric, Texts

    needs_all = isinstance(metric, PooledMetric)
    if not isinstance(metric, Explains):
        raise UsageError(
            f"{metric.name} has no explanation: it counts no words, n-grams or facts of a row.",
            "'grue metrics show NAME' says what it measures.",
        )
    if metric.needs_references and not texts.references[place]:
        raise UsageError(f"The row has no references, which {metric.name} needs.", "Add them to the row.")
    if not needs_all:
        return metric.explain(_one(texts, place))[0]
    kept = [index for index, row in enumerate(texts.references) if row or not metric.needs_references]
    pool = Texts(
        [texts.predictions[index] for index in kept],
        [texts.references[index] for index in kept],
        [texts.inputs[index] for index in kept],
    )
    return metric.explain(pool)[kept.index(place)]


def _one(texts: Texts, place: int) -> Texts:
    from grue.core.metric import Texts

    return Texts([texts.predictions[place]], [texts.references[place]], [texts.inputs[place]])


def _place(row: str, ids: Sequence[str], where: str) -> int:
    """The row of an id; a number that is no id is the place in the file, from 1.

    Raises:
        UsageError: where there is no such row, or several.
    """
    places = [place for place, known in enumerate(ids) if known == row]
    if len(places) > 1:
        raise UsageError(f"--row: {len(places)} rows have the id {row!r}.", "Give them ids of their own.", place=where)
    if places:
        return places[0]
    if row.isdecimal() and 1 <= int(row) <= len(ids):
        return int(row) - 1
    example = f"For example --row {ids[0]}." if ids else ""
    raise UsageError(f"--row: no row {row!r} among {len(ids)}.{nearest(row, ids[:1000])}", example, place=where)


def _print(console: Console, name: str, row: str, texts: Texts, found: Explanation) -> None:
    from rich.table import Table
    from rich.text import Text

    from grue.runs.explanations import pieces

    value = "–" if found.value is None else f"{found.value:.4f}"
    console.print(f"{name} of row {row}: {value}", style="bold", soft_wrap=True)
    console.print(found.summary, soft_wrap=True)
    console.print("")
    prediction = Text()
    for piece in pieces(texts.predictions[0], found):
        prediction.append(_visible(piece.text), style="bold green underline" if piece.is_matched else "")
    lines = [("prediction", prediction if prediction.plain.strip() else Text("(empty)"))]
    for index, reference in enumerate(texts.references[0]):
        counted = " (the one that counted)" if found.reference == index and len(texts.references[0]) > 1 else ""
        if found.reference is None or found.reference == index:
            lines.append((f"reference{counted}", Text(_visible(reference) or "(empty)")))
    for label, text in lines:
        console.print(Text(f"{label}: ", style="dim") + text, soft_wrap=True)
    table = Table("", "matched", "missing", "extra", box=None, header_style="bold", pad_edge=False)
    parts = [part for part in found.parts if part.matched or part.missing or part.extra]
    for part in parts:
        table.add_row(part.kind, *(_things(things) for things in (part.matched, part.missing, part.extra)))
    if parts:
        console.print("")
        console.print(table)
        console.print(_legend(parts), style="dim", soft_wrap=True)


def _legend(parts: Sequence[Part]) -> str:
    said = ["matched: in the prediction and asked for"]
    if any(part.missing for part in parts):
        said.append("missing: asked for, not in the prediction")
    if any(part.extra for part in parts):
        said.append("extra: in the prediction, asked for by nothing")
    return "; ".join(said)


def _things(things: Sequence[str]) -> str:
    shown = " · ".join(_visible(thing) for thing in things[:MOST_SHOWN])
    return f"{shown} … and {len(things) - MOST_SHOWN} more" if len(things) > MOST_SHOWN else shown or "–"


def _visible(text: str) -> str:
    """The text with what would move the cursor, or cannot be written, replaced."""
    kept = "".join(letter if letter.isprintable() or letter == "\n" else "\ufffd" for letter in text)
    return kept.encode("utf-8", "replace").decode("utf-8")
