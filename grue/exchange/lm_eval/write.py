"""Writes a run as a folder of lm-evaluation-harness: ``results_<time>.json`` and ``samples_<task>_<time>.jsonl``."""

from __future__ import annotations

import json
from pathlib import Path

from grue.core.errors import UsageError
from grue.exchange.folder import new_folder
from grue.exchange.lm_eval.names import file_time
from grue.exchange.lm_eval.write_results import results_document, task_values
from grue.exchange.lm_eval.write_samples import cumulative_hash, sample_lines
from grue.runs.files import write_json
from grue.runs.read import StoredRun


def write_lm_eval(stored: StoredRun, out: Path) -> Path:
    """Write the files into a new or empty folder.

    Tasks whose samples are not published have values and no file of samples.

    Returns:
        The results file.

    Raises:
        UsageError: where the folder holds something, cannot be written, or a metric bears a name of the harness.
        RunDirectoryError: where samples cannot be read.
    """
    manifest, results = stored.manifest_value(), stored.results_value()
    time = file_time(manifest.created_at)
    hashes: dict[str, str] = {}
    with new_folder(out) as folder:
        for task, result in results.tasks.items():
            if not stored.has_samples(task) or task not in manifest.tasks:
                continue
            lines = list(sample_lines(stored, task, manifest.tasks[task], list(task_values(result))))
            hashes[task] = cumulative_hash(lines)
            text = "".join(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in lines)
            try:
                content = text.encode("utf-8")
            except UnicodeEncodeError as error:
                raise UsageError(f"{task}: a text is no valid Unicode: {error}.", place=str(stored.path)) from error
            (folder / f"samples_{task}_{time}.jsonl").write_bytes(content)
        name = f"results_{time}.json"
        write_json(folder / name, results_document(manifest, results, hashes))
    return out / name
