"""The parity page lists every metric and setting that has reference values."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "parity.md"


@pytest.fixture(scope="module")
def tool() -> Iterator[ModuleType]:
    kept_path, kept_modules = list(sys.path), set(sys.modules)
    spec = importlib.util.spec_from_file_location("_make_parity", ROOT / "tools" / "make_parity.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["_make_parity"] = module
    spec.loader.exec_module(module)
    yield module
    sys.path[:] = kept_path
    for name in ("_make_parity", *({"goldens"} - kept_modules)):
        del sys.modules[name]


def listed(part: str) -> list[list[str]]:
    text = PAGE.read_text(encoding="utf-8").partition(f"## {part}")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_page_has_a_line_for_each_metric_and_setting(tool: ModuleType, material: Path) -> None:
    wanted = {row.key for row in tool.rows_of(material / "golden", compute=False)}
    found = {(cells[3], cells[0], cells[1]) for cells in listed("Reference values")}
    assert found == wanted, f"out of date: {tool.COMMAND}"


def test_no_difference_on_the_page_is_larger_than_allowed() -> None:
    rows = listed("Reference values")
    assert rows
    for cells in rows:
        if not cells[6].startswith("not computed here"):
            assert float(cells[6]) <= float(cells[7]), cells


def test_the_page_says_its_command(tool: ModuleType) -> None:
    assert f"`{tool.COMMAND}`" in PAGE.read_text(encoding="utf-8")
    assert listed("Packages called side by side")
