"""Reads the reference values of the test material as checks: a metric, its settings, texts, and what must come out.

One mapping for the test that goes over all of them and for the parity page. Tolerances are read from the material's
own README, so that they are stated once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Keys = tuple[str, ...]

# Files whose metric has no name of ours, and what stands for them.
NOT_OURS = {
    "bleu_nltk": "NLTK's BLEU variants and GLEU have no name here",
    "rl4lms_cider": "CIDEr on spaCy's tokens has no name here",
    "tokenizers": "tokens, not values: each tokeniser's own test reads them",
}


@dataclass(frozen=True, slots=True)
class Variant:
    """One metric with settings in a file, and where its values stand.

    Attributes:
        corpus: Keys below ``expected.corpus``; empty where there is none.
        rows: Keys below ``expected.per_sample``; empty where there is none.
        one_row: Whether each row's value is that of a corpus of one.
        within: Whether the corpus value is a spread of seeds, in which ours must lie.
        at: Index where a value is a list.
        rule: Which tolerance of the README holds, where not the file's scale.
    """

    metric: str
    settings: Mapping[str, Any]
    corpus: Keys = ()
    rows: Keys = ()
    one_row: bool = False
    within: bool = False
    at: int | None = None
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A variant on a case."""

    file: str
    case: str
    source: str
    variant: Variant
    predictions: list[str]
    references: list[list[str]]
    inputs: list[dict[str, Any]]
    value: Any
    rows: list[Any] | None
    tolerance: float
    widened: float = 0.0


@dataclass(frozen=True)
class Tolerances:
    """Absolute differences that the README allows."""

    unit: float
    percent: float
    msttr: float
    rounded_bleu: float
    bootstrap: float
    of_percent: frozenset[str] = field(default_factory=frozenset)

    def of(self, file: str, rule: str) -> float:
        """The tolerance of a variant."""
        if rule:
            return {"count": 0.0, "msttr": self.msttr, "rounded_bleu": self.rounded_bleu}[rule]
        return self.percent if file in self.of_percent else self.unit


def tolerances(folder: Path) -> Tolerances:
    """Read the README's section "Tolerance" and the scales of its table of files.

    Raises:
        ValueError: where a rule is not found.
    """
    text = (folder / "README.md").read_text(encoding="utf-8")
    section = text.partition("## Tolerance")[2].partition("\n## ")[0]
    number = r"(\d[\d.]*(?:e-\d+)?)"

    def find(pattern: str) -> float:
        found = re.search(pattern.replace("#", number), section)
        if not found:
            raise ValueError(f"the README states no tolerance as {pattern!r}")
        return float(found[1].rstrip("."))

    table = text.partition("## Files")[2].partition("\n## ")[0]
    percent = {
        name
        for line in table.splitlines()
        if line.startswith("| `") and line.rstrip(" |").endswith("0-100")
        for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    return Tolerances(
        unit=find(r"0-1 scale[^.]*?absolute #"),
        percent=find(r"0-100 scale: absolute #"),
        msttr=find(r"MSTTR[^.]*?so #"),
        rounded_bleu=find(r"`bleu_\*` are rounded[^:]*: #"),
        bootstrap=find(r"widened by #"),
        of_percent=frozenset(percent),
    )


def checks(folder: Path, file: str) -> Iterator[Check]:
    """All checks of a file; none where its metric has no name here.

    Raises:
        KeyError: for a file that nobody mapped.
    """
    if file in NOT_OURS:
        return
    document = json.loads((folder / f"{file}.json").read_text(encoding="utf-8"))
    variants, allowed = list(_VARIANTS[file](document)), tolerances(folder)
    for case in document["cases"]:
        predictions, references, inputs = _texts(folder, file, case)
        for variant in variants:
            value = _at(case["expected"].get("corpus", {}), variant.corpus)
            rows = _at(case["expected"].get("per_sample", {}), variant.rows)
            if value is None and rows is None:
                continue
            if variant.at is not None:
                value = value if value is None else value[variant.at]
                rows = rows if rows is None else [row[variant.at] for row in rows]
            yield Check(
                file,
                case["id"],
                document["source"],
                variant,
                predictions,
                references,
                inputs,
                value,
                rows,
                allowed.of(file, variant.rule),
                allowed.bootstrap if variant.within else 0.0,
            )


def files(folder: Path) -> list[str]:
    """All files of reference values, mapped or not."""
    return sorted(path.stem for path in folder.glob("*.json"))


def _at(values: Any, keys: Keys) -> Any:
    if not keys:
        return None
    for key in keys:
        if not isinstance(values, Mapping) or key not in values:
            return None if not (isinstance(values, Mapping) and "error" in values) else values
        values = values[key]
    return values


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def _texts(folder: Path, file: str, case: Mapping[str, Any]) -> tuple[list[str], list[list[str]], list[dict[str, Any]]]:
    if file in ("parent_totto", "parent_core"):
        if file == "parent_core":  # its tokens are those of the raw rows under the same id in the other file
            raw = json.loads((folder / "parent_totto.json").read_text(encoding="utf-8"))["cases"]
            case = next(one for one in raw if one["id"] == case["id"])
        tables = _lines(folder / case["data"])
        references = [[entry["final_sentence"] for entry in row["sentence_annotations"]] for row in tables]
        return list(case["predictions"]), references, tables
    if "data" in case:
        rows = _lines(folder / case["data"])[: case.get("n")]
        inputs = [{key: row[key] for key in ("concepts",) if key in row} for row in rows]
        return [row["prediction"] for row in rows], [row["references"] for row in rows], inputs
    predictions = list(case["predictions"])
    concepts = case.get("concepts")
    inputs = [{"concepts": row} for row in concepts] if concepts else [{} for _ in predictions]
    return predictions, case.get("references") or [[] for _ in predictions], inputs


def _sacrebleu(document: Mapping[str, Any]) -> Iterator[Variant]:
    for name, settings in document["settings"]["variants"].items():
        yield Variant("sacrebleu", settings, (name, "score"))


def _sacrebleu_sentence(document: Mapping[str, Any]) -> Iterator[Variant]:
    for name, settings in document["settings"]["variants"].items():
        # Sentence scores use effective order; without it they are those of corpora of one row.
        yield Variant("sacrebleu", settings, (), (name,), one_row=settings.get("effective_order") is False)


def _chrf(document: Mapping[str, Any]) -> Iterator[Variant]:
    for name, settings in document["settings"]["variants"].items():
        metric = "chrf++" if settings == {"word_order": 2} else "chrf"
        yield Variant(metric, {} if metric == "chrf++" else settings, (name, "score"), (name,))


def _ter(document: Mapping[str, Any]) -> Iterator[Variant]:
    for name, settings in document["settings"]["variants"].items():
        yield Variant("ter", settings, (name, "score"), (name, "score"))


def _bleu_nmt(document: Mapping[str, Any]) -> Iterator[Variant]:
    for name, stated in document["settings"]["variants"].items():
        tokens = "13a" if stated["tokens"].startswith("13a") else "whitespace"
        settings = {"tokenize": tokens, "max_order": stated["max_order"], "smooth": stated["smooth"]}
        yield Variant("bleu", settings, (name, "bleu"))


_COCO = {
    **{f"Bleu_{order}": f"bleu_{order}" for order in range(1, 5)},
    "ROUGE_L": "rougeL_coco",
    'CIDEr-D(pycocoevalcap "CIDEr")': "cider_d",
    "CIDEr(plain)": "cider",
    "CIDEr-D(original)": "cider_d",
}


def _coco(document: Mapping[str, Any]) -> Iterator[Variant]:
    settings = {"tokenize": "whitespace" if document["settings"]["tokenizer"] == "none" else "ptb"}
    for key, metric in _COCO.items():
        yield Variant(metric, settings, (key,), (key,))


def _meteor(document: Mapping[str, Any]) -> Iterator[Variant]:
    wordnet = document["settings"]["matching"].startswith("exact, ")
    words = {"punkt_word_tokenize": "nltk", "whitespace": "whitespace"}
    for tokens in document["settings"]["tokenizers"]:
        for name, numbers in document["settings"]["params"].items():
            settings = {"tokenize": words[tokens], "wordnet": wordnet, **numbers}
            key = (f"{tokens}/{name}",)
            yield Variant("meteor", settings, key, key)


def _meteor_java(document: Mapping[str, Any]) -> Iterator[Variant]:
    for name in document["settings"]["variants"]:
        yield Variant("meteor_java", {"tokenize": name}, (name,), (name,))


def _rouge(document: Mapping[str, Any]) -> Iterator[Variant]:
    for stem, stemmer in document["settings"]["variants"].items():
        for kind, chosen in (("multi_max", "max"), ("first_ref", "first")):
            for metric in ("rouge1", "rouge2", "rougeL", "rougeLsum"):
                key = (f"{stem}/{kind}", metric)
                yield Variant(metric, {**stemmer, "references": chosen, "lsum_split": "newline"}, key, key, at=2)


def _rouge_bootstrap(document: Mapping[str, Any]) -> Iterator[Variant]:
    stemmer = {"use_stemmer": document["settings"]["use_stemmer"], "lsum_split": "newline"}
    for kind, chosen in (("multi_max", "max"), ("first_ref", "first")):
        for metric in ("rouge1", "rouge2", "rougeL", "rougeLsum"):
            settings = {**stemmer, "references": chosen}
            yield Variant(metric, settings, (kind, metric, "mean"))
            yield Variant(metric, {**settings, "bootstrap": True}, (kind, metric, "bootstrap_mid_by_seed"), within=True)


def _rouge_l_max(document: Mapping[str, Any]) -> Iterator[Variant]:
    for name, stated in document["settings"]["variants"].items():
        settings = {key: stated[key] for key in ("weight_factor", "length_limit")} | {"use_stemmer": stated["stemming"]}
        yield Variant("rougeL_max", settings, (name,), (name,))


def _coverage(_: Mapping[str, Any]) -> Iterator[Variant]:
    for key, metric in (("coverage", "coverage"), ("all_covered", "coverage_all")):
        yield Variant(metric, {"lemmatizer": "spacy"}, (key,), (key,))


def _squad(_: Mapping[str, Any]) -> Iterator[Variant]:
    for key, metric in (("squad1_exact", "exact_match"), ("squad1_f1", "f1")):
        yield Variant(metric, {}, (key,), (key,))


def _diversity(document: Mapping[str, Any]) -> Iterator[Variant]:
    for punctuation, dash, line in ((True, "", ""), (False, "-nopunct", "_nopunct")):
        settings = {"tokenize": "nltk", "punctuation": punctuation}
        for window in document["settings"]["windows"]:
            key = f"msttr-{window}{line}"
            yield Variant("msttr", {**settings, "segment": window}, (key,), rule="msttr")
        for n in (1, 2, 3):
            yield Variant(f"distinct_{n}", settings, (f"distinct-{n}{dash}",))
            yield Variant(f"unique_{n}", settings, (f"unique-{n}{dash}",), rule="count")
            yield Variant(f"entropy_{n}", settings, (f"entropy-{n}{dash}",))
            if n > 1:
                yield Variant(f"cond_entropy_{n}", settings, (f"cond_entropy-{n}{dash}",))
        yield Variant("vocab_size", settings, (f"vocab_size-1{dash}",), rule="count")
        yield Variant("mean_length", settings, (f"mean_pred_length{dash}",))


_PARTS = {"": "f_score", "_precision": "precision", "_recall": "recall"}
_SUBSETS = {"": "overall", "_overlap": "overlap", "_nonoverlap": "non_overlap"}


def _parent_totto(_: Mapping[str, Any]) -> Iterator[Variant]:
    for ending, subset in _SUBSETS.items():
        for part, key in _PARTS.items():
            rows = (f"parent_{subset}/{key}",)
            yield Variant(f"parent{part}{ending}", {}, (f"parent_{subset}", key), rows)
        yield Variant(f"bleu_totto{ending}", {}, (f"bleu_full_{subset}",))
        yield Variant(f"bleu_totto{ending}", {}, (f"bleu_{subset}",), rule="rounded_bleu")


def _parent_core(_: Mapping[str, Any]) -> Iterator[Variant]:
    named = {"lambda_none": {}, "lambda_0.5": {"lambda": "0.5"}, "lambda_none_order2": {"max_order": 2}}
    for name, settings in named.items():
        key = f"{name}/multi"
        for part, of in _PARTS.items():
            yield Variant(f"parent{part}", settings, (key, of), () if part else (key,))


_VARIANTS: Mapping[str, Any] = {
    "bleu_nmt": _bleu_nmt,
    "chrf": _chrf,
    "coco_ptb": _coco,
    "coco_ws": _coco,
    "concept_coverage": _coverage,
    "diversity": _diversity,
    "meteor_java": _meteor_java,
    "meteor_nltk_nowordnet": _meteor,
    "meteor_nltk_wordnet": _meteor,
    "parent_core": _parent_core,
    "parent_totto": _parent_totto,
    "rouge": _rouge,
    "rouge_bootstrap": _rouge_bootstrap,
    "rouge_l_max": _rouge_l_max,
    "sacrebleu_corpus": _sacrebleu,
    "sacrebleu_sentence": _sacrebleu_sentence,
    "squad_em_f1": _squad,
    "ter": _ter,
}


def difference(check: Check, value: float | None, rows: Sequence[float | None] | None) -> float | None:
    """Largest difference between what came out and what a check expects; ``None`` where nothing is to be compared.

    Where the reference implementation raised, any documented value will do. A value that lies within a spread of
    seeds differs by nothing.
    """
    pairs: list[tuple[float | None, Any]] = []
    if check.variant.within:
        low, high = min(check.value), max(check.value)
        if value is None:
            return float("inf")
        return max(0.0, low - check.widened - value, value - high - check.widened)
    if check.value is not None:
        pairs.append((value, check.value))
    if check.rows is not None:
        given = [None] * len(check.rows) if rows is None else list(rows)[: len(check.rows)]
        pairs += zip(given, check.rows, strict=True)
    found = [_apart(ours, theirs) for ours, theirs in pairs if not isinstance(theirs, Mapping)]
    return max(found) if found else None


def _apart(ours: float | None, theirs: Any) -> float:
    if theirs == "nan":
        return 0.0 if ours is None else float("inf")
    return float("inf") if ours is None else abs(ours - float(theirs))
