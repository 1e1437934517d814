"""A real browser for tests, and what axe-core says of a page in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

# Axe looks only at what is shown.
UNFOLD = "document.querySelectorAll('details').forEach(one => { one.open = true })"
_FLAGS = ["--no-sandbox", "--disable-background-networking"]


@contextmanager
def launched() -> Iterator[Any]:
    """A headless Chromium that was already installed; the test is skipped, with a message, where there is none."""
    executable = shutil.which("chromium")
    if executable is None:
        pytest.skip("no Chromium found: install it to check pages in a browser")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=executable, args=_FLAGS)
        yield found
        found.close()


def assert_axe_finds_nothing(tab: Any, where: str) -> None:
    """The page as it stands, unfolded, is accessible and never scrolls sideways.

    The checker is a script of its own, which the pages' policy refuses: the window is one with ``bypass_csp``.
    """
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    tab.evaluate(UNFOLD)
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), where
    found = axe.run(tab).response
    assert len(found["passes"]) > 10, where
    faults = [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found["violations"]]
    assert faults == [], where
