"""Identity providers of the settings, and what each of them says about itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from grue.core.errors import GrueError
from grue.submissions.settings import ServiceSettings

TIMEOUT_SECONDS: Final = 10.0
_DISCOVERY: Final = "/.well-known/openid-configuration"
_KEEP_SECONDS: Final = 3600.0
# A key that is not known may be new, but nobody makes us ask for keys more often than that.
_KEYS_SECONDS: Final = 60.0
_MOST_BYTES: Final = 1_000_000
_METHODS: Final = ("client_secret_basic", "client_secret_post")


class ProviderError(GrueError):
    """An identity provider cannot be reached, or answers what no provider may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One way to sign in, as the settings name it.

    Attributes:
        key: Its part of an address.
        label: What people know it by.
        issuer: Who vouches for an identity; its discovery document is found below it.
        client_secret: Empty for a client that has none.
        scope: What is asked for.
        is_openid: Whether it speaks OpenID Connect; GitHub has OAuth 2 and an address of its own for the user.
    """

    key: str
    label: str
    issuer: str
    client_id: str
    client_secret: str
    scope: str = "openid profile"
    is_openid: bool = True

    def __repr__(self) -> str:
        return f"Provider(key={self.key!r}, issuer={self.issuer!r})"  # a traceback holds no secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Addresses of a provider, and how it wants to be spoken to.

    Attributes:
        keys: Of the keys that sign its tokens; empty without OpenID Connect.
        user: Who an access token belongs to; empty where there is none.
        algorithms: That it signs tokens by.
        auth_method: How a client proves itself: ``client_secret_basic`` or ``client_secret_post``.
    """

    authorization: str
    token: str
    keys: str
    user: str
    algorithms: tuple[str, ...]
    auth_method: str


GITHUB: Final = Endpoints(
    authorization="https://github.com/login/oauth/authorize",
    token="https://github.com/login/oauth/access_token",
    keys="",
    user="https://api.github.com/user",
    algorithms=(),
    auth_method="client_secret_post",
)


def providers(settings: ServiceSettings) -> tuple[Provider, ...]:
    """The providers that the settings name, in the order of the sign-in page."""
    found = []
    if settings.github_client_id:
        found.append(
            Provider(
                key="github",
                label="GitHub",
                issuer="https://github.com",
                client_id=settings.github_client_id,
                client_secret=settings.github_client_secret.get_secret_value(),
                scope="read:user",
                is_openid=False,
            )
        )
    if settings.huggingface_client_id:
        found.append(
            Provider(
                key="huggingface",
                label="Hugging Face",
                issuer="https://huggingface.co",
                client_id=settings.huggingface_client_id,
                client_secret=settings.huggingface_client_secret.get_secret_value(),
            )
        )
    if settings.oidc_issuer and settings.oidc_client_id:
        found.append(
            Provider(
                key="oidc",
                label=settings.oidc_name,
                issuer=settings.oidc_issuer,
                client_id=settings.oidc_client_id,
                client_secret=settings.oidc_client_secret.get_secret_value(),
            )
        )
    return tuple(found)


class Directory:
    """What providers say about themselves, asked for when first needed and kept for an hour."""

    def __init__(self) -> None:
        self._endpoints: dict[str, tuple[float, Endpoints]] = {}
        self._keys: dict[str, tuple[float, dict[str, Any]]] = {}
        self._lock = threading.Lock()

    def endpoints(self, provider: Provider) -> Endpoints:
        """Addresses of a provider.

        Raises:
            ProviderError: where it cannot be reached or names another issuer.
        """
        if not provider.is_openid:
            return GITHUB
        with self._lock:
            known = self._endpoints.get(provider.issuer)
        if known is None or time.monotonic() - known[0] > _KEEP_SECONDS:
            known = (time.monotonic(), _discovered(provider))
            with self._lock:
                self._endpoints[provider.issuer] = known
        return known[1]

    def keys(self, provider: Provider, *, anew: bool = False) -> dict[str, Any]:
        """The keys that sign a provider's tokens, as a JSON Web Key set.

        Args:
            provider: Whose.
            anew: Ask again, since a token was signed by a key that is not among those known.

        Raises:
            ProviderError: where they cannot be had.
        """
        with self._lock:
            known = self._keys.get(provider.issuer)
        keep = _KEYS_SECONDS if anew else _KEEP_SECONDS
        if known is None or time.monotonic() - known[0] > keep:
            known = (time.monotonic(), dict(fetch_json(self.endpoints(provider).keys)))
            with self._lock:
                self._keys[provider.issuer] = known
        return known[1]


def fetch_json(address: str, headers: Mapping[str, str] | None = None) -> Mapping[str, Any]:
    """A JSON object of a provider; redirects are not followed.

    Raises:
        ProviderError: where there is none.
    """
    try:
        with (
            httpx.Client(timeout=TIMEOUT_SECONDS, headers={"Accept": "application/json", **(headers or {})}) as client,
            client.stream("GET", address) as response,
        ):
            if response.status_code != 200:
                raise ProviderError(f"{_shown(address)} answers with status {response.status_code}.")
            content = b""
            for part in response.iter_bytes():
                content += part
                if len(content) > _MOST_BYTES:
                    raise ProviderError(f"{_shown(address)} answers with more than a document.")
            document = httpx.Response(200, content=content).json()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ProviderError(f"{_shown(address)} cannot be reached: {type(error).__name__}.") from None
    except ValueError as error:
        raise ProviderError(f"{_shown(address)} answers with no JSON.") from error
    if not isinstance(document, dict):
        raise ProviderError(f"{_shown(address)} answers with JSON that is no object.")
    return document


def _discovered(provider: Provider) -> Endpoints:
    # The only address that is asked because of a setting; what it names must be as safe as itself.
    document = fetch_json(provider.issuer.rstrip("/") + _DISCOVERY)
    if document.get("issuer") != provider.issuer:
        raise ProviderError(
            f"The discovery document of {provider.issuer} is of another issuer.",
            "Write GRUE_OIDC_ISSUER exactly as the document's 'issuer' has it.",
        )
    methods = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return Endpoints(
        authorization=_address(provider, document, "authorization_endpoint"),
        token=_address(provider, document, "token_endpoint"),
        keys=_address(provider, document, "jwks_uri"),
        user=_address(provider, document, "userinfo_endpoint") if "userinfo_endpoint" in document else "",
        algorithms=tuple(document.get("id_token_signing_alg_values_supported") or ("RS256",)),
        auth_method=next((method for method in _METHODS if method in methods), _METHODS[0]),
    )


def _address(provider: Provider, document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    schemes = ("https",) if provider.issuer.startswith("https://") else ("https", "http")
    if not isinstance(value, str) or urlsplit(value).scheme not in schemes:
        raise ProviderError(f"The discovery document of {provider.issuer} has no usable '{name}'.")
    return value


def _shown(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"
