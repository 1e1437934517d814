"""The page of a submission: its standing in the queue, and its result, from the store and the run's directory."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from grue.comparison.standings_settings import settings as settings_of
from grue.store.service import jobs, submissions, users
from grue.store.service.values import ENDED, Submission
from leaderboard_site.accounts.rights import can
from leaderboard_site.accounts.viewer import Viewer, viewer_of
from leaderboard_site.numbers import count
from leaderboard_site.pages.submission import SubmissionView, submission_view
from leaderboard_site.pages.submission_notes import Policy, Rights
from leaderboard_site.pages.submission_result import Result, result_of, rounded_result
from leaderboard_site.pages.submission_status import Standing, is_released
from leaderboard_site.submitting.desk import Desk, desk_of
from leaderboard_site.submitting.place import task_facts, wait_seconds
from leaderboard_site.web.requests import page, snapshot_of

_LINES = 400


def submission_page(request: Request, submission: Submission) -> Response:
    """The page as the viewer sees it."""
    return page(request, view_of(request, submission), cacheable=False)


def view_of(request: Request, submission: Submission) -> SubmissionView:
    """The page value."""
    desk, viewer = desk_of(request), viewer_of(request)
    settings = desk.service.settings
    return submission_view(
        submission,
        standing_of(desk, viewer, submission),
        Rights(
            publish=can(viewer, "publish", submission),
            withdraw=can(viewer, "withdraw", submission),
            cancel=can(viewer, "cancel", submission),
        ),
        Policy(withdrawn_days=settings.withdrawn_days, release_hours=settings.hidden_release_hours),
        result_in(request, desk, submission),
    )


def standing_of(desk: Desk, viewer: Viewer, submission: Submission) -> Standing:
    """Its job, its place in the queue and its log."""
    store = desk.service.store
    place = n_jobs = 0
    seconds = None
    if submission.status == "queued":
        queue = jobs.queue(store)
        place = next((one.place for one in queue.jobs if one.job.job_id == submission.job_id), 0)
        n_jobs = sum(one.place > 0 for one in queue.jobs)
        seconds = wait_seconds(desk, queue, submission.kind, max(0, place - 1))
    owner = users.user(store, submission.user_id)
    is_own = viewer.user is not None and viewer.user.user_id == submission.user_id
    quota = ""
    if is_own and submission.status not in ENDED:
        usage = submissions.usage(store, submission.user_id, desk.service.limits)
        left = max(0, usage.limits.scored_per_day - usage.scored)
        quota = f"{count(left)} of {count(usage.limits.scored_per_day)} today"
    # What a worker says is for the owner and the hosts; others see the result alone.
    sees_log = is_own or can(viewer, "host")
    return Standing(
        job=jobs.job(store, submission.job_id),
        place=place,
        n_jobs=n_jobs,
        seconds=seconds,
        log=jobs.log(store, submission.job_id)[-_LINES:] if sees_log else (),
        by=owner.name if owner else "",
        quota=quota,
    )


def result_in(request: Request, desk: Desk, submission: Submission) -> Result | None:
    """What it came to; ``None`` before that, and where it may not be seen."""
    gone = submission.withdrawn_at or submission.removed_at
    if submission.status != "done" or gone or not is_released(submission, datetime.now(UTC)):
        return None
    include = desk.service.include

    def title_of(name: str) -> str:
        return task_facts(name, include).title

    if submission.is_hidden:
        return rounded_result(submission.scores, title_of) if submission.scores else None
    snapshot = snapshot_of(request)
    run = desk.service.boards.run(submission.run_id or "")
    if run is None:
        return None
    setting = snapshot.setting(settings_of([run])[0].slug)
    return result_of(run, snapshot.data(setting.slug) if setting else None, title_of)
