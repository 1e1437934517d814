"""The OpenAPI document as the answers really are: every error is a problem document."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from leaderboard_site.web.errors import PROBLEM
from leaderboard_site.web.models import Problem

_METHODS = ("get", "post", "put", "patch", "delete")
_REFERENCE = {"schema": {"$ref": "#/components/schemas/Problem"}}


def describe(app: FastAPI) -> None:
    """Let the application say what its routes answer, and that all else is a problem."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                separate_input_output_schemas=False,
            )
            for path in made["paths"].values():
                for method in _METHODS:
                    if method in path:
                        _correct(path[method]["responses"])
            schemas = made.setdefault("components", {}).setdefault("schemas", {})
            schemas["Problem"] = Problem.model_json_schema()
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _correct(responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        if not status.startswith(("2", "3")):
            response["content"] = {PROBLEM: _REFERENCE}
    responses["default"] = {"description": "What else may be wrong.", "content": {PROBLEM: _REFERENCE}}
