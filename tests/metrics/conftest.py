"""Reference values that other implementations gave, read from the test material."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Case:
    """One case of a reference file, its texts read."""

    id: str
    predictions: list[str]
    references: list[list[str]]
    expected: dict[str, Any]
    raw: dict[str, Any]


@pytest.fixture(scope="session")
def golden(material: Path) -> Callable[[str], tuple[dict[str, Any], list[Case]]]:
    """Settings and cases of a reference file, by its name."""

    def read(name: str) -> tuple[dict[str, Any], list[Case]]:
        folder = material / "golden"
        document = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        cases = []
        for raw in document["cases"]:
            if "data" in raw:
                lines = (folder / raw["data"]).read_text(encoding="utf-8").split("\n")
                rows = [json.loads(line) for line in lines if line][: raw.get("n")]
                predictions = [row["prediction"] for row in rows]
                references = [row["references"] for row in rows]
            else:
                predictions, references = raw["predictions"], raw.get("references", [])
            cases.append(Case(raw["id"], predictions, references, raw["expected"], raw))
        assert cases, f"{name} holds no cases"
        return document["settings"], cases

    return read


@pytest.fixture
def punkt(material: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NLTK finds the Punkt data of the test material."""
    import nltk

    monkeypatch.setattr(nltk.data, "path", [str(material / "nltk_data")])
