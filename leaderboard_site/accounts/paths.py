"""Own paths: where a sign-in may lead, and what of a path a log may hold."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

_LONGEST: Final = 2000
# A browser reads a backslash as a slash and drops tabs and line ends, so that "/\evil.example" is another site's.
_OWN = re.compile(r"/(?!/)[^\\\x00-\x20\x7f]*", re.ASCII)
_ID = re.compile(r"[0-9A-Za-z_.-]{1,100}", re.ASCII)
_INVITE = re.compile(r"(/invites/)[^/]+")


def own_path(text: str | None, otherwise: str = "/") -> str:
    """``text`` where it is a path of this site, else ``otherwise``.

    Args:
        text: As it came with the request; letters outside ASCII are escaped.
        otherwise: Where to go instead.
    """
    if text is None or len(text) > _LONGEST:
        return otherwise
    path = quote(text, errors="replace", safe="/?#[]@!$&'()*+,;=:%~-._\\ \t\r\n\x00")
    return path if _OWN.fullmatch(path) else otherwise


def is_id(text: str) -> bool:
    """Whether a part of an address may be looked up at all: PostgreSQL takes no null character, not even to search."""
    return _ID.fullmatch(text) is not None


def logged_path(path: str) -> str:
    """A path without the secret that an invite link carries."""
    return _INVITE.sub(r"\1…", path)
