"""The pages of ``/submit`` as the routes make them."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from grue.store.service import jobs, submissions
from leaderboard_site.accounts.rights import can
from leaderboard_site.accounts.viewer import Viewer, viewer_of
from leaderboard_site.pages.submit import Entry, Faults, Refused, faults_of, file_fault, submit_view
from leaderboard_site.pages.submit_preview import Quota, Upload, preview_of
from leaderboard_site.submitting.desk import Desk, not_open
from leaderboard_site.submitting.fields import FieldFault
from leaderboard_site.submitting.pending import Pending
from leaderboard_site.submitting.place import place_of, wait_seconds
from leaderboard_site.submitting.refusals import RefusalError
from leaderboard_site.submitting.taking import Content
from leaderboard_site.web.requests import page


def form_page(
    request: Request,
    desk: Desk,
    kind: str,
    *,
    given: Mapping[str, str] | None = None,
    fields: tuple[FieldFault, ...] = (),
    faults: Faults | None = None,
    refusal: RefusalError | None = None,
    status: int = 200,
) -> Response:
    """The form, empty or with what was typed and all that is wrong with it."""
    place = place_of(desk, viewer_of(request))
    typed = given or {}
    wrong = {one.field: f"{one.problem} {one.fix}" for one in fields}
    if faults is not None:
        wrong["file"] = faults.field
    names = {*typed, *wrong}
    shut = not_open(place.split)
    view = submit_view(
        place,
        kind,
        entries={name: Entry(typed.get(name, ""), wrong.get(name, "")) for name in names},
        is_public=typed.get("public") == "yes",
        closed=None if place.rows else Refused(shut.title, shut.detail),
        refused=Refused(refusal.title, refusal.detail) if refusal else None,
        faults=faults,
    )
    answer = page(request, view, cacheable=False, status=status)
    if refusal is not None:
        answer.headers.update(refusal.headers or {})
    return answer


def faults_page(request: Request, desk: Desk, kind: str, given: Mapping[str, str], content: Content) -> Response:
    """The form with the table of errors of a file."""
    checked = content.checked
    lines = [file_fault(one.line, one.id, one.problem, one.fix) for one in checked.problems]
    faults = faults_of(content.file_name, lines, checked.problem_count)
    return form_page(request, desk, kind, given=given, faults=faults)


def preview_page(
    request: Request, desk: Desk, pending: Pending, *, refusal: RefusalError | None = None, status: int = 200
) -> Response:
    """What will be scored, before it is submitted."""
    viewer = viewer_of(request)
    place = place_of(desk, viewer)
    view = submit_view(
        place,
        pending.kind,
        refused=Refused(refusal.title, refusal.detail) if refusal else None,
        preview=preview_of(
            _upload(pending),
            place,
            quota=_quota(desk, viewer),
            seconds=_seconds(desk, pending.kind),
            ahead=len(jobs.queue(desk.service.store).jobs),
            may_submit=can(viewer, "submit"),
        ),
    )
    answer = page(request, view, cacheable=False, status=status)
    if refusal is not None:
        answer.headers.update(refusal.headers or {})
    return answer


def _upload(pending: Pending) -> Upload:
    said, first = pending.said, pending.first
    return Upload(
        upload_id=pending.upload_id,
        kind=pending.kind,
        file_name=pending.file_name,
        size_bytes=pending.size_bytes,
        model=pending.model,
        revision=pending.revision,
        rows=pending.rows,
        tasks=[(one.task, one.rows, one.expected, one.empty, one.samples, one.mean_words) for one in pending.tasks],
        first=(first.task, first.id, first.prompt, first.prediction) if first else None,
        said=(
            ("Name", said.name),
            ("Result", "everyone sees it" if said.is_public else "only you see it, until you publish"),
            ("Description", said.description),
            ("Link", said.url),
            ("Licence", said.licence),
            ("Trained on", said.trained_on),
            ("Contamination", said.contamination),
        ),
        notes=pending.notes,
        seconds_left=pending.seconds_left,
    )


def _quota(desk: Desk, viewer: Viewer) -> Quota | None:
    if viewer.user is None:
        return None
    usage = submissions.usage(desk.service.store, viewer.user.user_id, desk.service.limits)
    return Quota(usage.scored, usage.limits.scored_per_day)


def _seconds(desk: Desk, kind: str) -> float | None:
    queue = jobs.queue(desk.service.store)
    return wait_seconds(desk, queue, kind, len(queue.jobs))
