"""``grue eval --plan``: what a run would take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grue.cli.output import note, print_json, stdout
from grue.cli.progress import duration, size

if TYPE_CHECKING:
    from grue.evaluation.call import OutputCall
    from grue.evaluation.prepare import Prepared

NOTHING = "–"


def print_plan(prepared: Prepared, out: OutputCall, *, as_json: bool) -> None:
    """Estimate a run and print it; nothing is written."""
    from rich.table import Table

    from grue.evaluation.estimate import estimate

    for text in (*prepared.engine.notes, *prepared.plan.notes):
        note(text)
    expected = estimate(prepared.plan, prepared.engine)
    path = prepared.path(out)
    identity = prepared.plan.manifest.identity
    if as_json:
        print_json({"path": str(path), "identity": identity, "plan": expected.to_json()})
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("task", "rows", "generations", "prompt tokens", "new tokens at most", "time"):
        table.add_column(heading, justify="left" if heading == "task" else "right", no_wrap=True)
    for task in expected.tasks:
        time = duration(task.seconds) if task.seconds is not None else NOTHING
        table.add_row(
            task.task,
            f"{task.rows:,}",
            f"{task.generations:,}",
            f"{task.prompt_tokens:,}",
            f"{task.new_tokens:,}",
            time,
        )
    console = stdout()
    console.print(table)
    if expected.memory_bytes is not None:
        console.print(f"Memory: about {size(expected.memory_bytes)}.")
    if expected.seconds is not None:
        console.print(
            f"Time: at most about {duration(expected.seconds)}, {duration(expected.load_seconds or 0)} to load."
        )
    console.print(f"Run directory: {path}", soft_wrap=True)
