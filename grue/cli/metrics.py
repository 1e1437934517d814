"""`grue metrics`: list them, show one, compute some on a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grue.cli.explain import explain
from grue.cli.options import AsJson, Settings, parse_settings, profile_name
from grue.cli.output import note, print_json, stdout
from grue.core.errors import Exit, MetricUnavailableError, UsageError
from grue.core.task import MetricSpec
from grue.core.text import Json
from grue.metrics import METRICS
from grue.metrics.build import build, entry
from grue.metrics.card import card, cost
from grue.metrics.settings import FAMILIES, check_settings

if TYPE_CHECKING:
    from grue.metrics.several import Outcome

NO_BOUND = "unbounded"

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, add_completion=False)


app.command("explain")(explain)


@app.callback()
def group() -> None:
    """Metrics on their own."""


@app.command("list")
def list_metrics(as_json: AsJson = False) -> None:
    """List all metrics, and whether this machine computes them."""
    rows = [_described(name) for name in METRICS]
    if as_json:
        print_json({"metrics": rows})
        return
    from rich.table import Table

    table = Table("metric", "settings", "state", "summary", box=None, header_style="bold")
    for row in rows:
        state = "ready" if row["reason"] is None else "absent"
        table.add_row(str(row["name"]), str(row["family"]), state, str(row["summary"]))
    stdout().print(table)
    note("'grue metrics show NAME' gives settings, or why it is absent; evaluate:NAME_OR_PATH loads one of evaluate.")


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Metric name, or evaluate:NAME_OR_PATH.")], as_json: AsJson = False
) -> None:
    """Show one metric: what it measures, range, direction, signature, source, known failings, cost, settings."""
    described = _described(name)
    if as_json:
        print_json(described)
        return
    direction: dict[Json, str] = {True: "higher is better", False: "lower is better", None: "no direction"}
    lines: list[tuple[str, object]] = [("metric", name), ("summary", described["summary"])]
    if described["measures"]:
        lines += [("measures", described["measures"]), ("range", described["range"])]
    if described["reason"] is not None:
        lines.append(("absent", described["reason"]))
    else:
        lines += [
            ("scale", "none" if described["scale"] is None else described["scale"]),
            ("direction", direction[described["higher_is_better"]]),
            ("references", "needed" if described["needs_references"] else "not needed"),
            ("signature", described["signature"]),
            ("interval", described["interval"]),
        ]
    if described["source"]:
        lines.append(("source", described["source"]))
    for failing in described["failings"]:
        lines.append(("known failing", failing))
    if described["seconds_per_1000_rows"] is not None:
        lines.append(
            ("cost", f"{described['seconds_per_1000_rows']:.3g} s a thousand rows ({described['cost_where']})")
        )
    family = entry(name).family
    for key, option in FAMILIES[family].items():
        default = "the library's" if option.default is None else str(option.default)
        lines.append((f"--set {family}.{key}", f"{option.describe()} [default: {default}]"))
    out = stdout()
    for word, text in lines:
        out.print(f"{word:<28} {text}", soft_wrap=True)


@app.command()
def compute(
    names: Annotated[str, typer.Argument(help="Metric names, comma-separated.", metavar="NAMES")],
    file: Annotated[Path, typer.Argument(help='JSON lines: {"prediction": …, "references": […]} and inputs.')],
    settings: Settings = None,
    per_sample: Annotated[bool, typer.Option("--per-sample", help="Also print the value of each row.")] = False,
    profile: Annotated[str | None, typer.Option("--profile", help="standard or grue-paper.")] = None,
    as_json: AsJson = False,
) -> int:
    """Compute metrics on a file of predictions."""
    from grue.metrics.rows_file import read_portions
    from grue.metrics.several import compute as compute_all
    from grue.metrics.several import scorers

    given = parse_settings(settings)
    check_settings(given)
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    if not wanted:
        raise UsageError("No metric is named.", "Name some: grue metrics compute rouge1,sacrebleu FILE.jsonl")
    for name in wanted:
        entry(name)
    chosen = profile_name(profile) if profile else None
    built = scorers(wanted, given, chosen)
    outcome = compute_all(built, read_portions(file))
    if as_json:
        _print_json(outcome)
    else:
        _print_tables(outcome, per_sample=per_sample)
    return Exit.PARTLY if outcome.failed else Exit.YES


def _described(name: str) -> dict[str, Any]:
    from grue.metrics.resampling import how_resampled

    known = entry(name)
    out: dict[str, Any] = {
        "name": name,
        "family": known.family,
        "summary": known.summary,
        "needs_model": known.needs_model,
        "settings": {key: option.default for key, option in FAMILIES[known.family].items()},
        "measures": None,
        "range": None,
        "source": None,
        "failings": [],
        **cost(name),
    }
    if (about := card(name)) is not None:
        low, high = (NO_BOUND if bound is None else f"{bound:g}" for bound in (about.low, about.high))
        out |= {
            "measures": about.measures,
            "range": f"{low} to {high}",
            "source": about.source,
            "failings": list(about.failings),
        }
    unknown = ("scale", "higher_is_better", "needs_references", "signature", "interval")
    absent: dict[str, Json] = dict.fromkeys(unknown)
    try:
        metric = build(MetricSpec(name))
    except MetricUnavailableError as error:
        return {**out, **absent, "reason": error.cause}
    return {
        **out,
        "scale": metric.scale,
        "higher_is_better": metric.higher_is_better,
        "needs_references": metric.needs_references,
        "signature": metric.signature(),
        "interval": how_resampled(metric),
        "reason": None,
    }


def _print_json(outcome: Outcome) -> None:
    """One document, written metric by metric: the row values of a million rows are many."""
    import json
    import sys

    write = sys.stdout.write
    metrics = {name: score.to_json() for name, score in outcome.scores.items()}
    write(f'{{"schema_version": 1,\n "metrics": {json.dumps(metrics, ensure_ascii=False, allow_nan=False)},\n')
    write(' "per_sample": {')
    comma = ""
    for name, score in outcome.scores.items():
        if values := score.per_sample:
            write(f"{comma}\n  {json.dumps(name)}: {json.dumps(values, allow_nan=False)}")
            comma = ","
    write("}}\n")


def _print_tables(outcome: Outcome, *, per_sample: bool) -> None:
    from rich.table import Table

    out = stdout()
    table = Table("metric", "value", "of", "n", box=None, header_style="bold")
    table.add_column("signature or reason", overflow="fold")
    for name, score in outcome.scores.items():
        table.add_row(
            name,
            "–" if score.value is None else f"{score.value:.4f}",
            "" if score.scale is None else f"{score.scale:g}",
            str(score.n),
            score.reason or score.signature or "",
        )
    out.print(table)
    if not per_sample:
        return
    columns = {name: score.per_sample for name, score in outcome.scores.items() if score.per_sample}
    rows = Table("row", *columns, box=None, header_style="bold")
    for index, values in enumerate(zip(*columns.values(), strict=True), start=1):
        rows.add_row(str(index), *("–" if value is None else f"{value:.4f}" for value in values))
    out.print(rows)
