"""`grue rewards`: list them, show one, compute one or a formula of several on a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grue.cli.options import AsJson, parse_settings
from grue.cli.output import note, print_json, stdout
from grue.core.errors import Exit
from grue.core.text import Json

if TYPE_CHECKING:
    from grue.metrics.settings import Option
    from grue.rewards.scorer import RewardScore

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, add_completion=False)

Settings = Annotated[
    list[str] | None, typer.Option("--set", help="NAME.key=value, a reward's setting; repeatable.", metavar="TEXT")
]
Name = Annotated[
    str,
    typer.Argument(
        help="A name, a formula such as '0.5*meteor + 0.5*chrf', PATH.py:NAME, or a classifier's folder.",
        metavar="NAME",
    ),
]


@app.callback()
def group() -> None:
    """Reward functions on their own."""


@app.command("list")
def list_rewards(as_json: AsJson = False) -> None:
    """List all rewards, and whether this machine computes them."""
    from grue.rewards.describe import describe_all
    from grue.rewards.formula_functions import FUNCTIONS

    rows = describe_all()
    words: list[dict[str, Json]] = [
        {"name": name, "parameters": list(function.parameters), "summary": function.says}
        for name, function in FUNCTIONS.items()
    ]
    if as_json:
        print_json({"rewards": rows, "functions": words})
        return
    from rich.table import Table

    table = Table("reward", "state", "range", "from", "summary", box=None, header_style="bold")
    for row in rows:
        state = "ready" if row["reason"] is None else "absent"
        table.add_row(str(row["name"]), state, _range(row), str(row["origin"]), str(row["summary"]))
    functions = Table("in formulas, beside + - * /", "summary", box=None, header_style="bold")
    for word in words:
        parameters: Any = word["parameters"]
        functions.add_row(f"{word['name']}({', '.join(parameters)})", str(word["summary"]))
    stdout().print(table)
    stdout().print()
    stdout().print(functions)
    note("'grue rewards show NAME_OR_FORMULA' gives settings, range and signature, or why it is absent.")


@app.command()
def show(name: Name, as_json: AsJson = False) -> None:
    """Show one reward: range, direction, cost, the paper's quirks, settings, signature."""
    from grue.rewards.describe import describe
    from grue.rewards.settings import OPTIONS

    row = describe(name)
    if as_json:
        print_json(row)
        return
    out = stdout()
    for word, text in _lines(row, OPTIONS.get(name, {})):
        out.print(f"{word:<28} {text}", soft_wrap=True)


@app.command()
def compute(
    name: Name,
    file: Annotated[Path, typer.Argument(help='JSON lines: {"prediction": …, "references": […]}, "prompt", inputs.')],
    settings: Settings = None,
    label: Annotated[
        str | None, typer.Option("--label", help="Name or index of the label, for a classifier's folder.")
    ] = None,
    per_sample: Annotated[bool, typer.Option("--per-sample", help="Also print the value of each row.")] = False,
    as_json: AsJson = False,
) -> int:
    """Compute a reward on a file of predictions."""
    from grue.metrics.rows_file import read_portions
    from grue.rewards.api import opened
    from grue.rewards.build import check_settings
    from grue.rewards.scorer import RewardScore

    given = parse_settings(settings)
    check_settings(given, (name,))
    scorer = opened(name, given, label=label)
    portions = read_portions(file)
    failed = False
    try:
        score = scorer.score_portions(portions)
    except Exception as error:  # noqa: BLE001 - a reward may raise anything, and it is said rather than shown raw
        score = RewardScore(None, [], None, None, 0, None, None, f"failed: {type(error).__name__}: {error}")
        failed = True
    if as_json:
        values = {name: score.values} if score.values else {}
        print_json({"rewards": {name: score.to_json()}, "per_sample": values})
    else:
        _print_tables(name, score, per_sample=per_sample)
    return Exit.PARTLY if failed else Exit.YES


def _lines(row: Mapping[str, Json], options: Mapping[str, Option]) -> list[tuple[str, object]]:
    lines: list[tuple[str, object]] = [("reward", row["name"]), ("summary", row["summary"]), ("from", row["origin"])]
    if row["reason"] is not None:
        lines.append(("absent", row["reason"]))
    lines += [("range", _range(row)), ("direction", "higher is better"), ("cost", row["cost"])]
    if row["seconds_per_1000_rows"] is not None:
        seconds: Any = row["seconds_per_1000_rows"]
        lines.append(("measured", f"{seconds:.3g} s a thousand rows ({row['cost_where']})"))
    if row["needs_references"] is not None:
        lines.append(("references", "needed" if row["needs_references"] else "not needed"))
    lines += [(word, row[word]) for word in ("formula", "signature") if row[word] is not None]
    for key, option in options.items():
        default = "the metric's" if option.default is None else str(option.default)
        lines.append((f"--set {row['name']}.{key}", f"{option.describe()} [default: {default}]"))
    quirks: Any = row["quirks"]
    return [line for line in lines if line[1] != ""] + [
        ("the paper's", f"{quirk['switch']}: {quirk['says']}") for quirk in quirks
    ]


def _range(row: Mapping[str, Json]) -> str:
    words = ["unbounded" if row[end] is None else f"{float(row[end]):g}" for end in ("low", "high")]  # type: ignore[arg-type]
    return "unbounded" if words == ["unbounded"] * 2 else " to ".join(words)


def _print_tables(name: str, score: RewardScore, *, per_sample: bool) -> None:
    from rich.table import Table

    out = stdout()
    table = Table("reward", "value", "range", "n", box=None, header_style="bold")
    table.add_column("signature or reason", overflow="fold")
    table.add_row(
        name,
        _shown(score.value),
        _range({"low": score.low, "high": score.high}) if score.signature else "",
        str(score.n),
        score.reason or score.signature or "",
    )
    out.print(table)
    if per_sample and score.values:
        _print_rows(name, score.values)


def _print_rows(name: str, values: Sequence[float | None]) -> None:
    from rich.table import Table

    rows = Table("row", name, box=None, header_style="bold")
    for index, value in enumerate(values, start=1):
        rows.add_row(str(index), _shown(value))
    stdout().print(rows)


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
