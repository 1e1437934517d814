"""`grue admin user`: who may do what."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from grue.cli.options import AsJson
from grue.cli.output import note, print_json, stdout
from grue.core.errors import UsageError
from grue.core.text import nearest

if TYPE_CHECKING:
    from grue.store.database import Store
    from grue.store.service.values import User

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, add_completion=False)

Name = Annotated[str, typer.Argument(help="Name of an account.")]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@app.callback()
def group() -> None:
    """Make, list and change accounts."""


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="1 to 60 visible characters.")],
    role: Annotated[str, typer.Option(help="reader, submitter or host; each may do what the one before may.")],
    password_stdin: PasswordStdin = False,
    as_json: AsJson = False,
) -> None:
    """Make an account. Without a password it signs in by tokens alone: `grue admin token NAME`."""
    from grue.store.database import open_store
    from grue.store.service.users import create_user
    from leaderboard_site.accounts.passwords import hash_password

    hashed = hash_password(_from_stdin()) if password_stdin else None
    with open_store() as store:
        user = create_user(store, name, role, password_hash=hashed)
    _show(user, as_json, "made")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """All accounts by name."""
    from grue.store.database import open_store
    from grue.store.service.users import users

    with open_store() as store:
        found = users(store)
    if as_json:
        print_json({"users": [asdict(user) for user in found]})
        return
    if not found:
        note("No accounts yet. 'grue admin user add NAME --role host --password-stdin' makes the first.")
        return
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for heading in ("name", "role", "password", "created", "state"):
        table.add_column(heading, overflow="fold")
    for user in found:
        state = "disabled" if user.is_disabled else ""
        created = user.created_at[:16].replace("T", " ")
        table.add_row(user.name, user.role, "yes" if user.has_password else "no", created, state)
    stdout().print(table)


@app.command()
def role(
    name: Name,
    role: Annotated[str, typer.Argument(help="reader, submitter or host.")],
    as_json: AsJson = False,
) -> None:
    """Let an account do more or less."""
    from grue.store.database import open_store
    from grue.store.service.users import set_role

    with open_store() as store:
        set_role(store, known_user(store, name).user_id, role)
        user = known_user(store, name)
    _show(user, as_json, "changed")


@app.command()
def password(name: Name, password_stdin: PasswordStdin = False, as_json: AsJson = False) -> None:
    """Set an account's password; whoever is signed in to it is signed out."""
    from grue.store.database import open_store
    from grue.store.service.users import set_password_hash
    from leaderboard_site.accounts.passwords import hash_password

    if not password_stdin:
        raise UsageError("There is no password.", "Pipe it in: … | grue admin user password NAME --password-stdin")
    hashed = hash_password(_from_stdin())
    with open_store() as store:
        set_password_hash(store, known_user(store, name).user_id, hashed)
        user = known_user(store, name)
    _show(user, as_json, "changed")


@app.command()
def disable(name: Name, as_json: AsJson = False) -> None:
    """Disable an account, which ends its sign-ins and revokes its tokens. What it submitted stays."""
    _set_disabled(name, as_json, is_disabled=True)


@app.command()
def enable(name: Name, as_json: AsJson = False) -> None:
    """Enable an account again. Its tokens stay revoked."""
    _set_disabled(name, as_json, is_disabled=False)


def known_user(store: Store, name: str) -> User:
    """The account of that name, whatever its case.

    Raises:
        UsageError: where there is none, with the nearest one.
    """
    from grue.store.service.users import user_by_name, users

    found = user_by_name(store, name)
    if found is None:
        others = nearest(name, [user.name for user in users(store)])
        raise UsageError(f"There is no account {name!r}.{others}", "'grue admin user list' shows all.")
    return found


def _set_disabled(name: str, as_json: bool, *, is_disabled: bool) -> None:
    from grue.store.database import open_store
    from grue.store.service.users import set_disabled

    with open_store() as store:
        set_disabled(store, known_user(store, name).user_id, is_disabled)
        user = known_user(store, name)
    _show(user, as_json, "disabled" if is_disabled else "enabled")


def _show(user: User, as_json: bool, done: str) -> None:
    if as_json:
        print_json(asdict(user))
    else:
        stdout().print(f"{user.name}: {done}, {user.role}.", soft_wrap=True)


def _from_stdin() -> str:
    text = sys.stdin.read(10_000)
    return text.removesuffix("\n").removesuffix("\r")
