"""What lm-evaluation-harness calls things: its files, its metric keys, its hashes.

After ``lm_eval/utils.py`` and ``lm_eval/loggers/evaluation_tracker.py``, version 0.4.13.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from grue.core.text import Json, sha256_text

FILTER = "none"  # the filter that takes the text as it is
NOT_AVAILABLE = "N/A"
STDERR = "_stderr"
# Its tables show value ± standard error; 1.96 of these on either side are what it calls a 95 % interval.
Z95 = 1.96
# Keys of a task's results that are no metrics.
ABOUT = frozenset({"name", "alias", "sample_len", "sample_count", " "})
_UNSAFE = re.compile(r"[\"<>:/|\\?*\[\]]+")


def metric_key(metric: str, filter_name: str = FILTER, *, stderr: bool = False) -> str:
    """``METRIC,FILTER``, or ``METRIC_stderr,FILTER``."""
    return f"{metric}{STDERR if stderr else ''},{filter_name}"


def split_key(key: str) -> tuple[str, str]:
    """Metric and filter of a key; keys of versions before 0.4 have no filter."""
    metric, comma, filter_name = key.partition(",")
    return metric, filter_name if comma else FILTER


def model_folder(model: str) -> str:
    """The folder that the harness makes for a model."""
    return _UNSAFE.sub("__", model)


def file_time(moment: str) -> str:
    """A time, RFC 3339, as it stands in file names."""
    return datetime.fromisoformat(moment).astimezone(UTC).replace(tzinfo=None).isoformat().replace(":", "-")


def document_hash(document: Mapping[str, Json]) -> str:
    """``doc_hash`` of a sample."""
    return sha256_text(json.dumps(document, indent=2, ensure_ascii=False))


def generation_kwargs(generation: Mapping[str, Json]) -> dict[str, Json]:
    """Decoding settings of a run by the harness's names; cuts and hashes of files have none there."""
    out: dict[str, Json] = {"until": generation.get("stop") or []}
    if generation.get("max_new_tokens") is not None:
        out["max_gen_toks"] = generation["max_new_tokens"]
    left_out = ("stop", "max_new_tokens", "truncation", "output_type", "num_fewshot")
    return out | {
        key: value for key, value in generation.items() if key not in left_out and not key.endswith("_sha256")
    }
