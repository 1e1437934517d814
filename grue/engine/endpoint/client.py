"""HTTP with an endpoint: bounded in time and size, no redirects, the key in a header and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grue
from grue.core.errors import CheckpointError
from grue.core.text import Json
from grue.engine.endpoint.address import Address, Key
from grue.engine.endpoint.faults import Fault, raise_for

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 10.0
REQUEST_SECONDS = 300.0
MOST_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Client:
    """Sends requests to one endpoint.

    Attributes:
        address: Where to.
        key: The secret.
    """

    def __init__(self, address: Address, key: Key, http: httpx.AsyncClient) -> None:
        self.address = address
        self.key = key
        self._http = http

    async def post(self, path: str, body: Mapping[str, Json]) -> bytes:
        """The body of a success.

        Args:
            path: Below the base address, with its slash.
            body: What is sent as JSON.

        Raises:
            Fault: for a failure that may pass.
            RowRefusedError: where this request is wrong for the server.
            CheckpointError: where no request will be answered.
        """
        reply = await self.fetch("POST", f"{self.address}{path}", body)
        raise_for(reply.status, reply.headers, reply.body, address=self.address, key=self.key)
        return reply.body

    async def fetch(self, method: str, url: str, body: Mapping[str, Json] | None = None) -> Reply:
        """Whatever comes back, whatever its status.

        Raises:
            Fault: where nothing whole came.
        """
        import httpx

        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                async with self._http.stream(method, url, json=body) as response:
                    return Reply(response.status_code, response.headers, await _read(response))
        except (TimeoutError, httpx.TimeoutException) as error:
            if isinstance(error, httpx.ConnectTimeout):
                raise Fault(f"no connection within {CONNECT_SECONDS:g} s", is_timeout=True) from None
            raise Fault(f"no answer within {REQUEST_SECONDS:g} s", is_timeout=True) from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            # A chained error would carry the request, and with it the key.
            said = self.key.hide(" ".join(str(error).split()))
            raise Fault(said or type(error).__name__) from None


@asynccontextmanager
async def connected(address: Address, key: Key, connections: int) -> AsyncIterator[Client]:
    """A client whose connections are closed at the end.

    Raises:
        CheckpointError: where the environment's proxies or certificates cannot be used.
    """
    import httpx

    headers = {"User-Agent": f"grue/{grue.__version__}", "Accept-Encoding": "identity", **key.headers()}
    settings: dict[str, Any] = {
        "timeout": httpx.Timeout(REQUEST_SECONDS, connect=CONNECT_SECONDS, pool=None),
        "limits": httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
    }
    try:
        http = httpx.AsyncClient(headers=headers, follow_redirects=False, **settings)
    except (ValueError, OSError, ImportError, httpx.InvalidURL) as error:
        # A proxy's address may hold a password: it is not repeated.
        raise CheckpointError(
            f"No connection can be set up ({type(error).__name__}).",
            "Check HTTP_PROXY, HTTPS_PROXY, ALL_PROXY (SOCKS needs the package socksio) and SSL_CERT_FILE.",
            place=str(address),
        ) from None
    async with http:
        yield Client(address, key, http)


async def _read(response: httpx.Response) -> bytes:
    parts, size = [], 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > MOST_BYTES:
            raise Fault(f"the answer is larger than {MOST_BYTES // 2**20} MiB")
        parts.append(part)
    return b"".join(parts)
