"""`grue verify`: whether a run is what it claims to be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grue.cli import options
from grue.cli.output import print_json, stdout
from grue.cli.runs import Results, run_path
from grue.cli.signals import interruptible

if TYPE_CHECKING:
    from grue.verification.findings import Verification

app = typer.Typer(rich_markup_mode=None, add_completion=False)

SIGNS = {"passed": "ok", "failed": "NO", "not_checked": "??", "not_asked": "–"}
ANSWERS = {
    "yes": "Yes: what was checked is what the run claims.",
    "no": "No: the run is not what it claims.",
    "partly": "Partly: nothing is wrong, but not all that the run claims could be checked here (??).",
}


@app.command()
def verify(
    ctx: typer.Context,
    run: Annotated[str, typer.Argument(help="Run directory, or id, beginning of an id, or name of a run.")],
    model: Annotated[
        str | None,
        typer.Option("-m", "--model", help="Checkpoint that the run claims: random rows are generated again."),
    ] = None,
    rows: Annotated[int, typer.Option("--rows", min=1, help="Rows a task that are generated again with -m.")] = 8,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Chooses the rows. [default: drawn anew, and printed]")
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            "--data", help="mini, hub or a folder to compare rows with. [default: embedded rows with the package's]"
        ),
    ] = None,
    adapter: Annotated[Path | None, typer.Option("--adapter", help="Folder of a PEFT adapter.")] = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:N, mps or spread.")] = "auto",
    allow_pickle: Annotated[
        bool, typer.Option("--allow-pickle", help="Read weights from pickle files where there is no safetensors file.")
    ] = False,
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Run code inside the checkpoint.")
    ] = False,
    results: Results = None,
    offline: options.Offline = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> int:
    """Check hashes, rows and scores of a run, and with -m its texts: 0 yes, 1 no, 3 not all could be checked."""
    options.go_offline(offline)
    path = run_path(run, results)
    from grue.cli.progress import watcher
    from grue.verification.verify import VerifyCall, verify

    call = VerifyCall(
        path=path,
        model=model,
        adapter=adapter,
        device=device,
        rows=rows,
        seed=seed,
        data=data,
        allow_pickle=allow_pickle,
        trust_remote_code=trust_remote_code,
        offline=offline,
        include=options.included(ctx),
    )
    progress = watcher(quiet=quiet)
    with interruptible():
        try:
            found = verify(call, progress)
        finally:
            progress.stop()
    if as_json:
        print_json(found.to_json())
    else:
        _print(found)
    return found.exit_code


def _print(found: Verification) -> None:
    out = stdout()
    for finding in found.findings:
        where = f"{finding.place}: " if finding.place else ""
        about = finding.check if finding.task is None else f"{finding.task} {finding.check}"
        style = "bold red" if finding.status == "failed" else None
        out.print(f"{SIGNS[finding.status]:<3}{about}: {where}{finding.message}", style=style, soft_wrap=True)
    if found.spot_seed is not None:
        out.print(f"Rows were chosen with --seed {found.spot_seed}.", soft_wrap=True)
    out.print(f"{ANSWERS[found.verdict]} {found.run_id or ''} {found.path}", style="bold", soft_wrap=True)
