"""What users put into their pipelines: the action's and the template's scripts are run as they stand."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from grue.gate.baseline import read_baseline
from grue.gate.rules_file import read_rules

ROOT = Path(__file__).resolve().parents[2]


def _yaml(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def _run(shell: str, script: str, folder: Path, variables: Mapping[str, object]) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        **{key: str(value) for key, value in variables.items()},
    }
    return subprocess.run(
        [shell, "-e", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def _action(folder: Path, **inputs: object) -> tuple[subprocess.CompletedProcess[str], dict[str, str]]:
    """The action's last step, its inputs filled in as GitHub does."""
    action = _yaml("action.yml")
    step = action["runs"]["steps"][-1]
    values = {name: str(inputs.get(name, one.get("default", ""))) for name, one in action["inputs"].items()}
    filled = {
        key: next(value for name, value in values.items() if text == f"${{{{ inputs.{name} }}}}")
        for key, text in step["env"].items()
    }
    output, summary = folder / "output", folder / "summary"
    for path in (output, summary):
        path.touch()
    done = _run("bash", step["run"], folder, {**filled, "GITHUB_OUTPUT": output, "GITHUB_STEP_SUMMARY": summary})
    return done, dict(line.split("=", 1) for line in output.read_text().splitlines())


def test_the_action_answers_fails_and_shows_the_markdown(random: Path, constant: Path, tmp_path: Path) -> None:
    done, outputs = _action(tmp_path, baseline=random, candidate=constant)
    assert done.returncode == 1, done.stderr
    assert outputs == {"exit-code": "1", "outcome": "fail"}
    assert (tmp_path / "grue-gate.xml").is_file()
    assert "grue gate: fail" in (tmp_path / "summary").read_text()


def test_the_action_passes_and_takes_further_arguments(random: Path, tmp_path: Path) -> None:
    config = tmp_path / "gate.toml"
    config.write_text(f'[gate]\nbaseline = "{random}"\ncandidate = "{random}"\n')
    done, outputs = _action(tmp_path, config=config, arguments="--uncertain\nfail\n")
    assert done.returncode == 0, done.stderr
    assert outputs == {"exit-code": "0", "outcome": "pass"}


def test_an_input_of_the_action_is_never_run_as_text(random: Path, tmp_path: Path) -> None:
    done, outputs = _action(tmp_path, baseline=random, candidate='x"; touch broken; echo "$(touch broken)')
    assert outputs == {"exit-code": "2", "outcome": ""}
    assert done.returncode == 2
    assert not (tmp_path / "broken").exists()
    steps = _yaml("action.yml")["runs"]["steps"]
    assert all("${{" not in step.get("run", "") for step in steps)


def test_the_action_runs_what_the_command_knows() -> None:
    action = _yaml("action.yml")
    assert action["runs"]["using"] == "composite"
    assert {"outcome", "exit-code"} == set(action["outputs"])
    assert all(step["shell"] == "bash" for step in action["runs"]["steps"] if "run" in step)


def test_the_gitlab_template_answers(random: Path, constant: Path, tmp_path: Path) -> None:
    job = _yaml("ci/gitlab.yml")[".grue-gate"]
    (script,) = job["script"]
    variables = {**job["variables"], "GRUE_GATE_BASELINE": random, "GRUE_GATE_CANDIDATE": constant}
    assert _run("sh", script, tmp_path, variables).returncode == 1
    for path in (job["artifacts"]["reports"]["junit"], *job["artifacts"]["paths"]):
        assert (tmp_path / path).is_file()
    assert job["allow_failure"]["exit_codes"] == [4]


def test_the_hook_runs_the_command() -> None:
    (hook,) = _yaml(".pre-commit-hooks.yaml")
    assert hook["entry"] == "grue gate"
    assert hook["pass_filenames"] is False


@pytest.mark.parametrize("model", ["demo-causal", "demo-seq2seq"])
def test_the_projects_own_baselines_hold_every_task_and_any_difference_fails(model: str) -> None:
    folder = ROOT / "tests" / "gate" / "baselines"
    side, rules = read_baseline(folder / f"{model}.json"), read_rules(folder / "gate.toml")
    assert side.manifest.model.source == model.replace("-", ":", 1)
    assert len(side.results.tasks) == 8
    for task, result in side.results.tasks.items():
        asked = rules.of(task)
        assert asked is not None
        assert asked.exact
        for name, value in result.metrics.items():
            if value.value is not None and value.higher_is_better is not None:
                assert side.rows_of(task, name) is not None
