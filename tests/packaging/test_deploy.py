"""What deploy/ says is true of the program: settings, commands, files and units that it names exist."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from grue.cli.main import COMMANDS
from grue.submissions.settings import ServiceSettings

DEPLOY = Path(__file__).parents[2] / "deploy"
# Read by the compose file itself, not by the program.
OF_COMPOSE = {"GRUE_DOMAIN", "GRUE_DATA_FOLDER"}


def _settings(text: str) -> set[str]:
    return set(re.findall(r"\bGRUE_[A-Z_]+", text)) - OF_COMPOSE


def _known() -> set[str]:
    return {f"GRUE_{name.upper()}" for name in ServiceSettings.model_fields}


@pytest.mark.parametrize("name", ["compose.yaml", "Dockerfile", ".env.example", "Caddyfile"])
def test_every_setting_that_a_file_names_is_one_of_the_service(name: str) -> None:
    assert _settings((DEPLOY / name).read_text()) <= _known()


def test_the_page_on_running_a_board_names_settings_and_commands_that_there_are() -> None:
    page = (DEPLOY.parent / "docs" / "deploy.md").read_text()
    assert _settings(page) - _known() <= {"GRUE_HOME"}
    assert set(re.findall(r"(?:`|^)grue ([a-z]+)", page, re.MULTILINE)) <= set(COMMANDS)


def test_every_variable_of_the_compose_file_is_in_the_example_or_has_a_default() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    example = set(re.findall(r"^([A-Z_]+)=", (DEPLOY / ".env.example").read_text(), re.MULTILINE))
    assert set(re.findall(r"\$\{([A-Z_]+)", text)) <= example


def test_services_run_commands_that_there_are_and_only_the_worker_sees_labels() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    ours = {name: one for name, one in services.items() if one.get("image") == "grue:cpu"}
    assert set(ours) == {"migrate", "web", "worker"}
    assert all(one["command"][0] in COMMANDS for one in ours.values())
    with_rows = [name for name, one in ours.items() if "GRUE_DATA" in one["environment"]]
    assert with_rows == ["worker"]
    assert [name for name, one in ours.items() if any("/data:ro" in path for path in one.get("volumes", []))] == [
        "worker"
    ]
    assert ours["worker"]["networks"] == ["inner"]
    networks = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["networks"]
    assert networks["inner"]["internal"] is True


def test_the_image_copies_files_that_there_are_and_that_the_context_lets_through() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    let_through = {line[1:] for line in (DEPLOY.parent / ".dockerignore").read_text().splitlines() if line[:1] == "!"}
    copied = [name for words in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE) for name in words.split()[:-1]]
    assert copied
    assert all((DEPLOY.parent / name).exists() for name in copied)
    assert set(copied) == let_through


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("name", ["grue-web.service", "grue-worker@.service"])
def test_systemd_understands_the_units(name: str, tmp_path: Path) -> None:
    # With a program that exists, so that only faults of the unit are left.
    text = (DEPLOY / "systemd" / name).read_text().replace("/opt/grue/bin/grue", "/bin/true")
    (tmp_path / name).write_text(text)
    found = subprocess.run(["systemd-analyze", "verify", str(tmp_path / name)], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert found.stderr == ""
