"""New results as an Atom feed (RFC 4287), and what search engines may read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree

from fastapi import APIRouter, Request
from starlette.responses import Response

from grue import __version__
from grue.comparison.standings_runs import BoardRun
from leaderboard_site.accounts.rights import require
from leaderboard_site.links import HttpScheme, Page
from leaderboard_site.numbers import number
from leaderboard_site.web.requests import answer, service_of, snapshot_of

router = APIRouter(include_in_schema=False)
_ATOM = "http://www.w3.org/2005/Atom"
_TYPE = "application/atom+xml; charset=utf-8"
_ENTRIES = 50
_BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
# Letters that XML has no way to write.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CRAWLERS = """User-agent: *
Disallow: /api/
Disallow: /account
Disallow: /compare
Disallow: /host
Disallow: /signin
Disallow: /submissions/
Disallow: /*?
"""


@router.get("/feed.xml")
def feed(request: Request) -> Response:
    """The newest public results."""
    require(request, "read board")
    content = atom(list(snapshot_of(request).runs.values()), service_of(request).settings.base_url)
    return answer(request, content, _TYPE, cacheable=True)


@router.get("/robots.txt")
async def robots(request: Request) -> Response:
    """Each page once: no orders, filters or comparisons."""
    return answer(request, _CRAWLERS.encode(), "text/plain; charset=utf-8", cacheable=False)


def atom(runs: Sequence[BoardRun], base_url: str) -> bytes:
    """The feed of some runs: the newest first, yardsticks left out.

    Args:
        runs: Public runs.
        base_url: Address of the board; without it links are relative to the feed.
    """
    newest = sorted((run for run in runs if not run.is_yardstick), key=lambda run: (_updated(run), run.id))[::-1]
    ElementTree.register_namespace("", _ATOM)
    root = ElementTree.Element(f"{{{_ATOM}}}feed")
    _add(root, "id", f"{base_url}/feed.xml" if base_url else "urn:grue:feed")
    _add(root, "title", "grue: new results")
    _add(root, "updated", _time(max(map(_updated, newest), default=_BEGINNING)))
    _add(root, "link", rel="self", type="application/atom+xml", href=f"{base_url}/feed.xml")
    _add(root, "link", rel="alternate", type="text/html", href=f"{base_url}/")
    _add(root, "generator", "grue", version=__version__)
    for run in newest[:_ENTRIES]:
        root.append(_entry(run, base_url))
    content: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def _entry(run: BoardRun, base_url: str) -> ElementTree.Element:
    entry = ElementTree.Element(f"{{{_ATOM}}}entry")
    address = f"{base_url}/{HttpScheme().path(Page(kind='run', run=run.id))}"
    _add(entry, "id", f"urn:grue:run:{run.id}")
    _add(entry, "title", run.name)
    _add(entry, "published", _time(run.created_at))
    _add(entry, "updated", _time(_updated(run)))
    _add(entry, "link", rel="alternate", type="text/html", href=address)
    _add(_add(entry, "author"), "name", run.name)
    _add(entry, "category", term=run.mark)
    _add(entry, "summary", _summary(run), type="text")
    return entry


def _summary(run: BoardRun) -> str:
    grue = run.results.scores.grue.value
    parts = [f"{run.mark}, {', '.join(run.tasks)}"]
    if grue is not None:
        parts.append(f"GRUE {number(grue, 1)}")
    if run.superseded is not None:
        parts.append(f"superseded: {run.superseded.reason}")
    return "; ".join(parts)


def _updated(run: BoardRun) -> datetime:
    """When it was made, or another run took its place."""
    if run.superseded is None:
        return run.created_at
    decided = datetime.fromisoformat(run.superseded.decided_at)
    return max(run.created_at, decided if decided.tzinfo else decided.replace(tzinfo=UTC))


def _add(parent: ElementTree.Element, name: str, text: str = "", **attributes: str) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    element.text = _UNWRITABLE.sub("\ufffd", text) or None
    return element


def _time(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
