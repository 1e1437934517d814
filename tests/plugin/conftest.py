from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent / "grue-riddles"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the third-party package; nothing comes from a network."""
    target = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, *offline, "--target", str(target), str(SOURCE)], check=True, capture_output=True, timeout=120)
    return target


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The third-party package on this process's path; its modules are forgotten afterwards."""
    monkeypatch.syspath_prepend(str(site))
    assert distribution("grue-riddles").version == "1.2.0"
    yield site
    for name in [name for name in sys.modules if name.partition(".")[0] == "grue_riddles"]:
        del sys.modules[name]


@pytest.fixture
def rival(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A second distribution that claims the name ``riddles``."""
    info = tmp_path / "grue_rival-0.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: grue-rival\nVersion: 0.5\n")
    (info / "entry_points.txt").write_text("[grue.tasks]\nriddles = grue_rival:TASK\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "grue-rival 0.5"
