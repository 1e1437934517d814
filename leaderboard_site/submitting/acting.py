"""What an owner does with a submission: publish, make private again, cancel, withdraw; at once, and by right."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.requests import Request

from grue.store.service import jobs, submissions
from grue.store.service.values import ENDED, Submission
from leaderboard_site.accounts.rights import can, require
from leaderboard_site.accounts.viewer import viewer_of
from leaderboard_site.pages.submission_notes import UNDO_DAYS, undo_until
from leaderboard_site.submitting.desk import asked, desk_of
from leaderboard_site.submitting.refusals import RefusalError

# What is done -> the right that it takes.
ACTIONS = {"publish": "publish", "unpublish": "publish", "cancel": "cancel", "withdraw": "withdraw"}
_LONGEST_ID = 40


def readable(request: Request, submission_id: str) -> Submission:
    """A submission that the viewer may read.

    Raises:
        RefusalError: 404 where there is none, or none for this viewer: nobody learns that it is there.
    """
    viewer = viewer_of(request)
    if viewer.has_bad_token:
        require(request, "read submission")
    store = desk_of(request).service.store
    found = submissions.submission(store, submission_id) if is_id(submission_id) else None
    if found is None or not can(viewer, "read submission", found):
        hint = "" if viewer.user else " If it is yours, sign in first."
        raise RefusalError(404, "No such submission", f"It may be private, or removed.{hint}")
    return found


def act(request: Request, submission_id: str, action: str) -> Submission:
    """Do one of the actions; the submission as it is then.

    Raises:
        RefusalError: 404 for what is not there, 409 for what cannot be done now.
        Refused: 403 for a viewer who may read but not do that.
    """
    if action not in ACTIONS:
        raise RefusalError(404, "No such action", f"A submission takes {', '.join(ACTIONS)}.")
    found = readable(request, submission_id)
    viewer = require(request, ACTIONS[action], found)
    actor = viewer.user.user_id if viewer.user else ""
    store = desk_of(request).service.store
    if action == "cancel":
        if found.status in ENDED or not jobs.cancel(store, found.job_id, actor):
            raise RefusalError(409, "It has ended already", "There is nothing left to cancel.")
    elif action == "withdraw":
        asked(submissions.withdraw, store, submission_id, actor)
    elif action == "publish":
        if found.status in ("failed", "cancelled"):
            raise RefusalError(409, "There is no result", "Only a result can be published.")
        asked(submissions.set_public, store, submission_id, True, actor)
    else:
        until = undo_until(found)
        if until is not None and datetime.now(UTC) > until:
            raise RefusalError(
                409,
                "It was published more than a week ago",
                f"Publishing can be undone for {UNDO_DAYS} days; it can still be withdrawn.",
            )
        asked(submissions.set_public, store, submission_id, False, actor)
    return readable(request, submission_id)


def is_id(text: str) -> bool:
    """Whether a text could be the id of a submission."""
    return text.isascii() and text.isalnum() and len(text) <= _LONGEST_ID
