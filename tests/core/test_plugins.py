"""Entry points are read again where the path, or what lies on it, has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from grue.core.plugins import points


def _install(folder: Path, name: str) -> None:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[made.up]\n{name} = os:getcwd\n")


def test_what_is_installed_meanwhile_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert points("made.up") == ()
    _install(tmp_path / "site", "first")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    assert [point.name for point in points("made.up")] == ["first"]
    _install(tmp_path / "site", "second")
    assert sorted(point.name for point in points("made.up")) == ["first", "second"]
    monkeypatch.undo()
    assert points("made.up") == ()
