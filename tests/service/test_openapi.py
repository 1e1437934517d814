"""The OpenAPI document is true: calls made from it are answered as it says, and never by a fault of ours."""

from __future__ import annotations

from collections import Counter

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.service.serving import Served

READ = ("/api/v1/leaderboard", "/api/v1/tasks", "/api/v1/runs/{run_id}", "/api/v1/runs/{run_id}/samples/{task}",
        "/api/v1/queue", "/healthz", "/readyz")  # fmt: skip
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
CALLS = 12


def test_the_document_names_every_address_of_the_api(board: Served) -> None:
    document = board.get("/api/v1/openapi.json").json()
    assert set(READ) <= set(document["paths"])
    assert {"/api/v1/validate", "/api/v1/submissions", "/api/v1/submissions/{submission_id}"} <= set(document["paths"])
    # Pages of people are not in it.
    assert not {"/", "/submit", "/account"} & set(document["paths"])
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for status, response in operation["responses"].items():
                if not status.startswith(("2", "3")):
                    assert set(response.get("content", {})) == {"application/problem+json"}, (path, method, status)


@pytest.mark.long
def test_calls_made_from_the_document_are_answered_as_it_says(board: Served) -> None:
    schema = schemathesis.openapi.from_url(f"{board.address}/api/v1/openapi.json")
    statuses: Counter[tuple[str, int]] = Counter()
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=CALLS,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        )
        @given(case=operation.as_strategy())
        def call(case: schemathesis.Case) -> None:
            response = case.call()
            statuses[case.operation.label, response.status_code] += 1
            case.validate_response(response, checks=CHECKS)

        call()
    assert {label for label, _ in statuses} >= {f"GET {path}" for path in READ}
    assert ("GET /api/v1/leaderboard", 200) in statuses
    assert not [key for key in statuses if key[1] >= 500]
