"""``grue gate``: is a candidate worse than its baseline, beyond tolerance and noise? The check for CI."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from grue.cli import options
from grue.cli.output import note, print_error, print_json, stdout
from grue.core.errors import Exit, UsageError

if TYPE_CHECKING:
    from grue.gate.report import Report

app = typer.Typer(rich_markup_mode=None, add_completion=False)

POLICIES = ("warn", "fail")


@app.command()
def gate(
    ctx: typer.Context,
    baseline: Annotated[Path, typer.Option("--baseline", help="Baseline file, or a run directory.")],
    candidate: Annotated[Path | None, typer.Option("--candidate", help="Run directory.")] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            help="Gate file (TOML). [default: each task's first primary metric, tolerance 0 beyond noise]",
        ),
    ] = None,
    uncertain: Annotated[
        str | None,
        typer.Option(
            "--uncertain", help="warn or fail, where the rows cannot tell. [default: the gate file's, else warn]"
        ),
    ] = None,
    update_baseline: Annotated[
        bool, typer.Option("--update-baseline", help="Make the candidate the baseline file, and stop.")
    ] = False,
    junit: Annotated[Path | None, typer.Option("--junit", help="Write JUnit XML.")] = None,
    markdown: Annotated[
        Path | None, typer.Option("--markdown", help="Write Markdown, for a comment on a pull request.")
    ] = None,
    as_json: options.AsJson = False,
) -> int:
    """Compare a candidate with its baseline and answer pass, fail or cannot tell.

    Fails only where a drop is beyond the tolerance and beyond noise. Exit codes: 0 pass, or cannot tell; 1 fail;
    3 a run crashed or is partial; 4 other data, prompts, task or metric version.
    """
    from grue.gate.files import check_targets

    if uncertain is not None and uncertain not in POLICIES:
        raise UsageError(f"--uncertain: {uncertain!r} is neither warn nor fail.", "Leave it out for warn.")
    if candidate is None:
        raise UsageError("--candidate is missing.", "Name the run to judge: --candidate RUN")
    if update_baseline:
        return _update(baseline, candidate, as_json=as_json)
    check_targets(junit, markdown)
    from grue.gate.files import write_files
    from grue.gate.gate import GateCall, run_gate
    from grue.gate.terminal import print_report
    from grue.registry.tasks import list_tasks

    report = run_gate(
        GateCall(
            baseline=baseline,
            candidate=candidate,
            config=config,
            uncertain=cast(Literal["warn", "fail"] | None, uncertain),
            known_tasks=tuple(entry.name for entry in list_tasks(options.included(ctx))),
        )
    )
    write_files(report, junit=junit, markdown=markdown)
    if as_json:
        print_json(report.to_json())
    else:
        print_report(report, stdout())
    say(report)
    return int(report.exit_code)


def say(report: Report) -> None:
    """What a reader of the log must see, on standard error."""
    from grue.gate.report import Outcome

    for problem in report.problems:
        print_error(f"{problem.outcome}: {problem.message}", problem.fix, problem.place)
    for check in report.checks:
        place = f"{check.task} {check.name}"
        if check.outcome in (Outcome.NOT_COMPARABLE, Outcome.INFRASTRUCTURE) and not report.problems:
            print_error(check.message, "", place)
        elif check.outcome is Outcome.UNCERTAIN:
            note(f"warning: cannot tell: {place}: {check.message}")


def _update(baseline: Path, candidate: Path, *, as_json: bool) -> int:
    from grue.gate.opening import update_baseline

    written = update_baseline(baseline, candidate)
    if as_json:
        print_json({"baseline": str(written.path), "rows": str(written.rows_path), "bytes": written.n_bytes})
    else:
        stdout().print(
            f"Baseline written: {written.path} and {written.rows_path.name}, {written.n_bytes:,} bytes. Commit both.",
            soft_wrap=True,
        )
    return int(Exit.YES)
