"""Seconds that each metric takes for a thousand rows, for ``grue metrics show``; and memory of a million rows."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from metric_texts import load
from metric_timing import timed

from grue.core.errors import MetricUnavailableError
from grue.core.metric import Texts
from grue.core.task import MetricSpec
from grue.metrics.api import Scorer
from grue.metrics.build import build, entry, names
from grue.metrics.text.nltk_words import word_tokenize

COSTS = Path(__file__).resolve().parents[1] / "grue" / "metrics" / "costs.json"
N_ROWS = 1000
ROUNDS = 3
# Where a metric's own task has the texts that it is made for; others are measured on CommonGen's.
_TASK_OF = {
    "rouge": "cnn_dailymail",
    "rougeL_max": "narrativeqa",
    "squad": "narrativeqa",
    "parent": "totto",
    "sacrebleu": "iwslt2017",
    "bleu": "iwslt2017",
    "chrf": "iwslt2017",
    "ter": "iwslt2017",
    "diversity": "cnn_dailymail",
}


def measure(material: Path) -> dict[str, float]:
    """Median seconds of each string metric alone on a thousand texts of real rows, caches cold."""
    texts: dict[str, Texts] = {}
    seconds: dict[str, float] = {}
    word_tokenize("warm")
    for name in names():
        if entry(name).needs_model:
            continue
        try:
            metric = build(MetricSpec(name))
        except MetricUnavailableError:
            continue
        task = _TASK_OF.get(entry(name).family, "commongen")
        if task not in texts:
            found = load(material, task, at_least=N_ROWS).texts
            texts[task] = Texts(found.predictions[:N_ROWS], found.references[:N_ROWS], found.inputs[:N_ROWS])
        given, scorer = texts[task], Scorer(name, metric)

        def work(scorer: Scorer = scorer, given: Texts = given) -> None:
            scorer.score(Texts(given.predictions, given.references, given.inputs))

        work()
        seconds[name] = float(f"{np.median([timed(work)[0] for _ in range(ROUNDS)]):.3g}")
    return seconds


def write(material: Path) -> None:
    """Measure and store."""
    processor = platform.processor() or platform.machine()
    model = next((line for line in _cpu() if line.startswith("model name")), "").partition(":")[2].strip()
    document = {
        "where": f"one core of {model or processor}, Python {platform.python_version()}, each metric alone",
        "seconds_per_1000_rows": measure(material),
    }
    COSTS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _cpu() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


MEMORY_METRICS = "rouge1,rougeL,sacrebleu,chrf,bleu_4,cider_d,meteor,distinct_1,distinct_2,entropy_2,msttr,mean_length"
_PEAK = (
    "import resource, sys; from grue.cli.main import run; code = run(sys.argv[1:]); "
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, file=sys.stderr); sys.exit(code)"
)


def memory(n_pairs: int, metrics: str) -> dict[str, float]:
    """Peak memory of `grue metrics compute` on generated pairs, streamed from a file."""
    generator = np.random.default_rng(0)
    vocabulary = [f"w{i}" for i in range(20_000)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pairs.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for _ in range(n_pairs):
                picked = (generator.zipf(1.3, 22) - 1) % len(vocabulary)
                text = [vocabulary[i] for i in picked]
                file.write(json.dumps({"prediction": " ".join(text[:11]), "references": [" ".join(text[5:])]}) + "\n")
        command = [sys.executable, "-c", _PEAK, "metrics", "compute", metrics, str(path), "--json"]
        done = subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    peak = int(done.stderr.strip().splitlines()[-1])
    return {"pairs": n_pairs, "peak_gigabytes": round(peak / 1e9, 3)}
