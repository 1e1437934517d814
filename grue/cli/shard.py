"""A part of a run on the command line: the call that makes it, and what is said when it is done."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import typer

from grue.cli.options import included
from grue.cli.output import print_json, stdout
from grue.core.errors import Exit

if TYPE_CHECKING:
    from grue.runs.read import StoredRun

_USER_INFO = re.compile(r"(?<=//)[^/@]*@")


def given_call(ctx: typer.Context) -> tuple[str, ...]:
    """The command line as it was given, without the program's name and without secrets in an address."""
    words = [str(ctx.info_name)]
    for folder in included(ctx):
        words += ["--include", str(folder)]
    for parameter in ctx.command.params:
        source = ctx.get_parameter_source(parameter.name or "")
        if source is None or source.name != "COMMANDLINE":
            continue
        value, flag = ctx.params[parameter.name or ""], max(parameter.opts, key=len)
        if value is True:
            words.append(flag)
            continue
        for one in value if isinstance(value, list | tuple) else (value,):
            words += [flag, _USER_INFO.sub("", str(one))]
    return tuple(words)


def print_shard(stored: StoredRun, *, as_json: bool) -> int:
    """Print where a part is and what comes next; returns the exit code, 3 where rows are missing."""
    manifest, results = stored.manifest_value(), stored.results_value()
    shard = manifest.shard
    expected = {name: task.expected * manifest.tasks[name].samples for name, task in results.tasks.items()}
    stored_counts = {name: stored.samples(name).num_rows for name in results.tasks}
    errors = {name: results.tasks[name].error for name in expected if stored_counts[name] < expected[name]}
    code = int(Exit.PARTLY if errors else Exit.YES)
    if as_json:
        print_json(
            {
                "run_id": manifest.run_id,
                "path": str(stored.path),
                "status": results.status,
                "shard": shard.to_json() if shard else None,
                "generations": {name: {"expected": expected[name], "stored": stored_counts[name]} for name in expected},
                "results": dict(stored.results),
            }
        )
        return code
    console = stdout()
    for name, error in errors.items():
        console.print(f"! {name}: {error}", soft_wrap=True)
    made, asked = sum(stored_counts.values()), sum(expected.values())
    console.print(f"{made:,} of {asked:,} generations of {shard} are stored: {stored.path}", soft_wrap=True)
    folders = re.sub(r"-shard-\d+-of-\d+$", "-shard-*", shlex.quote(str(stored.path)))
    parts = folders if folders.endswith("*") else "SHARD_DIR…"
    console.print(f"Next, when all parts are done: grue merge {parts} -o DIR", soft_wrap=True)
    return code
