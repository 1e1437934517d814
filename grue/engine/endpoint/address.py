"""Where an endpoint is and the key to it: what may be written down, and what never is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from grue.core.errors import UsageError

KEY_VARIABLE = "OPENAI_API_KEY"
EXAMPLE = "http://127.0.0.1:8000/v1"
HIDDEN = "[key]"
# A shorter key is a placeholder such as `x`; hiding it would hide ordinary letters.
LEAST_KEY_CHARACTERS = 4
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """Base address of an endpoint, in one spelling and without secrets.

    Attributes:
        scheme: ``http`` or ``https``.
        host: Host name in lower case, with the port where it is not the scheme's own.
        path: Path without a slash at its end, such as ``/v1``.
    """

    scheme: str
    host: str
    path: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}{self.path}"

    @property
    def root(self) -> str:
        """The address without its last ``/v1``, where servers tell their version."""
        return f"{self.scheme}://{self.host}{self.path.removesuffix('/v1')}"

    @property
    def is_local(self) -> bool:
        """Whether what is sent there never leaves this machine."""
        name = urlsplit(str(self)).hostname or ""
        try:
            return ip_address(name).is_loopback
        except ValueError:
            return name == "localhost" or name.endswith(".localhost")


def read_address(text: str | None) -> Address:
    """Check ``--base-url``; a text that may hold a secret is not repeated in messages.

    Raises:
        UsageError: where it is missing, is no address, or carries a user, a query or a fragment.
    """
    if not text or not text.strip():
        raise UsageError("An endpoint needs its address.", f"Add --base-url, for example --base-url {EXAMPLE}.")
    text = text.strip()
    try:
        parts = urlsplit(text)
        name, port = parts.hostname, parts.port
    except ValueError:
        raise _no_address(text) from None
    if parts.username is not None or parts.password is not None or "@" in text:
        raise UsageError(
            "--base-url holds a user or a password.", f"Leave them out; the key is read from {KEY_VARIABLE}."
        )
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise UsageError(
            "--base-url holds a query or a fragment.",
            f"Give the address up to its path; a key is read from {KEY_VARIABLE}.",
        )
    if parts.scheme not in _DEFAULT_PORTS or not name or not text.isprintable() or " " in text:
        raise _no_address(text)
    shown = f"[{name}]" if ":" in name else name
    host = shown if port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{shown}:{port}"
    return Address(parts.scheme, host, parts.path.rstrip("/"))


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """The secret of an endpoint; empty where none is needed."""

    text: str = ""

    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {"Authorization": f"Bearer {self.text}"} if self.text else {}

    def is_in(self, text: str) -> bool:
        """Whether a text gives the key away."""
        return len(self.text) >= LEAST_KEY_CHARACTERS and self.text in text

    def hide(self, text: str) -> str:
        """The text without the key."""
        return text.replace(self.text, HIDDEN) if self.is_in(text) else text


def read_key(environment: Mapping[str, str]) -> Key:
    """The key in the environment.

    Raises:
        UsageError: where it holds what cannot stand in a header; the message does not repeat it.
    """
    text = environment.get(KEY_VARIABLE, "").strip()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise UsageError(f"{KEY_VARIABLE} holds blanks or characters that no key has.", "Set it to the key alone.")
    return Key(text)


def _no_address(text: str) -> UsageError:
    shown = f" {text!r}" if "@" not in text and "?" not in text else ""
    return UsageError(f"--base-url{shown} is no http or https address.", f"Write it like {EXAMPLE}.")
