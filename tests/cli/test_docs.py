"""What the documentation says of commands is what the code prints."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from grue.cli.main import COMMANDS
from grue.core.settings import DEFAULTS

ROOT = Path(__file__).resolve().parents[2]


def test_the_commands_page_is_the_help_of_the_code() -> None:
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "100"}
    done = subprocess.run([sys.executable, ROOT / "tools" / "make_docs.py", "--check"], env=environment, check=False)
    assert done.returncode == 0, "docs/commands.md is out of date: run `make docs`"


def test_every_command_and_setting_stands_in_the_documentation() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in [*ROOT.glob("docs/*.md"), ROOT / "README.md"])
    for name in (*(f"grue {command}" for command in COMMANDS), *DEFAULTS):
        assert name in text, f"{name} is not documented"
