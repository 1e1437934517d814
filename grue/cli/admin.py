"""`grue admin`: accounts and decisions of a host, from the machine that has the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from grue.cli.admin_users import app as user_app
from grue.cli.admin_users import known_user
from grue.cli.options import AsJson, included
from grue.cli.output import note, print_json, stdout
from grue.core.errors import UsageError

if TYPE_CHECKING:
    from grue.store.database import Store
    from grue.store.service.values import Limits
    from grue.submissions.settings import ServiceSettings

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, add_completion=False)
app.add_typer(user_app, name="user")

Name = Annotated[str, typer.Argument(help="Name of an account.")]
Task = Annotated[str, typer.Argument(help="A task's name.")]
Run = Annotated[str, typer.Argument(metavar="RUN", help="Run id.")]
ACTOR = "command line"


@app.callback()
def group() -> None:
    """Accounts, quotas and decisions of a host. Needs the database ($GRUE_DATABASE_URL), not the server."""


@app.command()
def token(
    name: Name,
    label: Annotated[str, typer.Option(help="Where it is used, so that you know which one to revoke.")] = "grue admin",
    scope: Annotated[
        list[str] | None,
        typer.Option(help="read, submit or host; repeatable. [default: all that the account's role may]"),
    ] = None,
    days: Annotated[float | None, typer.Option(help="How long it holds. [default: until it is revoked]")] = None,
    as_json: AsJson = False,
) -> None:
    """Print a new token of an account, for `Authorization: Bearer`. It is stored as a hash and never shown again."""
    from grue.store.database import open_store
    from grue.store.service.tokens import create_token
    from grue.store.service.values import ROLES, SCOPES

    with open_store() as store:
        user = known_user(store, name)
        scopes = scope or SCOPES[: ROLES.index(user.role) + 1]
        raw, made = create_token(store, user.user_id, label, scopes, days=days, actor=ACTOR)
    if as_json:
        print_json({"token": raw, **asdict(made), "scopes": list(made.scopes)})
    else:
        print_line(raw)


@app.command()
def invite(
    role: Annotated[str, typer.Option(help="reader, submitter or host.")] = "submitter",
    days: Annotated[float, typer.Option(help="How long the link is good.")] = 7.0,
    as_json: AsJson = False,
) -> None:
    """Print a link by which one person makes one account, with a password or by an identity provider."""
    from grue.store.service.invites import invite as make

    with _service() as (settings, store, _):
        raw, made = make(store, ACTOR, role, days)
    link = f"{settings.base_url or f'http://{settings.host}:{settings.port}'}/invites/{raw}"
    if as_json:
        print_json({"link": link, **asdict(made)})
    else:
        print_line(link)


@app.command()
def quota(
    name: Name,
    scored: Annotated[str | None, typer.Option(help="Scored submissions a day, or `settings`.")] = None,
    attempts: Annotated[str | None, typer.Option(help="Checked uploads a day, or `settings`.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what an account has used today, after setting quotas of its own where some are given."""
    from grue.store.service.quotas import usage
    from grue.store.service.users import set_quota

    with _service() as (_, store, limits):
        user = known_user(store, name)
        if scored is not None or attempts is not None:
            own_scored = user.scored_per_day if scored is None else _number("--scored", scored)
            own_attempts = user.attempts_per_day if attempts is None else _number("--attempts", attempts)
            set_quota(store, user.user_id, own_scored, own_attempts, actor=ACTOR)
        used = usage(store, user.user_id, limits)
    if as_json:
        print_json({"name": user.name, **asdict(used)})
    else:
        print_line(f"scored today: {used.scored} of {used.limits.scored_per_day}")
        print_line(f"uploads today: {used.attempts} of {used.limits.attempts_per_day}")
        print_line(f"jobs waiting: {used.waiting} of {used.limits.jobs_waiting}")


@app.command()
def audit(
    limit: Annotated[int, typer.Option(help="Lines at a time, up to 1,000.")] = 100,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended. [default: the newest]")] = None,
    as_json: AsJson = False,
) -> None:
    """Who did what, newest first."""
    from grue.store.database import open_store
    from grue.store.service.audit import audit_log
    from grue.store.service.users import users

    with open_store() as store:
        page = audit_log(store, limit=limit, cursor=cursor)
        names = {user.user_id: user.name for user in users(store)}
    if as_json:
        print_json({"lines": [asdict(line) for line in page.lines], "next_cursor": page.next_cursor})
        return
    for line in page.lines:
        actor, thing = names.get(line.actor, line.actor), names.get(line.thing, line.thing)
        print_line("  ".join(part for part in (line.at, actor, line.action, thing, line.detail) if part))
    if page.next_cursor:
        note(f"There are more: --cursor {page.next_cursor}")


@app.command("close-task")
def close_task(ctx: typer.Context, task: Task, as_json: AsJson = False) -> None:
    """Let a task take no submissions any longer; those that wait are scored."""
    _set_closed(ctx, task, as_json, is_closed=True)


@app.command("open-task")
def open_task(ctx: typer.Context, task: Task, as_json: AsJson = False) -> None:
    """Let a task take submissions again."""
    _set_closed(ctx, task, as_json, is_closed=False)


@app.command()
def hide(
    run: Run,
    reason: Annotated[str, typer.Option(help="Why, in a sentence: for the audit log and the other hosts.")],
    as_json: AsJson = False,
) -> None:
    """Hide a run from every public page. It stays in the store."""
    from grue.store.database import open_store
    from grue.store.service.visibility import hide_run

    with open_store() as store:
        hide_run(store, run, reason, ACTOR)
    _say(as_json, {"run_id": run, "is_hidden": True, "reason": reason}, f"{run} is hidden: {reason}")


@app.command()
def unhide(run: Run, as_json: AsJson = False) -> None:
    """Show a run again that a host has hidden."""
    from grue.store.database import open_store
    from grue.store.service.visibility import unhide_run

    with open_store() as store:
        unhide_run(store, run, ACTOR)
    _say(as_json, {"run_id": run, "is_hidden": False}, f"{run} is not hidden.")


def print_line(text: str) -> None:
    """A line of the result, whole however long it is."""
    stdout().print(text, soft_wrap=True)


def _say(as_json: bool, document: dict[str, str | bool], text: str) -> None:
    if as_json:
        print_json(document)
    else:
        print_line(text)


def _set_closed(ctx: typer.Context, task: str, as_json: bool, *, is_closed: bool) -> None:
    from grue.registry.tasks import expand
    from grue.store.database import open_store
    from grue.store.service.hosts import set_task_closed

    names = expand(task, included(ctx)).names
    with open_store() as store:
        for one in names:
            set_task_closed(store, one, is_closed, ACTOR)
    said = "closed: takes no submissions" if is_closed else "open"
    _say(as_json, {"task": task, "is_closed": is_closed}, f"{task} is {said}.")


def _number(flag: str, text: str) -> int | None:
    if text == "settings":
        return None
    if not (text.isascii() and text.isdigit()):
        raise UsageError(f"{flag}: {text!r} is no number.", "Write a number a day, or `settings` for that of all.")
    return int(text)


@contextmanager
def _service() -> Iterator[tuple[ServiceSettings, Store, Limits]]:
    from grue.store.database import open_store
    from grue.store.service.values import Limits
    from grue.submissions.settings import service_settings

    settings = service_settings()
    limits = Limits(
        scored_per_day=settings.scored_per_day,
        attempts_per_day=settings.attempts_per_day,
        jobs_waiting=settings.jobs_waiting,
    )
    with open_store(settings.database_url or None) as store:
        yield settings, store, limits
