"""Writes docs/parity.md: every metric and setting against its reference implementation.

`python tools/make_parity.py --material FOLDER` compares with the material's reference values, and with the installed
reference packages on real texts and on generated ones. Without them only what is there is compared, and said.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "bench")]

import goldens  # noqa: E402 - found on the path set above

from grue.core.metric import Texts  # noqa: E402
from grue.metrics.api import metric  # noqa: E402

PAGE = ROOT / "docs" / "parity.md"
COMMAND = "python tools/make_parity.py --material FOLDER"
_PACKAGES = ("rouge-score", "nltk", "pycocoevalcap", "sacrebleu", "sacremoses")
LIVE_ALLOWED = 1e-7
_LIVE_LIMIT = 120
_GENERATED = 200
_SIGNS = (
    "the a dog Dogs running café naïve İstanbul ﬁn 12 3.5 1,000 U.S. don't it's well-known e.g. & &amp; < > [x] (y) "
    "« » “q” ‘r’ — – … ! ? . , ; : % $ € ½ 猫 犬が 한국 हिन्दी ไทย 😀 👩‍🔬 _x_ http://a.b/c?d=1 -LRB- ½-way 'tis"
)


@dataclass(slots=True)
class Row:
    """A line of the first table.

    Attributes:
        cases: Cases compared.
        values: Numbers compared.
        largest: Largest difference; ``None`` where nothing was compared.
        note: Why nothing was.
    """

    file: str
    metric: str
    settings: str
    source: str
    allowed: float
    cases: int = 0
    values: int = 0
    largest: float | None = None
    note: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What the line is about."""
        return self.file, self.metric, self.settings


def settings_text(settings: Mapping[str, object]) -> str:
    """Settings as the page writes them."""
    found = (
        f"{key}={str(value).lower() if isinstance(value, bool) else value}" for key, value in sorted(settings.items())
    )
    return " ".join(found) or "defaults"


def rows_of(folder: Path, *, compute: bool) -> list[Row]:
    """The first table: a line for each metric and setting of each file of reference values."""
    rows: dict[tuple[str, str, str, float], Row] = {}
    for file in goldens.files(folder):
        for check in goldens.checks(folder, file):
            text = settings_text(check.variant.settings)
            key = (file, check.variant.metric, text, check.tolerance)
            row = rows.setdefault(key, Row(file, check.variant.metric, text, check.source, check.tolerance))
            if compute:
                _compare(row, check)
    return list(rows.values())


def _compare(row: Row, check: goldens.Check) -> None:
    scorer = metric(check.variant.metric, **check.variant.settings)
    if scorer.built is None:
        row.note = str(scorer.reason)
        return
    if check.variant.one_row:
        pairs = list(zip(check.predictions, check.references, strict=True))[: len(check.rows or [])]
        found = goldens.difference(check, None, [scorer.compute([text], [given]).value for text, given in pairs])
    else:
        score = scorer.compute(check.predictions, check.references, check.inputs)
        found = goldens.difference(check, score.value, score.per_sample)
    row.cases += 1
    if found is not None:
        row.values += (check.value is not None) + len(check.rows or [])
        row.largest = max(row.largest or 0.0, found)


@dataclass(frozen=True, slots=True)
class Live:
    """A line of the second table."""

    name: str
    metrics: str
    package: str
    texts: int
    largest: float


def live(material: Path) -> Iterator[Live]:
    """The second table: packages called now, on real texts and on generated ones."""
    import metric_references
    from metric_families import contests

    for contest in contests(material, _LIVE_LIMIT):
        needs_rows = "totto" in contest.name
        texts = _generated(contest.texts)
        if "before" in contest.name:
            texts = metric_references.own_tokens(texts)
        both = (contest,) if needs_rows else (contest, replace(contest, texts=texts, name=f"{contest.name}, generated"))
        for one in both:
            ours, theirs = one.ours(), one.reference()
            # Where the package has no number (no full block of words) ours has none either.
            apart = [abs((ours[key] or 0.0) - value) for key, value in theirs.items() if value == value]
            yield Live(one.name, " ".join(theirs), _package(one.metrics[0]), len(one.texts), max(apart))


def _package(name: str) -> str:
    start = {
        "rouge": "rouge-score",
        "meteor": "nltk",
        "bleu_totto": "sacrebleu",
        "parent": "",
        "bleu_": "pycocoevalcap",
        "cider": "pycocoevalcap",
        "exact": "",
        "sacrebleu": "sacrebleu",
        "chrf": "sacrebleu",
        "ter": "sacrebleu",
        "": "nltk",
    }
    package = next(value for key, value in start.items() if name.startswith(key))
    if not package:
        return "plain rendition of the script"
    return f"{package} {version(package)}"


def _generated(like: Texts) -> Texts:
    generator, words = random.Random("parity"), _SIGNS.split()

    def text() -> str:
        return " ".join(generator.choices(words, k=generator.randint(1, 25)))

    references = [[text() for _ in range(generator.randint(1, 3))] for _ in range(_GENERATED)]
    shared = [row[0].split(" ") for row in references]
    predictions = [" ".join(known[: len(known) // 2] + text().split(" ")) for known in shared]
    if all(len(row) == 1 for row in like.references):
        references = [row[:1] for row in references]
    return Texts(predictions, references, [{} for _ in predictions])


def page(rows: list[Row], lives: list[Live]) -> str:
    """The page."""
    lines = [
        "# Parity",
        "",
        f"Made by `{COMMAND}`; FOLDER holds `golden/` (values of reference implementations), `data/` and `nltk_data/`.",
        "Every value is compared through `grue.metric(NAME).compute`; differences are absolute, in the metric's unit.",
        "",
        "## Reference values",
        "",
        "A case is a set of texts; values are its corpus value and its values of single predictions. Where the",
        "reference implementation raised, there is nothing to compare.",
        "",
        "| metric | settings | reference implementation | file | cases | values | largest difference | allowed |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        largest = "" if row.largest is None else f"{row.largest:.1e}" if row.largest else "0"
        said = largest or f"not computed here: {row.note}".replace("|", "/")
        source = row.source.replace("|", "/")
        lines.append(
            f"| {row.metric} | {row.settings} | {source} | {row.file} | {row.cases} | {row.values} | {said} "
            f"| {row.allowed:g} |"
        )
    lines += [
        "",
        "## Packages called side by side",
        "",
        "Corpus values on real texts (references with words lost, moved or exchanged as predictions) and on generated",
        "ones (punctuation, entities, many scripts).",
        "",
        "| comparison | metrics | package | texts | largest difference |",
        "| --- | --- | --- | --- | --- |",
        *(f"| {one.name} | {one.metrics} | {one.package} | {one.texts} | {one.largest:.1e} |" for one in lives),
        "",
    ]
    return "\n".join(lines)


def main() -> int:
    """Write the page; 1 where a difference is larger than its file allows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--material", type=Path, default=os.environ.get("GRUE_TEST_MATERIAL"))
    parser.add_argument("--no-live", action="store_true", help="leave the packages out")
    given = parser.parse_args()
    if given.material is None:
        parser.error("give --material or set GRUE_TEST_MATERIAL")
    material = Path(given.material)
    import nltk

    nltk.data.path.append(str(material / "nltk_data"))
    lives: list[Live] = []
    if not given.no_live:
        missing = [name for name in _PACKAGES if not _installed(name)]
        if missing:
            parser.error(f"not installed: {', '.join(missing)}; or --no-live")
        lives = list(live(material))
    rows = rows_of(material / "golden", compute=True)
    PAGE.write_text(page(rows, lives), encoding="utf-8")
    wrong = [row.key for row in rows if (row.largest or 0.0) > row.allowed]
    wrong += [("now", one.name, f"{one.largest:.1e}") for one in lives if one.largest > LIVE_ALLOWED]
    sys.stderr.writelines(f"differs: {' '.join(key)}\n" for key in wrong)
    return int(bool(wrong))


def _installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
