"""`grue samples`: the rows of a run in the terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grue.cli.options import AsJson
from grue.cli.output import note, print_json, stdout
from grue.cli.runs import Results, run_path
from grue.core.errors import UsageError
from grue.core.text import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grue.runs.read import StoredRun

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_ON_SCREEN = 20
# Columns that every task has; what follows them are scores.
_FIXED = (
    *("id", "sample", "prompt", "references", "prediction", "raw", "finish_reason"),
    *("prompt_tokens", "generated_tokens", "prompt_cut", "inputs"),
)


@app.command()
def samples(
    run: Annotated[str, typer.Argument(help="Run directory, or id, beginning of an id, or name of a run.")],
    task: Annotated[str | None, typer.Option("-t", "--task", help="Task. [default: the run's only one]")] = None,
    worst: Annotated[int | None, typer.Option("--worst", min=1, help="Only the N worst rows, worst first.")] = None,
    metric: Annotated[
        str | None, typer.Option("--metric", help="What worst means. [default: the task's first primary metric]")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("-L", "--limit", min=1, help="Rows shown. [default: 20; all with --json]")
    ] = None,
    results: Results = None,
    as_json: AsJson = False,
) -> None:
    """Show inputs, references, predictions and scores of a run's rows."""
    from grue.runs.read import read_run

    stored = read_run(run_path(run, results))
    name = _task(stored, task)
    table = stored.samples(name)
    scores = [column for column in table.column_names if column not in _FIXED]
    rows: list[dict[str, Any]] = table.to_pylist()
    by = _metric(stored, name, scores, metric) if worst or metric else None
    if by is not None:
        rows = _worst_first(stored, name, rows, by)
    shown = rows[: worst or limit or (len(rows) if as_json else _ON_SCREEN)]
    if as_json:
        document = [{**row, "inputs": json.loads(row["inputs"])} for row in shown]
        print_json({"run_id": stored.manifest["run_id"], "task": name, "metric": by, "samples": document})
        return
    _print(shown, scores)
    if len(shown) < len(rows):
        note(f"{len(shown)} of {len(rows)} generations; -L N shows more, --worst N the worst.")


def _task(stored: StoredRun, given: str | None) -> str:
    known = list(stored.results["tasks"])
    if given is None and len(known) == 1:
        return str(known[0])
    if given is None:
        raise UsageError("-t is missing.", f"Tasks of this run: {', '.join(known)}.")
    if given not in known:
        raise UsageError(f"The run has no task {given!r}.{nearest(given, known)}", f"It has: {', '.join(known)}.")
    return given


def _metric(stored: StoredRun, task: str, scores: Sequence[str], given: str | None) -> str:
    if not scores:
        raise UsageError(f"Task {task!r} has no scores by row in this run.", "Leave --worst and --metric out.")
    if given is None:
        primary = stored.manifest["tasks"][task].get("primary") or []
        return next((name for name in primary if name in scores), scores[0])
    if given not in scores:
        raise UsageError(
            f"--metric: no scores by row of {given!r}.{nearest(given, scores)}", f"There are: {', '.join(scores)}."
        )
    return given


def _worst_first(stored: StoredRun, task: str, rows: list[dict[str, Any]], metric: str) -> list[dict[str, Any]]:
    """Rows without a value are left out; ties stay in id order."""
    value = stored.results["tasks"][task]["metrics"].get(metric, {})
    sign = -1 if value.get("higher_is_better") is False else 1
    scored = [row for row in rows if row[metric] is not None]
    return sorted(scored, key=lambda row: sign * float(row[metric]))


def _print(rows: Sequence[dict[str, Any]], scores: Sequence[str]) -> None:
    out = stdout()
    for row in rows:
        asked = json.loads(row["inputs"]).get("prompt") or row["prompt"] or ""
        values = "  ".join(f"{name} {row[name]:.4f}" for name in scores if row[name] is not None)
        out.print(f"{row['id']}" + (f"  sample {row['sample']}" if row["sample"] else ""), style="bold", soft_wrap=True)
        for label, text in (
            ("input", asked),
            *(("reference", reference) for reference in row["references"] or ()),
            ("prediction", row["prediction"]),
        ):
            out.print(f"  {label:<11} {_one_line(text, out.width - 15)}", soft_wrap=True)
        out.print(f"  {'scores':<11} {values}\n")


def _one_line(text: str, width: int) -> str:
    """The text on one line, cut to the width; an empty one is said to be so."""
    line = " ".join(text.split()) or "(empty)"
    return line if len(line) <= width else f"{line[: max(1, width - 1)]}…"
