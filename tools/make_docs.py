"""Write docs/commands.md from the code: every command with its flags, as `--help` prints them.

Run by `make docs`; a test fails while the file differs from what this prints.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import typer

from grue.cli.main import COMMANDS, app

TARGET = Path(__file__).resolve().parents[1] / "docs" / "commands.md"
HEAD = """# Commands

Made from the code by `make docs`. Exit codes: 0 done and yes, 1 done and no, 2 the call is wrong, 3 partly done,
4 not comparable, 70 a bug, 130 interrupted.
"""


def page() -> str:
    """The whole page as Markdown."""
    group = typer.main.get_command(app)
    with typer.Context(group, info_name="grue") as root:
        parts = [HEAD, _block(group, root)]
        for name in COMMANDS:
            parts.extend(_command(group.get_command(root, name), name, root))  # type: ignore[attr-defined]
    return "\n".join(parts)


def _command(command: Any, name: str, parent: Any) -> list[str]:
    with typer.Context(command, info_name=name, parent=parent) as ctx:
        parts = [f"## grue {name}\n" if parent.parent is None else f"### {ctx.command_path}\n", _block(command, ctx)]
        for child in command.list_commands(ctx) if hasattr(command, "list_commands") else ():
            parts.extend(_command(command.get_command(ctx, child), child, ctx))
        return parts


def _block(command: Any, ctx: Any) -> str:
    ctx.terminal_width = ctx.max_content_width = 100
    return f"```\n{command.get_help(ctx).rstrip()}\n```\n"


if __name__ == "__main__":
    os.environ["NO_COLOR"] = "1"
    if "--check" in sys.argv:
        sys.exit(TARGET.read_text(encoding="utf-8") != page())
    TARGET.write_text(page(), encoding="utf-8")
