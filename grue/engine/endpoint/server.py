"""What a server tells of itself before anything is generated."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grue.core.errors import CheckpointError
from grue.core.text import nearest
from grue.engine.endpoint.address import Address, Key
from grue.engine.endpoint.answer import MalformedError, read_object
from grue.engine.endpoint.client import Client, Reply, connected
from grue.engine.endpoint.faults import Fault, RowRefusedError, raise_for, wait_before
from grue.engine.endpoint.payload import KNOWN_SERVERS, LLAMA_CPP

OPEN_ATTEMPTS = 3
SHOWN_MODELS = 5
_NO_LIST = (404, 405, 501)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The program behind an address.

    Attributes:
        program: A known one, else ``None``.
        version: In its own words; ``None`` where it does not say.
        models: Names of the models it lists; empty where it lists none.
    """

    program: str | None = None
    version: str | None = None
    models: Sequence[str] = ()

    def __str__(self) -> str:
        return " ".join(filter(None, (self.program, self.version)))

    def note_on(self, model: str) -> str | None:
        """A sentence where the server lists models and this one is not among them."""
        if not self.models or model in self.models:
            return None
        listed = ", ".join(self.models[:SHOWN_MODELS])
        more = f" and {len(self.models) - SHOWN_MODELS} more" if len(self.models) > SHOWN_MODELS else ""
        return f"The endpoint does not list {model!r}.{nearest(model, self.models)} It lists {listed}{more}."


async def look_at(address: Address, key: Key) -> Server:
    """Ask a server what it is.

    Raises:
        CheckpointError: where it cannot be reached, or does not let this key in.
    """
    async with connected(address, key, 1) as client:
        listed = await _models(client)
        owners = {model.get("owned_by") for model in listed}
        program = next((name for name in KNOWN_SERVERS if name in owners), None)
        names = tuple(model["id"] for model in listed if isinstance(model.get("id"), str))
        return Server(program=program, version=await _version(client, program), models=names)


async def _models(client: Client) -> list[dict[str, Any]]:
    """The objects of the list of models; empty for a server without one, or one that fails to make it."""
    try:
        reply = await _patiently(client, f"{client.address}/models")
    except Fault as fault:
        raise CheckpointError(
            f"The endpoint cannot be reached: {fault.reason}.",
            "Check --base-url and that the server runs.",
            place=str(client.address),
        ) from None
    if reply.status in _NO_LIST:
        return []
    try:
        raise_for(reply.status, reply.headers, reply.body, address=client.address, key=client.key)
        data = read_object(reply.body).get("data")
    except (Fault, RowRefusedError, MalformedError):
        return []
    return [model for model in data if isinstance(model, dict)] if isinstance(data, list) else []


async def _version(client: Client, program: str | None) -> str | None:
    """What ``/version`` (vLLM and others) or llama.cpp's ``/props`` says."""
    path, field = ("/props", "build_info") if program == LLAMA_CPP else ("/version", "version")
    try:
        reply = await _patiently(client, f"{client.address.root}{path}")
        version = read_object(reply.body).get(field) if reply.status == 200 else None
    except (Fault, MalformedError):
        return None
    return client.key.hide(version)[:80] if isinstance(version, str) and version.isprintable() else None


async def _patiently(client: Client, url: str) -> Reply:
    """What comes back, asked again where it may pass: a version that is missed once would make another run.

    Raises:
        Fault: where nothing came in the end.
    """
    for attempt in range(1, OPEN_ATTEMPTS):
        try:
            reply = await client.fetch("GET", url)
            if reply.status != 429 and reply.status < 500:
                return reply
        except Fault as fault:
            if fault.is_timeout:
                raise
        await asyncio.sleep(wait_before(attempt, None))
    return await client.fetch("GET", url)
