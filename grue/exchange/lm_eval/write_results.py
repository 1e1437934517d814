"""A run as the results JSON that users of lm-evaluation-harness know.

The keys are those of ``lm_eval/result_schema.py`` 0.4.13. What the harness knows and a run does not (its own version, a
git hash of its tree) is null. Two keys are ours: ``schema_version`` and ``grue``, which has what does not fit
elsewhere: identity, signatures, intervals, why a value is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from grue.core.metric import MetricValue
from grue.core.run import SCHEMA_VERSION, Manifest, Results, TaskManifest, TaskResult
from grue.core.text import Json
from grue.exchange.lm_eval.names import FILTER, NOT_AVAILABLE, Z95, generation_kwargs, metric_key, model_folder

REWARD = "reward_"  # as in the columns of a run's samples
_HF_KINDS = ("local", "hub", "demo")
_RESAMPLES = 1000


def results_document(manifest: Manifest, results: Results, task_hashes: Mapping[str, str]) -> dict[str, Json]:
    """The whole ``results_<time>.json``.

    Args:
        manifest: What was run.
        results: What came out.
        task_hashes: Task -> hash over its samples.
    """
    tasks = {name: result for name, result in results.tasks.items() if name in manifest.tasks}
    model = manifest.model
    directions = {name: _directions(result) for name, result in tasks.items()}
    config: dict[str, Json] = {
        "model": "hf" if model.kind in _HF_KINDS else (model.engine or model.source),
        "model_args": {"pretrained": model.source, **({"revision": model.revision} if model.revision else {})},
        "model_num_parameters": model.parameters,
        "model_dtype": f"torch.{model.dtype}" if model.dtype else None,
        "model_revision": model.revision,
        "model_sha": model.revision or "",
        "batch_size": None,
        "batch_sizes": [],
        "device": _text(manifest.environment.get("device")),
        "use_cache": None,
        "limit": max((one.limit for one in manifest.tasks.values() if one.limit is not None), default=None),
        "bootstrap_iters": _RESAMPLES,
        "gen_kwargs": {},
        "random_seed": manifest.seed,
        "numpy_seed": manifest.seed,
        "torch_seed": manifest.seed,
        "fewshot_seed": manifest.seed,
    }
    return {
        "schema_version": SCHEMA_VERSION,
        "results": {name: _results(name, result) for name, result in tasks.items()},
        "group_subtasks": {name: [] for name in tasks},
        "configs": {name: _config(name, manifest.tasks[name], directions[name], manifest) for name in sorted(tasks)},
        "versions": {name: manifest.tasks[name].version for name in sorted(tasks)},
        "n-shot": {name: _shots(manifest.tasks[name]) for name in sorted(tasks)},
        "higher_is_better": {name: directions[name] for name in sorted(tasks)},
        "n-samples": {
            name: {"original": manifest.tasks[name].data.rows, "effective": result.scored}
            for name, result in tasks.items()
        },
        "config": config,
        "git_hash": None,
        "date": datetime.fromisoformat(manifest.created_at).timestamp(),
        "pretty_env_info": None,
        "transformers_version": _package(manifest, "transformers"),
        "lm_eval_version": None,
        "upper_git_hash": None,
        "task_hashes": dict(task_hashes),
        "model_source": config["model"],
        "model_name": model.name,
        "model_name_sanitized": model_folder(model.name),
        "system_instruction": None,
        "system_instruction_sha": None,
        "fewshot_as_multiturn": None,
        "chat_template": None,
        "chat_template_sha": None,
        "total_evaluation_time_seconds": str(sum(result.cost.wall_seconds for result in tasks.values())),
        "grue": _ours(manifest, results),
    }


def task_values(result: TaskResult) -> dict[str, MetricValue]:
    """Metrics and rewards (``reward_NAME``) of a task that have a value."""
    named = {**result.metrics, **{f"{REWARD}{name}": value for name, value in result.rewards.items()}}
    return {name: value for name, value in named.items() if value.value is not None}


def stderr_of(value: MetricValue) -> float | None:
    """The standard error that 1.96 times on either side gives an interval of the same width."""
    return None if value.ci95 is None else (value.ci95[1] - value.ci95[0]) / (2 * Z95)


def _results(name: str, result: TaskResult) -> dict[str, Json]:
    out: dict[str, Json] = {"name": name, "alias": name, "sample_len": result.scored}
    for metric, value in task_values(result).items():
        stderr = stderr_of(value)
        out[metric_key(metric)] = value.value
        out[metric_key(metric, stderr=True)] = NOT_AVAILABLE if stderr is None else stderr
    return out


def _directions(result: TaskResult) -> dict[str, Json]:
    return {name: value.higher_is_better for name, value in task_values(result).items()}


def _config(name: str, task: TaskManifest, directions: Mapping[str, Json], manifest: Manifest) -> dict[str, Json]:
    first = [*(metric for metric in task.primary if metric in directions)]
    order = [*first, *(metric for metric in directions if metric not in first)]
    return {
        "task": name,
        "dataset_path": task.data.id or task.data.source,
        "dataset_kwargs": {"revision": task.data.revision} if task.data.revision else {},
        "test_split": task.split,
        "description": "",
        "target_delimiter": "",
        "fewshot_delimiter": "",
        "num_fewshot": _shots(task),
        "metric_list": [
            {"metric": metric, "aggregation": "grue", "higher_is_better": directions[metric]} for metric in order
        ],
        "output_type": "generate_until",
        "generation_kwargs": generation_kwargs(task.generation),
        "repeats": task.samples,
        "filter_list": [{"name": FILTER, "filter": [{"function": "take_first"}]}],
        "should_decontaminate": False,
        "metadata": {
            "version": task.version,
            "profile": task.profile,
            "config_source": f"grue {manifest.grue.get('version')}",
        },
    }


def _shots(task: TaskManifest) -> int:
    """Examples in the prompt: none, unless the run was imported from the harness."""
    shots = task.generation.get("num_fewshot")
    return shots if isinstance(shots, int) else 0


def _ours(manifest: Manifest, results: Results) -> dict[str, Json]:
    """What the harness has no key for."""
    tasks: dict[str, Json] = {}
    for name, result in results.tasks.items():
        asked = manifest.tasks.get(name)
        named = {**result.metrics, **{f"{REWARD}{key}": value for key, value in result.rewards.items()}}
        tasks[name] = {
            "data_sha256": asked.data.sha256 if asked else None,
            "prompts_sha256": asked.prompts_sha256 if asked else None,
            "primary": list(asked.primary) if asked else [],
            "metrics": {key: value.to_json() for key, value in named.items()},
            "scores": result.score.to_json(),
        }
    return {
        "version": manifest.grue.get("version"),
        "commit": manifest.grue.get("commit"),
        "run_id": manifest.run_id,
        "identity": manifest.identity,
        "stderr": f"width of the 95 % bootstrap interval / (2 × {Z95})",
        "scores": results.scores.to_json(),
        "tasks": tasks,
    }


def _package(manifest: Manifest, name: str) -> str | None:
    packages = manifest.environment.get("packages")
    return _text(packages.get(name)) if isinstance(packages, Mapping) else None


def _text(value: Json) -> str | None:
    return None if value is None else str(value)
