"""`grue rewards`: list them, compute one on a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grue.cli.options import AsJson
from grue.cli.output import print_json, stdout
from grue.core.errors import UsageError
from grue.rewards import REWARDS, absence

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Reward functions on their own."""


@app.command("list")
def list_rewards(as_json: AsJson = False) -> None:
    """List all rewards, and whether this machine computes them."""
    if as_json:
        print_json(
            {
                "rewards": [
                    {"name": name, "summary": entry.summary, "needs_model": entry.needs_model, "reason": absence(name)}
                    for name, entry in REWARDS.items()
                ]
            }
        )
        return
    from rich.table import Table

    table = Table("reward", "state", "summary", box=None, header_style="bold")
    for name, entry in REWARDS.items():
        table.add_row(name, "absent", entry.summary)
    stdout().print(table)


@app.command()
def compute(
    name: Annotated[str, typer.Argument(help="Reward name.")],
    file: Annotated[Path, typer.Argument(help="JSON lines, as for `grue metrics compute`.")],  # noqa: ARG001
) -> None:
    """Compute a reward on a file of predictions."""
    raise UsageError(
        f"The reward {name!r} cannot be computed: {absence(name)}.", "Run 'grue rewards list' to see what there is."
    )
