"""The reference packages, called as their documentation says, each giving name -> corpus value for a set of texts."""

from __future__ import annotations

import math
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from metric_parent_script import parent

from grue.core.metric import Texts
from grue.metrics.coco_words import caption
from grue.metrics.text import sentences

Values = dict[str, float]
ROUGE = ("rouge1", "rouge2", "rougeL", "rougeLsum")


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _streams(texts: Texts) -> list[list[str | None]]:
    most = max(map(len, texts.references))
    return [[row[i] if i < len(row) else None for row in texts.references] for i in range(most)]


def rouge(texts: Texts, *, split: bool = False) -> Values:
    """rouge-score: all four types, stemmer on, best reference; Lsum on lines, or on sentences split beforehand."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer([kind for kind in ROUGE if kind != "rougeLsum" or not split], use_stemmer=True)
    summary = RougeScorer(["rougeLsum"], use_stemmer=True) if split else None
    rows = []
    for text, references in zip(texts.predictions, texts.references, strict=True):
        found = scorer.score_multi(list(references), text)
        if summary:
            lines = ["\n".join(sentences.split(part)) for part in (text, *references)]
            found = {**found, **summary.score_multi(lines[1:], lines[0])}
        rows.append(found)
    return {kind: _mean([row[kind].fmeasure for row in rows]) for kind in ROUGE}


def meteor(texts: Texts, split: Callable[[str], list[str]]) -> Values:
    """NLTK's METEOR without WordNet, on words that the caller names."""
    from nltk.translate.meteor_score import meteor_score

    empty = _NoWordNet()
    values = [
        meteor_score([split(reference) for reference in references], split(text), wordnet=empty)
        for text, references in zip(texts.predictions, texts.references, strict=True)
    ]
    return {"meteor": _mean(values)}


class _NoWordNet:
    def synsets(self, _: str) -> list[object]:
        return []


def coco(texts: Texts, wanted: Sequence[str]) -> Values:
    """pycocoevalcap's BLEU, CIDEr and ROUGE-L on texts that are tokenised already (joined by blanks)."""
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    references = {str(i): list(row) for i, row in enumerate(texts.references)}
    predictions = {str(i): [text] for i, text in enumerate(texts.predictions)}
    values: Values = {}
    if "bleu_4" in wanted:
        scores, _ = Bleu(4).compute_score(references, predictions, verbose=0)
        values |= {f"bleu_{order}": float(score) for order, score in enumerate(scores, 1)}
    if "cider_d" in wanted:
        values["cider_d"] = float(Cider().compute_score(references, predictions)[0])
    if "rougeL_coco" in wanted:
        values["rougeL_coco"] = float(Rouge().compute_score(references, predictions)[0])
    return values


def java_tokens(texts: Texts) -> Texts:
    """The texts as pycocoevalcap's Java tokeniser splits them; needs a JVM."""
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    def run(rows: Sequence[Sequence[str]]) -> list[list[str]]:
        given = {str(i): [{"caption": text} for text in row] for i, row in enumerate(rows)}
        with _quiet():
            found = PTBTokenizer().tokenize(given)
        return [found.get(str(i), [""] * len(row)) for i, row in enumerate(rows)]

    predictions = [row[0] for row in run([[text] for text in texts.predictions])]
    return Texts(predictions, run(texts.references), texts.inputs)


@contextmanager
def _quiet() -> Iterator[None]:
    """The Java program reports its speed on standard error at each call."""
    sys.stderr.flush()
    kept = os.dup(2)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def own_tokens(texts: Texts) -> Texts:
    """The same by our tokeniser, which gives the same texts without a JVM."""
    references = [[caption(text, "ptb") for text in row] for row in texts.references]
    return Texts([caption(text, "ptb") for text in texts.predictions], references, texts.inputs)


def parent_script(texts: Texts) -> Values:
    """PARENT by the plain rendition of the ToTTo script."""
    rows = parent(texts.predictions, texts.references, texts.inputs)
    names = ("parent_precision", "parent_recall", "parent")
    return {name: _mean([row[i] for row in rows]) for i, name in enumerate(names)}


def bleu_totto(texts: Texts) -> Values:
    """ToTTo's BLEU: lower case, Moses' detokeniser, three references, SacreBLEU."""
    from sacrebleu.metrics import BLEU
    from sacremoses import MosesDetokenizer

    join = MosesDetokenizer("en")
    predictions = [join.detokenize((text.lower() if text.strip() else "<null>").split()) for text in texts.predictions]
    rows = [[*row, *["<null>"] * (3 - len(row))] for row in texts.references]
    streams = [[join.detokenize(row[i].lower().split()) for row in rows] for i in range(3)]
    return {"bleu_totto": BLEU().corpus_score(predictions, streams).score / 100}


def sacre(texts: Texts, name: str) -> Values:
    """sacrebleu's own corpus call."""
    from sacrebleu.metrics import BLEU, CHRF, TER

    library = {"sacrebleu": BLEU, "chrf": CHRF, "ter": TER}.get(name)
    made = library() if library else CHRF(word_order=2)
    return {name: float(made.corpus_score(list(texts.predictions), _streams(texts)).score)}


def squad(texts: Texts) -> Values:
    """SQuAD v1.1's two numbers in the manner of its script."""

    def normal(text: str) -> list[str]:
        bare = "".join(sign for sign in text.lower() if sign not in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
        return re.sub(r"\b(a|an|the)\b", " ", bare).split()

    def overlap(text: str, reference: str) -> float:
        ours, theirs = normal(text), normal(reference)
        same = sum((Counter(ours) & Counter(theirs)).values())
        return 2 * same / (len(ours) + len(theirs)) if same else 0.0

    pairs = list(zip(texts.predictions, texts.references, strict=True))
    exact = [max(float(normal(text) == normal(reference)) for reference in row) for text, row in pairs]
    return {"exact_match": _mean(exact), "f1": _mean([max(overlap(text, one) for one in row) for text, row in pairs])}


def diversity(texts: Texts, split: Callable[[str], list[str]]) -> Values:
    """n-gram statistics with ``Counter`` and ``nltk.ngrams``, as GEM-metrics goes about them; each n counted anew."""
    from nltk import ngrams

    rows = [split(text) for text in texts.predictions]
    values: Values = {}
    for n in (1, 2, 3):
        counts = Counter(gram for row in rows for gram in ngrams(row, n))
        total = sum(counts.values())
        values[f"distinct_{n}"] = len(counts) / total
        values[f"unique_{n}"] = float(sum(1 for count in counts.values() if count == 1))
        values[f"entropy_{n}"] = -math.fsum(c / total * math.log2(c / total) for c in counts.values())
        if n > 1:
            # The share of a gram's prefix is that among grams of one word less, as there.
            before = Counter(gram for row in rows for gram in ngrams(row, n - 1))
            of_before = sum(before.values())
            values[f"cond_entropy_{n}"] = -math.fsum(
                c / total * math.log2((c / total) / (before[gram[:-1]] / of_before)) for gram, c in counts.items()
            )
    whole = [word for row in rows for word in row]
    values["vocab_size"] = float(len(set(whole)))
    blocks = [whole[start : start + 100] for start in range(0, len(whole) - 99, 100)]
    values["msttr"] = _mean([len(set(block)) / 100 for block in blocks]) if blocks else math.nan
    values["mean_length"] = _mean([float(len(row)) for row in rows])
    return values
