"""``grue demo``: the whole product on rows and checkpoints inside the package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grue.cli import options
from grue.cli.output import note, print_json, stdout
from grue.cli.signals import interruptible

app = typer.Typer(rich_markup_mode=None, add_completion=False)

SYSTEMS = (
    "demo:causal",
    "demo:seq2seq",
    "null:empty",
    "null:constant",
    "null:copy-input",
    "null:random-reference",
    "oracle:reference",
)


@app.command()
def demo(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("--out", help="Folder of the runs and the board.")] = Path("grue-demo"),
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> int:
    """Evaluate two small checkpoints, the null systems and the oracle on embedded rows, and build a board.

    Needs no internet. A second time it goes on, or says that it is finished.
    """
    from grue.cli.progress import Notes, watcher
    from grue.cli.report import exit_code, print_matrix, print_table, run_document
    from grue.engine.options import EngineOptions
    from grue.evaluation.call import GenerationCall, OutputCall, RowsCall
    from grue.evaluation.prepare import evaluate_call
    from grue.evaluation.scoring_worker import ScoringWorker
    from grue.runs.read import read_run

    rows = RowsCall(tasks="all", data="mini")
    stored = []
    with interruptible(), ScoringWorker() as worker:
        for model in SYSTEMS:
            if not quiet:
                note(f"Evaluating {model} …")
            folder = out / "runs" / model.replace(":", "-")
            outcome = evaluate_call(
                model,
                EngineOptions(),
                rows,
                GenerationCall(),
                OutputCall(path=folder),
                progress=Notes() if quiet or not model.startswith("demo:") else watcher(quiet=False),
                worker=worker,
            )
            if outcome.was_finished:
                note(f"{model} was finished already: {folder}")
            stored.append(read_run(outcome.path))
    if not quiet:
        note("Building the board …")
    from leaderboard_site.export import build_board

    report = build_board([out / "runs"], out / "board", None, options.included(ctx))
    for skipped in report.skipped:
        note(f"skipped: {skipped.path}: {skipped.reason}")
    index = (out / "board" / "index.html").absolute()
    if as_json:
        print_json({"board": str(index), "runs": [run_document(run) for run in stored]})
    else:
        values = [(run.manifest_value(), run.results_value()) for run in stored]
        console = stdout()
        for manifest, results in values:
            if manifest.model.kind == "demo":
                console.print(f"\n{manifest.model.name}")
                print_table(manifest, results)
        console.print("\nAll systems: the null systems are the floor, the oracle is the ceiling")
        print_matrix(values)
        console.print()
        console.print(f"{report.runs} runs in {out / 'runs'}, board of {report.pages} pages.", soft_wrap=True)
        console.print(f"Open it in a browser: {index.as_uri()}", soft_wrap=True)
        console.print(f"Next: grue samples {out / 'runs' / 'demo-seq2seq'} -t commongen", soft_wrap=True)
        console.print("      grue eval -m YOUR_CHECKPOINT -t grue --data mini", soft_wrap=True)
    return max(exit_code(run.results_value(), strict=False) for run in stored)
