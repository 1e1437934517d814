"""The cookie of a browser that is at an identity provider: signed, good for ten minutes and one return."""

from __future__ import annotations

import hashlib
import time
from dataclasses import asdict
from typing import Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from joserfc.jwt import JWTClaimsRegistry
from pydantic import SecretStr

from leaderboard_site.accounts.oidc import Departure

COOKIE: Final = "grue-departure"
SECONDS: Final = 600
_ALGORITHM: Final = "HS256"


def packed(departure: Departure, secret: SecretStr) -> str:
    """The value of the cookie."""
    claims = {**asdict(departure), "exp": int(time.time()) + SECONDS}
    return jwt.encode({"alg": _ALGORITHM}, claims, _key(secret))


def unpacked(value: str, secret: SecretStr) -> Departure | None:
    """What the cookie says; ``None`` where it was not signed here, or is too old."""
    try:
        claims = jwt.decode(value, _key(secret), algorithms=[_ALGORITHM]).claims
        JWTClaimsRegistry(exp={"essential": True}).validate(claims)
        return Departure(**{name: str(claims[name]) for name in Departure.__dataclass_fields__})
    except (JoseError, ValueError, KeyError):
        return None


def _key(secret: SecretStr) -> OctKey:
    # A key of its own, so that nothing else that the secret signs can pass for this cookie.
    return OctKey.import_key(hashlib.sha256(b"grue departure\0" + secret.get_secret_value().encode()).digest())
