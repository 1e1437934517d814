"""The request that is being answered, for code that has no request at hand: errors and logs."""

from __future__ import annotations

from contextvars import ContextVar

from starlette.types import Scope

_scope: ContextVar[Scope | None] = ContextVar("grue_scope", default=None)


def enter(scope: Scope) -> None:
    """Say which request the code that follows answers."""
    _scope.set(scope)


def header(name: bytes) -> str:
    """A header of the request that is being answered; empty where it has none."""
    scope = _scope.get()
    return header_of(scope, name) if scope is not None else ""


def header_of(scope: Scope, name: bytes) -> str:
    """A header of a request by its name in lower case; empty where it has none."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def path() -> str:
    """The path of the request that is being answered."""
    scope = _scope.get()
    return str(scope["path"]) if scope is not None else ""


def request_id() -> str:
    """The number of the request that is being answered; empty outside one."""
    scope = _scope.get()
    return request_id_of(scope) if scope is not None else ""


def request_id_of(scope: Scope) -> str:
    """The number of a request."""
    return str(scope.get("state", {}).get("request_id", ""))
