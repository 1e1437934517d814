"""Reference values and rows for rewards."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One case of a reference file, its texts read."""

    id: str
    predictions: list[str]
    references: list[list[str]]
    expected: dict[str, Any]


@pytest.fixture(scope="session")
def golden(material: Path) -> Callable[[str], list[Case]]:
    """Cases of a reference file, by its name."""

    def read(name: str) -> list[Case]:
        folder = material / "golden"
        cases = []
        for raw in json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["cases"]:
            if "data" in raw:
                lines = (folder / raw["data"]).read_text(encoding="utf-8").split("\n")
                rows = [json.loads(line) for line in lines if line][: raw.get("n")]
                predictions, references = [r["prediction"] for r in rows], [r["references"] for r in rows]
            else:
                predictions, references = raw["predictions"], raw["references"]
            cases.append(Case(raw["id"], predictions, references, raw["expected"]))
        assert cases, f"{name} holds no cases"
        return cases

    return read


@pytest.fixture
def rows_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes rows as the commands read them."""

    def write(*rows: Row, name: str = "rows.jsonl") -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    return write


@pytest.fixture
def punkt(material: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NLTK finds the data of the test material."""
    import nltk

    monkeypatch.setattr(nltk.data, "path", [str(material / "nltk_data")])
