"""A small OpenID provider on a real port; it checks what a provider must, and can be told to misbehave."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from leaderboard_site.web.serving import listen

CLIENT, SECRET = "board", "the client's own secret"


@dataclass
class Provider:
    """What it knows, and how it misbehaves.

    Attributes:
        claims: Of the next id token, over the right ones; ``None`` leaves a claim out.
        fault: What else it does wrong.
        seen: The queries of the authorization endpoint.
        asked: Paths in the order they were asked for.
    """

    issuer: str = ""
    subject: str = "person-1"
    name: str = "Ada Lovelace"
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    claims: dict[str, Any] = field(default_factory=dict)
    fault: str = ""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    seen: list[dict[str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.discovery),
                Route("/authorize", self.authorize),
                Route("/token", self.token, methods=["POST"]),
                Route("/keys", self.keys),
                Route("/me", self.me),
            ]
        )

    def discovery(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        issuer = "https://another.example" if self.fault == "another issuer" else self.issuer
        return JSONResponse(
            {
                "issuer": issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": "ftp://x" if self.fault == "bad endpoint" else f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "userinfo_endpoint": f"{self.issuer}/me",
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    def authorize(self, request: Request) -> Response:
        """Let everybody in at once, as a provider does for somebody who is signed in there."""
        query = dict(request.query_params)
        self.seen.append(query)
        assert query["client_id"] == CLIENT
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        answer = {"code": code, "state": query["state"], "iss": self.issuer}
        if self.fault == "denied":
            answer = {"error": "access_denied", "state": query["state"]}
        if self.fault == "answer of another":
            answer["iss"] = "https://another.example"
        return RedirectResponse(f"{query['redirect_uri']}?{urlencode(answer)}", 302)

    async def token(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        body = dict(parse_qsl((await request.body()).decode()))
        basic = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if request.headers.get("authorization") != basic:
            return JSONResponse({"error": "invalid_client"}, 401)
        query = self.codes.pop(body["code"], None)  # good once
        digest = hashlib.sha256(body["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if query is None or query["redirect_uri"] != body["redirect_uri"] or query["code_challenge"] != challenge:
            return JSONResponse({"error": "invalid_grant"}, 400)
        if self.fault == "no json":
            return Response("busy", 200)
        access = secrets.token_urlsafe(16)
        self.tokens.add(access)
        answer = {"access_token": access, "token_type": "Bearer", "id_token": self.id_token(query["nonce"])}
        if self.fault == "no id token":
            del answer["id_token"]
        return JSONResponse(answer)

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer, "sub": self.subject, "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": nonce,
            "preferred_username": self.name, **self.claims,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.fault == "unsigned":
            parts = ({"alg": "none", "kid": "one"}, claims)
            import json

            head, body = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
            return f"{head}.{body}."
        if self.fault == "signed by the public key":
            public = OctKey.import_key(self.key.as_pem(private=False))
            return jwt.encode({"alg": "HS256", "kid": "one"}, claims, public)
        if self.fault == "signed by a stranger":
            return jwt.encode({"alg": "RS256", "kid": "one"}, claims, RSAKey.generate_key(2048, {"kid": "one"}))
        return jwt.encode({"alg": "RS256", "kid": str(self.key.kid)}, claims, self.key)

    def keys(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    def me(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.tokens:
            return JSONResponse({"error": "invalid_token"}, 401)
        return JSONResponse({"sub": self.subject, "name": "From Userinfo"})


@contextlib.contextmanager
def provider() -> Iterator[Provider]:
    """A provider that runs."""
    found = Provider()
    listener = listen("127.0.0.1", 0)
    found.issuer = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(found.app(), log_config=None, lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield found
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()
