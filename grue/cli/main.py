"""The shell around all commands: finds them lazily, turns errors into messages and exit codes."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from grue import __version__
from grue.cli.leaving import leave
from grue.cli.output import print_error
from grue.core.errors import Exit, GrueError, UsageError
from grue.core.text import nearest

# Command -> module with an `app`. Modules are imported when their command is named (or all are listed), and
# import nothing heavy before their function runs.
COMMANDS = {
    "eval": "grue.cli.eval",
    "merge": "grue.cli.merge",
    "score": "grue.cli.score",
    "gate": "grue.cli.gate",
    "prompts": "grue.cli.prompts",
    "validate": "grue.cli.validate",
    "demo": "grue.cli.demo",
    "doctor": "grue.cli.doctor",
    "runs": "grue.cli.runs",
    "samples": "grue.cli.samples",
    "validity": "grue.cli.validity",
    "compare": "grue.cli.compare",
    "verify": "grue.cli.verify",
    "leaderboard": "grue.cli.leaderboard",
    "export": "grue.cli.export",
    "import": "grue.cli.imports",
    "serve": "grue.cli.serve",
    "worker": "grue.cli.worker",
    "submit": "grue.cli.submit",
    "admin": "grue.cli.admin",
    "db": "grue.cli.db",
    "tasks": "grue.cli.tasks",
    "metrics": "grue.cli.metrics",
    "rewards": "grue.cli.rewards",
    "data": "grue.cli.data",
}
REPORT = "This is a bug in grue. Please report it with the lines above and the command you ran."


class Commands(TyperGroup):
    """The commands of the table above, each imported when asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """The command of that name, its module imported now, or ``None``."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command = typer.main.get_command(importlib.import_module(module).app)
        command.name = cmd_name
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the arguments name; the parser's own suggestion knows no command before it is loaded.

        Raises:
            UsageError: for an unknown name, with the nearest known one.
        """
        if args and not args[0].startswith("-") and args[0].replace("_", "-") not in COMMANDS:
            raise UsageError(
                f"No such command {args[0]!r}.{nearest(args[0], COMMANDS)}", "Run 'grue --help' to see all."
            )
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=Commands,
    name="grue",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": lambda name: name.replace("_", "-"),
        "max_content_width": 100,
    },
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"grue {__version__}")
        raise typer.Exit


@app.callback()
def shell(
    ctx: typer.Context,
    include: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of a task plugin outside the installed packages; any command, repeatable."),
    ] = None,
    version: Annotated[  # noqa: ARG001 - acted on by its callback
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Print the version.")
    ] = False,
) -> None:
    """Benchmark text generators that are trained with rewards.

    Start with `grue demo`, then `grue eval -m FOLDER -t grue`. Exit codes: 0 yes, 1 no, 2 the call is wrong,
    3 partly done, 4 not comparable, 70 a bug, 130 interrupted.
    """
    ctx.obj = tuple(include or ())


def main() -> NoReturn:
    """Entry point of the `grue` command."""
    leave(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code."""
    try:
        result = typer.main.get_command(app).main(
            args=_include_first(arguments), prog_name="grue", standalone_mode=False
        )
        return int(result or Exit.YES)
    except GrueError as error:
        print_error(error.cause, error.fix, error.place)
        return int(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        print_error("Interrupted.", "The same command goes on where it stopped.")
        return int(Exit.INTERRUPTED)
    except BrokenPipeError:
        # The reader of a pipe has gone; silence the interpreter's own complaint at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Exit.YES)
    except Exception as error:  # noqa: BLE001 - the last resort: every bug becomes exit code 70
        if hasattr(error, "format_message"):
            return _wrong_call(error)
        traceback.print_exc()
        print_error("Unexpected error.", REPORT)
        return int(Exit.BUG)


def _include_first(arguments: Sequence[str]) -> list[str]:
    """Move every ``--include PATH`` before the command, so that any command takes it anywhere."""
    front: list[str] = []
    rest: list[str] = []
    pending = iter(arguments)
    for argument in pending:
        if argument == "--":
            rest.extend((argument, *pending))
        elif argument == "--include":
            front.extend((argument, *([value] if (value := next(pending, None)) is not None else [])))
        elif argument.startswith("--include="):
            front.append(argument)
        else:
            rest.append(argument)
    return front + rest


def _wrong_call(error: Any) -> int:
    """Print a parser error with the nearest known name; exit code 2."""
    context = getattr(error, "ctx", None)
    usage = f"Run '{context.command_path} --help' to see what it takes." if context else "Run 'grue --help'."
    message = error.format_message()
    flag = getattr(error, "option_name", None)
    if flag and "Did you mean" not in message and context and type(error).__name__ == "NoSuchOption":
        known = [name for parameter in context.command.params for name in parameter.opts]
        message = f"No such option: {flag}.{nearest(flag.replace('_', '-'), known)}"
    print_error(message, usage)
    return int(Exit.WRONG_CALL)
