"""What Prometheus reads: requests, the queue, the board in memory."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterator

from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.responses import Response
from starlette.types import Scope

from grue.core.errors import GrueError
from grue.store.service import jobs
from leaderboard_site.service import Service
from leaderboard_site.web.errors import ProblemError
from leaderboard_site.web.requests import service_of

router = APIRouter(include_in_schema=False)
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


class Meters:
    """Counts of this process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        labels = ("method", "route")
        self._requests = Counter("grue_requests", "Requests answered.", (*labels, "status"), registry=self.registry)
        self._seconds = Histogram(
            "grue_request_seconds", "Time to the end of an answer.", labels, buckets=_SECONDS, registry=self.registry
        )

    def answered(self, scope: Scope, status: int, seconds: float) -> None:
        """Count one request; by route, since addresses have no end."""
        route = getattr(scope.get("route"), "path", None) or scope.get("state", {}).get("kept_as") or "none"
        method = scope["method"] if scope["method"] in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE") else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)


class ServiceState(Collector):
    """Gauges that are looked up when they are asked for."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """Jobs by status, workers, runs in memory."""
        service = self._service
        by_status = GaugeMetricFamily("grue_jobs", "Jobs by status.", labels=["status"])
        for status, count in sorted(jobs.status_counts(service.store).items()):
            by_status.add_metric([status], count)
        yield by_status
        queue = jobs.queue(service.store)
        yield GaugeMetricFamily("grue_workers", "Workers heard of.", value=len(queue.workers))
        waiting = [one.waiting_seconds for one in queue.jobs if one.place]
        yield GaugeMetricFamily(
            "grue_queue_oldest_seconds", "Longest wait in the queue.", value=max(waiting, default=0)
        )
        yield GaugeMetricFamily("grue_board_runs", "Public runs.", value=len(service.boards.current().runs))


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """Counts for Prometheus, for this machine or with the token of the settings."""
    _check_reader(request)
    meters: Meters = request.app.state.meters
    state = CollectorRegistry()
    state.register(ServiceState(service_of(request)))
    try:
        body = generate_latest(meters.registry) + generate_latest(state)
    except GrueError as error:
        raise ProblemError(503, "", "The database cannot be read.") from error
    return Response(body, 200, {"Cache-Control": "no-store"}, _TEXT)


def _check_reader(request: Request) -> None:
    settings = service_of(request).settings
    wanted = settings.metrics_token.get_secret_value()
    if wanted:
        given = request.headers.get("authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, f"Bearer {wanted}".encode()):
            raise ProblemError(401, "", "Send the token of GRUE_METRICS_TOKEN.", {"WWW-Authenticate": "Bearer"})
    elif not _is_loopback(request):
        raise ProblemError(403, "", "Metrics are for this machine; set GRUE_METRICS_TOKEN to read them from another.")


def _is_loopback(request: Request) -> bool:
    """Whether the client is this machine itself, and no proxy on it that nobody said is one."""
    is_forwarded = any(name in request.headers for name in ("forwarded", "x-forwarded-for", "via"))
    if is_forwarded and not service_of(request).settings.proxies:
        return False
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
