"""Where the rows are published."""

from __future__ import annotations

from grue.core.source import HubSource

SOURCE: HubSource | None = None
