"""``grue submit``: hands a file, a run directory or a checkpoint to a board, and waits for its result where asked."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grue.cli.options import AsJson, Quiet
from grue.cli.output import note, print_json, stdout
from grue.core.errors import Exit

if TYPE_CHECKING:
    from collections.abc import Callable

    from grue.submissions.client import BoardClient, RefusedFileError, Sent
    from grue.submissions.packing import Source

app = typer.Typer(rich_markup_mode=None, add_completion=False)
_TOKEN = "GRUE_TOKEN"
_ENDED = ("done", "failed", "cancelled")
_POLL_SECONDS = 3.0


@app.command()
def submit(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|DIR|MODEL", help="Prediction file, run directory (or archive), checkpoint folder or hub id."
        ),
    ],
    name: Annotated[str, typer.Option("--name", help="Name on the board, 1 to 200 characters.")],
    url: Annotated[str | None, typer.Option("--url", help="Address of the board. [default: $GRUE_BASE_URL]")] = None,
    kind: Annotated[
        str | None, typer.Option("--kind", help="predictions, run or model. [default: what the source is]")
    ] = None,
    revision: Annotated[
        str | None, typer.Option("--revision", help="Branch, tag or commit of a hub id; pinned to its commit of now.")
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Put the result on the board as soon as it is there.")
    ] = False,
    description: Annotated[str, typer.Option("--description", help="What it is and how it was made.")] = "",
    link: Annotated[str, typer.Option("--link", help="Address of a paper, repository or model page.")] = "",
    licence: Annotated[str, typer.Option("--licence", help="Licence of the system.")] = "",
    trained_on: Annotated[str, typer.Option("--trained-on", help="What it was trained on.")] = "",
    contamination: Annotated[
        str, typer.Option("--contamination", help="Whether rows of the split were trained on, and how you know.")
    ] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the result. Exit code 0: done; 1: not.")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Submit to a board; it checks a file first, and takes no faulty one (exit code 2).

    The token of the account is read from the variable GRUE_TOKEN.
    """
    from grue.core.errors import UsageError
    from grue.submissions.client import BoardClient, RefusedFileError
    from grue.submissions.packing import source_of

    found = source_of(source, kind)
    token = os.environ.get(_TOKEN, "")
    if not token:
        raise UsageError(
            f"{_TOKEN} is not set.", "Make a token on the board's account page, or 'grue admin token NAME'."
        )
    fields = {
        "name": name,
        "kind": found.kind,
        "public": "yes" if public else "no",
        "description": description,
        "url": link,
        "licence": licence,
        "trained_on": trained_on,
        "contamination": contamination,
    }
    if found.model:
        fields |= {"model": found.model, "revision": revision or found.revision}
    tell = (lambda _: None) if quiet else note
    with BoardClient(_url(url), token, tell) as client:
        try:
            sent = _send(client, found, fields, tell)
        except RefusedFileError as error:
            _print_problems(error, as_json=as_json)
            return Exit.WRONG_CALL
        document: dict[str, Any] = {"id": sent.submission_id, "status": sent.status, "url": sent.url}
        if wait:
            if not quiet:
                note(f"Submitted: {sent.url}")
            document |= _wait(client, sent, tell)
    if as_json:
        print_json(document)
    else:
        _print(document)
    return Exit.YES if not wait or document["status"] == "done" else Exit.NO


def _url(given: str | None) -> str:
    from grue.core.errors import UsageError
    from grue.core.settings import load_settings

    url = given or load_settings(os.environ, Path.cwd())["GRUE_BASE_URL"]
    if not url:
        raise UsageError("Which board is not said.", "Give --url, or set GRUE_BASE_URL.")
    return url


def _send(client: BoardClient, source: Source, fields: dict[str, str], tell: Callable[[str], None]) -> Sent:
    from grue.submissions.client import SameContentError, Sent
    from grue.submissions.packing import sendable

    if source.files and source.path is not None:
        fields["checkpoint"] = client.upload(source.path, source.files)
    try:
        with sendable(source) as file:
            return client.submit(fields, file)
    except SameContentError as error:
        tell(f"{error.cause} It was not sent again.")
        known = client.status(error.submission_id)
        return Sent(error.submission_id, str(known["status"]), str(known["url"]))


def _wait(client: BoardClient, sent: Sent, tell: Callable[[str], None]) -> dict[str, Any]:
    """Follow a submission to its end; an interrupt leaves it running."""
    said = ""
    while True:
        found = client.status(sent.submission_id)
        if (line := _line(found)) != said:
            tell(line)
            said = line
        if found["status"] in _ENDED:
            return {key: found.get(key) for key in ("status", "reason", "detail", "run_id")}
        time.sleep(_POLL_SECONDS)


def _line(found: dict[str, Any]) -> str:
    status = str(found["status"])
    if status == "queued" and found.get("place"):
        return f"queued, place {found['place']}"
    progress = found.get("progress")
    if progress and progress["rows_total"]:
        return f"{status}: {progress['task']}, {progress['rows_done']:,} of {progress['rows_total']:,} rows"
    return status


def _print(document: dict[str, Any]) -> None:
    out = stdout()
    out.print(f"{document['status']}: {document['url']}")
    if document.get("detail"):
        out.print(f"{document['detail']} (reason {document['reason']})")


def _print_problems(error: RefusedFileError, *, as_json: bool) -> None:
    from dataclasses import asdict

    from rich.table import Table

    if as_json:
        errors = [asdict(problem) for problem in error.problems]
        print_json({"valid": False, "errors": errors, "error_count": error.count})
        return
    table = Table("line", "id", "problem", "fix", box=None, header_style="bold")
    for column in table.columns:
        column.overflow = "fold"
    for problem in error.problems:
        table.add_row("" if problem.line is None else str(problem.line), problem.id or "", problem.problem, problem.fix)
    out = stdout()
    out.print(table)
    more = error.count - len(error.problems)
    out.print(f"Not submitted: {error.count:,} errors" + (f", {more:,} not shown." if more else "."))
