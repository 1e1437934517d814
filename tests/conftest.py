"""Fixtures that every test folder may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Two torch threads on a busy machine are slower than one; set before torch is first imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


@pytest.fixture(scope="session")
def material() -> Path:
    """Folder of real rows and reference values: ``GRUE_TEST_MATERIAL``, else ``shared`` beside the checkout."""
    named = os.environ.get("GRUE_TEST_MATERIAL")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "golden").is_dir():
        pytest.skip(f"test material not found at {folder}; set GRUE_TEST_MATERIAL to its folder")
    return folder


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests see neither the caller's grue settings nor its caches."""
    for name in list(os.environ):
        if name.startswith("GRUE_") and name != "GRUE_TEST_MATERIAL":
            monkeypatch.delenv(name)
    monkeypatch.setenv("GRUE_HOME", str(tmp_path_factory.getbasetemp() / "grue-home"))
