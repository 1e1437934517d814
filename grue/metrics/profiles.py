"""Settings of the paper's profile for metrics on their own; a task's suite says its own."""

from __future__ import annotations

from collections.abc import Mapping

from grue.core.errors import UsageError
from grue.core.task import PAPER, PROFILES, STANDARD, Setting
from grue.core.text import nearest
from grue.metrics.settings import PAPER as PAPER_QUIRKS
from grue.metrics.settings import PAPER_SWITCH


def profile_settings(profile: str | None) -> Mapping[str, Mapping[str, Setting]]:
    """Family -> settings that a profile lays over the defaults; none for ``standard`` and ``None``.

    Raises:
        UsageError: for an unknown profile.
    """
    if profile is None or profile == STANDARD:
        return {}
    if profile != PAPER:
        raise UsageError(
            f"Unknown profile {profile!r}.{nearest(profile, PROFILES)}", f"Profiles: {', '.join(PROFILES)}."
        )
    return {family: {PAPER_SWITCH: True} for family in PAPER_QUIRKS}
