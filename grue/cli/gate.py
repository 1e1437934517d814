"""``grue gate``: is a candidate worse than its baseline, beyond tolerance and noise? The check for CI."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from grue.cli import options
from grue.cli.output import note, print_error, print_json, stdout
from grue.cli.signals import interruptible
from grue.core.errors import Exit, UsageError

if TYPE_CHECKING:
    from grue.engine.options import EngineOptions
    from grue.gate.report import Report
    from grue.gate.rules import Rules

app = typer.Typer(rich_markup_mode=None, add_completion=False)

POLICIES = ("warn", "fail")
NEW_BASELINE = "If the change is meant, make a new baseline: --update-baseline with a whole run."
_MODEL_FLAGS = (
    "model",
    "data",
    "output",
    "device",
    "dtype",
    "engine",
    "base_url",
    "batch",
    "chat_template",
    "adapter",
)


@app.command()
def gate(
    ctx: typer.Context,
    baseline: Annotated[
        Path | None,
        typer.Option("--baseline", help="Baseline file, or a run directory. [default: the gate file's]"),
    ] = None,
    candidate: Annotated[
        Path | None, typer.Option("--candidate", help="Run directory to judge. [default: the gate file's]")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", help="Gate file (TOML). [default: each task's first primary metric, tolerance 0 beyond noise]"
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
    sequential: Annotated[
        bool,
        typer.Option("--sequential", help="Generate with -m, and stop as soon as the answer is certain."),
    ] = False,
    model: Annotated[
        str | None, typer.Option("-m", "--model", help="What generates with --sequential, as for grue eval.")
    ] = None,
    data: Annotated[
        str | None, typer.Option("--data", help="mini, hub, or a folder of rows. [default: the baseline's]")
    ] = None,
    output: options.Output = None,
    device: Annotated[
        str, typer.Option("--device", help="auto, cpu, cuda, cuda:N, mps, or spread: layers over all GPUs.")
    ] = "auto",
    dtype: Annotated[str, typer.Option("--dtype", help="auto, float32, bfloat16 or float16.")] = "auto",
    engine: Annotated[str, typer.Option("--engine", help="auto, hf, vllm or openai.")] = "auto",
    base_url: Annotated[
        str | None, typer.Option("--base-url", help="Address of an OpenAI-compatible endpoint.")
    ] = None,
    batch: Annotated[str, typer.Option("-b", "--batch", help="Rows a batch: auto, or a number.")] = "auto",
    chat_template: Annotated[
        str, typer.Option("--chat-template", help="auto (where the tokenizer has one), on or off.")
    ] = "auto",
    adapter: Annotated[Path | None, typer.Option("--adapter", help="Folder of a PEFT adapter.")] = None,
    offline: options.Offline = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> int:
    """Compare a candidate with its baseline and answer pass, fail or cannot tell.

    Fails only where a drop is beyond the tolerance and beyond noise. Exit codes: 0 pass, or cannot tell; 1 fail;
    3 a run crashed or is partial; 4 other data, prompts, task or metric version.
    """
    if uncertain is not None and uncertain not in POLICIES:
        raise UsageError(f"--uncertain: {uncertain!r} is neither warn nor fail.", "Leave it out for warn.")
    if update_baseline and sequential:
        raise UsageError("--update-baseline takes a whole run.", "Name it with --candidate, without --sequential.")
    if not sequential:
        _refuse_model_flags(ctx)
    elif model is None or candidate is not None:
        raise UsageError("--sequential generates by itself.", "Name a model with -m, and no --candidate.")
    from grue.gate.files import check_targets, write_files
    from grue.gate.gate import rules_of

    rules = rules_of(config, cast(Literal["warn", "fail"] | None, uncertain))
    before, after = baseline or rules.baseline, candidate or rules.candidate
    if before is None:
        raise UsageError("--baseline is missing.", "Name a baseline file, here or in the gate file.")
    if after is None and not sequential:
        raise UsageError("--candidate is missing.", "Name the run to judge, or --sequential with a model.")
    if update_baseline and after is not None:
        return _update(before, after, as_json=as_json)
    check_targets(junit, markdown)
    if model is not None:
        options.go_offline(offline)
        from grue.cli.eval import batch_rows
        from grue.engine.options import EngineOptions

        opening = EngineOptions(
            device=device,
            dtype=dtype,
            engine=engine,
            base_url=base_url,
            chat_template=chat_template,
            adapter=adapter,
            offline=offline,
        )
        how = _How(model, opening, data, output, batch_rows(batch), quiet)
        report = _generated(before, rules, how, options.included(ctx))
    else:
        report = _compared(before, Path() if after is None else after, rules, options.included(ctx))
    write_files(report, junit=junit, markdown=markdown)
    if as_json:
        print_json(report.to_json())
    else:
        from grue.gate.terminal import print_report

        print_report(report, stdout())
    say(report)
    return int(report.exit_code)


@dataclass(frozen=True, slots=True)
class _How:
    """How ``--sequential`` generates."""

    model: str
    options: EngineOptions
    data: str | None
    output: Path | None
    batch_rows: int | None
    quiet: bool


def _compared(baseline: Path, candidate: Path, rules: Rules, include: tuple[Path, ...]) -> Report:
    from grue.gate.gate import GateCall, run_gate

    return run_gate(GateCall(baseline=baseline, candidate=candidate, rules=rules, known_tasks=_known(include)))


def _generated(baseline: Path, rules: Rules, how: _How, include: tuple[Path, ...]) -> Report:
    from grue.cli.progress import watcher
    from grue.gate.sequential import SequentialCall, run_sequential

    call = SequentialCall(
        baseline=baseline,
        model=how.model,
        options=how.options,
        rules=rules,
        data=how.data,
        output=how.output,
        batch_rows=how.batch_rows,
        known_tasks=_known(include),
        include=include,
    )
    with interruptible():
        return run_sequential(call, progress=watcher(quiet=how.quiet))


def _known(include: tuple[Path, ...]) -> tuple[str, ...]:
    from grue.registry.tasks import list_tasks

    return tuple(entry.name for entry in list_tasks(include))


def _refuse_model_flags(ctx: typer.Context) -> None:
    """Flags of generating without ``--sequential`` would do nothing."""
    for name in _MODEL_FLAGS:
        source = ctx.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            flag = "-m" if name == "model" else f"--{name.replace('_', '-')}"
            raise UsageError(f"{flag} does nothing without --sequential.", f"Add --sequential, or leave out {flag}.")


def say(report: Report) -> None:
    """What a reader of the log must see, on standard error."""
    from grue.gate.report import Outcome

    for problem in report.problems:
        print_error(f"{problem.outcome}: {problem.message}", problem.fix, problem.place)
    for check in report.checks:
        place = f"{check.task} {check.name}"
        if check.outcome is Outcome.NOT_COMPARABLE and not report.problems:
            print_error(check.message, NEW_BASELINE, f"{report.baseline.place}: {place}")
        elif check.outcome is Outcome.INFRASTRUCTURE and not report.problems:
            print_error(check.message, "", f"{report.candidate.place}: {place}")
        elif check.outcome is Outcome.UNCERTAIN:
            note(f"warning: cannot tell: {place}: {check.message}")


def _update(baseline: Path, candidate: Path, *, as_json: bool) -> int:
    from grue.gate.gate import changes
    from grue.gate.opening import update_baseline

    moved = changes(baseline, candidate)
    written = update_baseline(baseline, candidate)
    if as_json:
        print_json(
            {
                "baseline": str(written.path),
                "rows": str(written.rows_path),
                "bytes": written.n_bytes,
                "changes": list(moved),
            }
        )
        return int(Exit.YES)
    console = stdout()
    for line in moved:
        console.print(line, soft_wrap=True)
    console.print(
        f"Baseline written: {written.path} and {written.rows_path.name}, {written.n_bytes:,} bytes. Commit both.",
        soft_wrap=True,
    )
    return int(Exit.YES)
