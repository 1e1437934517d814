"""Sign-in by an identity provider: authorization code with state, nonce and PKCE, by Authlib.

Sources: OpenID Connect Core 1.0, section 3.1; RFC 7636 (PKCE); RFC 9207 (issuer of an answer).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx
from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from leaderboard_site.accounts.providers import (
    TIMEOUT_SECONDS,
    Directory,
    Endpoints,
    Provider,
    ProviderError,
    fetch_json,
)

# Signatures by a key pair only: with a shared secret, or none, anybody could write the token.
_ALGORITHMS: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
)  # fmt: skip
_CLOCKS_SECONDS: Final = 60
_NAMES: Final = ("preferred_username", "nickname", "name", "given_name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a provider says somebody is: an issuer and its own lasting id of the person; the name may change."""

    issuer: str
    subject: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A browser on its way to a provider; the secrets stay in its own signed cookie until it is back."""

    provider: str
    state: str
    nonce: str
    verifier: str
    next: str
    invite: str


def depart(provider: Provider, *, next_path: str, invite: str) -> Departure:
    """Secrets of one sign-in."""
    return Departure(
        provider=provider.key,
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        next=next_path,
        invite=invite,
    )


def authorization_address(directory: Directory, provider: Provider, departure: Departure, callback: str) -> str:
    """Where the browser is sent to.

    Raises:
        ProviderError: where the provider cannot be asked for its address.
    """
    extra = {"nonce": departure.nonce} if provider.is_openid else {}
    with _session() as session:
        address, _ = _client(session, provider, callback).create_authorization_url(
            directory.endpoints(provider).authorization,
            state=departure.state,
            code_verifier=departure.verifier,
            **extra,
        )
    return str(address)


def identity_of(
    directory: Directory, provider: Provider, departure: Departure, callback: str, answer: Mapping[str, str]
) -> Identity:
    """Who came back.

    Args:
        directory: What the provider says about itself.
        provider: Where the browser was.
        departure: From its cookie.
        callback: The address that it came back to, as the provider knows it.
        answer: The query that it came with.

    Raises:
        ProviderError: where the answer is refused, of another sign-in, or forged.
    """
    if not secrets.compare_digest(answer.get("state", "").encode(), departure.state.encode()):
        raise ProviderError("The answer belongs to another sign-in.", "Begin again.")
    # A provider that names itself in the answer is held to it, so that no other can slip its codes in.
    if answer.get("iss", provider.issuer) != provider.issuer:
        raise ProviderError("The answer comes from another provider.", "Begin again.")
    if answer.get("error"):
        raise ProviderError(f"{provider.label} did not let you in.", "Begin again, or take another way.")
    if not answer.get("code"):
        raise ProviderError(f"{provider.label} answered without a code.", "Begin again.")
    endpoints = directory.endpoints(provider)
    token = _token(provider, endpoints, departure, callback, answer["code"])
    if provider.is_openid:
        return _from_id_token(directory, provider, endpoints, departure, token)
    user = fetch_json(endpoints.user, {"Authorization": f"Bearer {token.get('access_token')}"})
    if not isinstance(user.get("id"), int):
        raise ProviderError(f"{provider.label} does not say who you are.")
    return Identity(issuer=provider.issuer, subject=str(user["id"]), name=str(user.get("login") or ""))


def _client(session: httpx.Client, provider: Provider, callback: str) -> OAuth2Client:
    return OAuth2Client(
        session,
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        scope=provider.scope,
        redirect_uri=callback,
        code_challenge_method="S256",
    )


def _token(
    provider: Provider, endpoints: Endpoints, departure: Departure, callback: str, code: str
) -> Mapping[str, Any]:
    extra: dict[str, str] = {}
    auth: httpx.Auth | tuple[str, str] = httpx.Auth()  # no credentials in the head
    if not provider.client_secret:
        extra = {"client_id": provider.client_id}
    elif endpoints.auth_method == "client_secret_post":
        extra = {"client_id": provider.client_id, "client_secret": provider.client_secret}
    else:
        auth = (provider.client_id, provider.client_secret)
    try:
        with _session() as session:
            token = _client(session, provider, callback).fetch_token(
                endpoints.token,
                auth=auth,
                grant_type="authorization_code",
                code=code,
                redirect_uri=callback,
                code_verifier=departure.verifier,
                **extra,
            )
    except OAuth2Error as error:
        raise ProviderError(f"{provider.label} did not take the code: {error.error}.", "Begin again.") from None
    except (httpx.HTTPError, ValueError) as error:
        raise ProviderError(f"{provider.label} did not answer: {type(error).__name__}.", "Try again later.") from None
    return dict(token)


def _from_id_token(
    directory: Directory, provider: Provider, endpoints: Endpoints, departure: Departure, token: Mapping[str, Any]
) -> Identity:
    text, access = token.get("id_token"), token.get("access_token")
    if not isinstance(text, str):
        raise ProviderError(f"{provider.label} gave no id token.", "It must speak OpenID Connect.")
    try:
        claims = _claims(directory, provider, endpoints, departure, text, access)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise ProviderError(
            f"The id token of {provider.label} is not valid ({type(error).__name__}).", "Begin again."
        ) from None
    name = _name(claims)
    if not name and endpoints.user and isinstance(access, str):
        user = fetch_json(endpoints.user, {"Authorization": f"Bearer {access}"})
        name = _name(user) if user.get("sub") == claims["sub"] else ""
    return Identity(issuer=provider.issuer, subject=str(claims["sub"]), name=name)


def _claims(
    directory: Directory,
    provider: Provider,
    endpoints: Endpoints,
    departure: Departure,
    text: str,
    access: object,
) -> Mapping[str, Any]:
    algorithms = [name for name in endpoints.algorithms if name in _ALGORITHMS]
    try:
        token = jwt.decode(text, KeySet.import_key_set(directory.keys(provider)), algorithms=algorithms)  # type: ignore[arg-type]
    except InvalidKeyIdError:
        keys = KeySet.import_key_set(directory.keys(provider, anew=True))  # type: ignore[arg-type]
        token = jwt.decode(text, keys, algorithms=algorithms)
    options = {
        "iss": {"essential": True, "value": provider.issuer},
        "aud": {"essential": True, "value": provider.client_id},
        "sub": {"essential": True},
    }
    known = {"nonce": departure.nonce, "client_id": provider.client_id, "access_token": access}
    claims = CodeIDToken(token.claims, token.header, options, known)
    claims.validate(leeway=_CLOCKS_SECONDS)
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
        raise ValueError("sub")
    return dict(claims)


def _name(claims: Mapping[str, Any]) -> str:
    found = (claims.get(key) for key in _NAMES)
    return next((value for value in found if isinstance(value, str) and value.strip()), "")


def _session() -> httpx.Client:
    return httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False)
