"""The process that reads what strangers send: bounds itself, reads, answers in JSON, ends."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Mapping
from typing import Any

from grue.submissions.findings import Findings

_TOO_MUCH = 3
_OPEN_FILES = 64


def main() -> int:
    """Answer one request of ``grue.submissions.bounded``."""
    asked = json.loads(sys.stdin.buffer.read())
    bounds = asked["bounds"]
    for kind, most in (
        (resource.RLIMIT_AS, bounds["memory_bytes"]),
        (resource.RLIMIT_CPU, bounds["cpu_seconds"]),
        (resource.RLIMIT_FSIZE, bounds["file_bytes"]),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))
    try:
        answer = read(sys.argv[1], asked["request"])
        print(json.dumps(answer))  # noqa: T201  (the answer)
    except MemoryError:
        return _TOO_MUCH
    return 0


def read(reader: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of ``archive`` or ``model``, without bounds."""
    findings = Findings()
    if reader == "archive":
        from grue.submissions.archive import read_archive

        return {**read_archive(request, findings), **findings.to_json()}
    from grue.submissions.model_reader import read_model

    return {**read_model(request, findings), **findings.to_json()}


if __name__ == "__main__":
    sys.exit(main())
