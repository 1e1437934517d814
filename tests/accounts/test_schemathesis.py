"""The OpenAPI document against the API that it states: whatever is sent, no fault of ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error

from grue.core.rows import Row
from grue.submissions.expected import write_expected
from leaderboard_site.service import Service
from tests.accounts.people import Place, place
from tests.site.boards import sample_runs

FREE = dict.fromkeys(("posts_per_minute", "api_per_minute", "scored_per_day", "attempts_per_day"), "1000000")
_SETTINGS = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    def prepare(service: Service) -> None:
        write_expected(service.artifacts, service.settings.split, {"commongen": [Row("c0", "x")]})

    folder = tmp_path_factory.mktemp("schema")
    with place(folder / "home", sample_runs(folder / "runs"), prepare, **FREE) as found:
        found.submitted("sam", "one")
        yield found


def asked(opened: Place, name: str | None, examples: int) -> int:
    """Ask each operation of the document so many things; how many operations there are."""
    api = schemathesis.openapi.from_url(f"{opened.address}/api/v1/openapi.json")
    headers = {} if name is None else {"Authorization": f"Bearer {opened.token(name, 'read', 'submit', 'host')}"}
    operations = [found.ok() for found in api.get_all_operations()]
    for operation in operations:

        @settings(_SETTINGS, max_examples=examples)
        @given(case=operation.as_strategy())
        def check(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=headers, checks=(not_a_server_error,), timeout=60)

        check()
    return len(operations)


def test_a_few_requests_of_each_kind(opened: Place) -> None:
    assert asked(opened, "sam", 3) >= 12
    assert opened.browser().get("/readyz").status_code == 200


@pytest.mark.long
@pytest.mark.parametrize("name", [None, "sam", "hana"])
def test_many_requests_of_each_kind(opened: Place, name: str | None) -> None:
    asked(opened, name, 150)
    assert opened.browser().get("/readyz").status_code == 200
