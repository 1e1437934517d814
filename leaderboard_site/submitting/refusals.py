"""What a request for a submission can be refused with, before it is written as a page or a problem document."""

from __future__ import annotations

from typing import Any

from leaderboard_site.web.errors import ProblemError


class RefusalError(ProblemError):
    """The request is not done, and why; anything but a form page answers it as it is.

    Args:
        status: HTTP status, below 500.
        title: What is wrong, a few words.
        detail: Why, and what to do.
        retry_after: Seconds after which it may work; ``None`` where waiting does not help.
        extra: Members of the problem document beyond the usual ones.
    """

    def __init__(self, status: int, title: str, detail: str, *, retry_after: int | None = None, **extra: Any) -> None:
        headers = {} if retry_after is None else {"Retry-After": str(max(1, retry_after))}
        super().__init__(status, title, detail, headers, **extra)
