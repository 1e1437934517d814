"""What metrics say of degenerate texts: one table."""

from __future__ import annotations

import math
import pickle
import subprocess
import sys

import pytest

import grue
from grue.core.errors import MetricUnavailableError, UsageError
from grue.core.metric import CorpusMetric, MeanMetric, Metric, PooledMetric, SegmentMetric
from grue.core.task import MetricSpec
from grue.metrics import METRICS
from grue.metrics.build import build, names
from grue.metrics.card import card

JAVA = ("meteor_java", "spice")
# Those that need neither a checkpoint nor a program of the user's.
PRESENT = tuple(name for name, entry in METRICS.items() if not entry.needs_model and name not in JAVA)
NEED_REFERENCES = (
    "sacrebleu",
    "bleu",
    "chrf",
    "chrf++",
    "ter",
    "rouge1",
    "rouge2",
    "rougeL",
    "rougeLsum",
    "exact_match",
    "f1",
)
LONG = "word other " * 3000

# Metric, predictions, references, inputs -> value (None: not defined) and the rows behind it.
TABLE = [
    ("sacrebleu", [""], [["the cat"]], [{}], 0.0, 1),
    ("sacrebleu", ["the cat sat here", "x"], [["the cat sat here"], []], [{}, {}], 100.0, 1),
    ("sacrebleu", ["我们在公园"], [["我们在公园"]], [{}], 0.0, 1),  # 13a sees one word, and BLEU wants four
    ("bleu", [""], [["the cat"]], [{}], 0.0, 1),  # the script divides by zero
    ("bleu", ["a b"], [[""]], [{}], 0.0, 1),
    ("chrf", [""], [["the cat"]], [{}], 0.0, 1),
    ("chrf", ["我们在公园里"], [["我们在公园里"]], [{}], 100.0, 1),
    ("chrf", ["  \t\n"], [["the cat"]], [{}], 0.0, 1),
    ("ter", [""], [["the cat"]], [{}], 100.0, 1),
    ("ter", ["the cat"], [[""]], [{}], 100.0, 1),
    ("ter", [""], [[""]], [{}], 0.0, 1),
    ("rouge1", [""], [["the cat"]], [{}], 0.0, 1),
    ("rouge1", ["我们"], [["我们"]], [{}], 0.0, 1),  # rouge-score knows a-z and 0-9 alone
    ("rougeL", [LONG], [[LONG]], [{}], 1.0, 1),
    ("rougeLsum", [" \n "], [["the cat"]], [{}], 0.0, 1),
    ("rouge2", ["one"], [["one"]], [{}], 0.0, 1),
    ("rouge1", ["a cat", "b"], [["a cat"], []], [{}, {}], 1.0, 1),
    ("exact_match", [""], [[""]], [{}], 1.0, 1),
    ("exact_match", ["The Cat!"], [["dog", "a cat"]], [{}], 1.0, 1),
    ("f1", [""], [[""]], [{}], 0.0, 1),  # SQuAD v1.1: no words in common
    ("f1", ["我们"], [["我们"]], [{}], 1.0, 1),
    ("distinct_1", ["", ""], [[], []], [{}, {}], 0.0, 2),
    ("distinct_1", ["we we", "we"], [[], []], [{}, {}], 1 / 3, 2),
    ("distinct_2", ["one", "two"], [[], []], [{}, {}], 0.0, 2),
    ("unique_1", ["a b b"], [[]], [{}], 1.0, 1),
    ("vocab_size", ["A a á"], [[]], [{}], 2.0, 1),
    ("entropy_1", ["a b"], [[]], [{}], 1.0, 1),
    ("entropy_1", [""], [[]], [{}], 0.0, 1),
    ("cond_entropy_3", ["a b"], [[]], [{}], 0.0, 1),
    ("msttr", ["a b c"], [[]], [{}], None, 1),
    ("msttr", ["a b " * 50], [[]], [{}], 0.02, 1),
    ("mean_length", ["", "one two."], [[], []], [{}, {}], 1.5, 2),
    ("repetition_rate", ["a b c d a b c d", "a b c d"], [[], []], [{}, {}], 0.5, 2),
    ("repetition_rate", ["", "no"], [[], []], [{}, {}], 0.0, 2),
    ("repetition_rate", ["a a a a a"], [[]], [{}], 1.0, 1),
    ("copy_rate", ["a b c d e"], [[]], [{"source": "x a b c d y"}], 0.5, 1),
    ("copy_rate", ["a b c"], [[]], [{"source": "a b c"}], None, 0),
    ("copy_rate", ["a b c d"], [[]], [{"prompt": "a b c d"}], None, 0),
    ("copy_rate", ["a b c d", "a b c d"], [[], []], [{"source": "A B C D"}, {}], 1.0, 1),
]


@pytest.mark.parametrize(("name", "predictions", "references", "inputs", "value", "n"), TABLE)
def test_degenerate_texts_have_documented_values(
    name: str,
    predictions: list[str],
    references: list[list[str]],
    inputs: list[dict[str, str]],
    value: float | None,
    n: int,
) -> None:
    score = grue.metric(name).compute(predictions, references, inputs)
    assert score.value == (value if value is None else pytest.approx(value, abs=1e-9))
    assert score.n == n
    assert (score.reason is None) == (value is not None)


@pytest.mark.parametrize("name", PRESENT)
@pytest.mark.parametrize(
    "text",
    ["", "  ", "a", "\n\n", "<b>&amp;</b>", "🙂🙂", "我们", "مرحبا بالعالم", "สวัสดี", "e\u0301", "\x00", LONG[:900]],
)
def test_no_text_makes_a_metric_raise_or_leave_its_scale(name: str, text: str) -> None:
    score = grue.metric(name).compute([text, "the cat"], [["the cat", text], [text]], [{"source": text}] * 2)
    if score.value is None:
        assert score.reason
    else:
        assert math.isfinite(score.value)
        if score.scale is not None and name != "ter":
            assert -1e-9 <= score.value <= score.scale + 1e-9


@pytest.mark.parametrize("name", NEED_REFERENCES)
def test_rows_without_references_are_left_out(name: str) -> None:
    score = grue.metric(name).compute(["a cat sat here now", "a dog"], [["a cat sat here now"], []])
    alone = grue.metric(name).compute(["a cat sat here now"], [["a cat sat here now"]])
    assert (score.value, score.n) == (alone.value, 1)
    assert score.per_sample is not None
    assert score.per_sample[1] is None
    nothing = grue.metric(name).compute(["a cat"], [[]])
    assert nothing.value is None
    assert nothing.signature is None
    assert "no references" in str(nothing.reason)


@pytest.mark.parametrize("name", PRESENT)
def test_no_predictions_give_no_value(name: str) -> None:
    score = grue.metric(name).compute([], [])
    assert (score.value, score.n) == (None, 0)
    assert score.reason


@pytest.mark.parametrize("name", PRESENT)
def test_a_metric_keeps_its_seam_and_travels_between_processes(name: str) -> None:
    metric: Metric = build(MetricSpec(name))
    assert metric.name == name
    again = pickle.loads(pickle.dumps(metric))
    assert again.signature() == metric.signature()
    kinds = (SegmentMetric, MeanMetric, PooledMetric, CorpusMetric)
    assert sum(isinstance(again, kind) for kind in kinds) == 1
    assert metric.higher_is_better is (None if METRICS[name].family == "diversity" else name != "ter")


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_has_a_card(name: str) -> None:
    about = card(name)
    assert about is not None
    assert about.measures.endswith((".", ")"))
    assert about.source
    assert about.failings
    if about.low is not None and about.high is not None:
        assert about.low < about.high


def test_identical_texts_score_best() -> None:
    texts = ["the cat sat on the mat .", "a dog runs through the park"]
    for name in NEED_REFERENCES:
        metric = grue.metric(name)
        value = metric.compute(texts, [[text] for text in texts]).value
        assert value == pytest.approx(0 if name == "ter" else metric.built.scale)  # type: ignore[union-attr]


def test_metrics_without_their_judge_or_program_are_absent_with_a_reason_and_never_zero() -> None:
    absent = [name for name in names() if name not in PRESENT]
    assert {"bertscore", "sentiment", "spice", "meteor_java", "perplexity"} <= set(absent)
    for name in absent:
        score = grue.metric(name).compute(["a"], [["a"]])
        assert (score.value, score.scale, score.n, score.signature) == (None, None, 0, None)
        assert "--set" in str(score.reason)
        with pytest.raises(MetricUnavailableError):
            build(MetricSpec(name))


def test_an_unknown_metric_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="Did you mean 'rougeL'"):
        grue.metric("rogueL")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"use_stemer": True}, "Did you mean 'use_stemmer'"),
        ({"use_stemmer": "yes"}, "true | false"),
        ({"references": "maximum"}, "max | first"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_is_allowed(settings: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as error:
        grue.metric("rouge1", **settings)
    assert message in str(error.value)


@pytest.mark.parametrize(("key", "value"), [("max_ngram_order", 0), ("max_ngram_order", 2.5), ("smooth_value", -1)])
def test_a_number_out_of_range_is_refused(key: str, value: float) -> None:
    with pytest.raises(UsageError):
        grue.metric("sacrebleu", **{key: value})


def test_lengths_that_differ_and_bare_texts_are_refused() -> None:
    metric = grue.metric("rouge1")
    with pytest.raises(UsageError, match="1 given for 2"):
        metric.compute(["a", "b"], [["a"]])
    with pytest.raises(UsageError, match="list of texts"):
        metric.compute(["a"], ["a"])
    with pytest.raises(UsageError, match="list of texts"):
        metric.compute("a", [["a"]])


def test_every_setting_that_changes_the_number_is_in_the_signature() -> None:
    changes = {
        "sacrebleu": {
            "tokenize": "intl",
            "lowercase": True,
            "smooth_method": "floor",
            "max_ngram_order": 2,
            "effective_order": True,
        },
        "chrf": {
            "char_order": 4,
            "word_order": 1,
            "beta": 1,
            "lowercase": True,
            "whitespace": True,
            "eps_smoothing": True,
        },
        "ter": {"normalized": True, "no_punct": True, "asian_support": True, "case_sensitive": True},
        "rougeLsum": {"use_stemmer": False, "references": "first", "lsum_split": "sentence", "paper": True},
        "bleu": {"tokenize": "13a", "max_order": 2, "smooth": True},
        "msttr": {"tokenize": "whitespace", "segment": 20, "punctuation": False},
    }
    for name, settings in changes.items():
        plain = build(MetricSpec(name)).signature()
        for key, value in settings.items():
            assert build(MetricSpec(name, {key: value})).signature() != plain, (name, key)
    floor = {"smooth_method": "floor"}
    near = [build(MetricSpec("sacrebleu", {**floor, "smooth_value": value})).signature() for value in (0.001, 0.002)]
    assert near[0] != near[1]


def test_the_librarys_signature_is_kept_key_by_key() -> None:
    from sacrebleu.metrics import BLEU, CHRF, TER

    for name, library in (("sacrebleu", BLEU()), ("chrf", CHRF()), ("chrf++", CHRF(word_order=2)), ("ter", TER())):
        library.corpus_score(["a b", "a"], [["a b", "b"], ["a", None]])
        assert build(MetricSpec(name)).signature() == str(library.get_signature())


def test_the_paper_profile_takes_the_papers_settings() -> None:
    assert "tok:intl" in str(grue.metric("sacrebleu", profile="grue-paper").compute(["a"], [["a"]]).signature)
    first = grue.metric("rouge1", profile="grue-paper").compute(["a cat"], [["dog", "a cat"]])
    assert first.value == 0
    with pytest.raises(UsageError, match="Did you mean 'grue-paper'"):
        grue.metric("rouge1", profile="grue-papper")


def test_rouge_against_the_printed_list_is_the_specifications_example() -> None:
    # Specification, golden example 10.
    prediction = "al appeared in two episodes in 2016."
    references = ["in 2016 al appeared in two episodes.", "al had two episodes in 2016."]
    assert grue.metric("rouge1").compute([prediction], [references]).value == pytest.approx(1.0)
    assert grue.metric("rouge1", printed_list=True).compute([prediction], [references]).value == pytest.approx(0.7)
    broken = ["Line one here.\nThe second line."]
    score = grue.metric("rouge1", printed_list=True).compute(["Line one here. The second line."], [broken])
    assert score.value == pytest.approx(0.8333, abs=1e-4)


def test_sacrebleu_on_the_specifications_example() -> None:
    # Specification, golden example 9 (SacreBLEU 2.2.0), four decimals.
    predictions = ["Der Hund läuft im Park.", "Sie hat zwei Katzen."]
    references = [["Der Hund rennt im Park."], ["Sie hat zwei schwarze Katzen."]]
    wanted = {"sacrebleu": 33.1231, "chrf": 57.6326, "chrf++": 61.5027, "ter": 20.0}
    for name, value in wanted.items():
        assert grue.metric(name).compute(predictions, references).value == pytest.approx(value, abs=1e-4)


def test_lsum_splits_sentences_where_asked() -> None:
    prediction = "The cat sat. A dog ran to Mr. Smith."
    reference = "A dog ran to Mr. Smith. The cat sat."
    whole = grue.metric("rougeLsum").compute([prediction], [[reference]]).value
    split = grue.metric("rougeLsum", lsum_split="sentence").compute([prediction], [[reference]]).value
    assert split == pytest.approx(1.0)
    assert whole is not None
    assert whole < 1.0


def test_unicode_words_of_several_scripts() -> None:
    from grue.metrics.text import words

    rows = {
        "Don't stop, it's 3.5 km!": ["don't", "stop", ",", "it's", "3.5", "km", "!"],
        "Über-Größe „ja“": ["über-größe", "„", "ja", "“"],
        "हिन्दी में": ["हिन्दी", "में"],
        "end. ...": ["end", ".", ".", ".", "."],
        "": [],
    }
    assert words.split_all(list(rows), "unicode", punctuation=True) == list(rows.values())
    assert words.split_all(["Über, „ja“ $!"], "unicode", punctuation=False) == [["über", "ja"]]


def test_nltk_words_without_punkt_are_absent_with_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    import nltk

    monkeypatch.setattr(nltk.data, "path", [])
    score = grue.metric("distinct_1", tokenize="nltk").compute(["a"])
    assert score.value is None
    assert "punkt_tab" in str(score.reason)


def test_a_tokeniser_without_its_package_is_absent_with_the_fix() -> None:
    reason = str(grue.metric("sacrebleu", tokenize="ja-mecab").reason)
    try:
        import MeCab  # noqa: F401
    except ImportError:
        assert "sacrebleu[ja]" in reason
    else:
        assert reason == "None"


def test_string_metrics_import_neither_torch_nor_other_heavy_libraries() -> None:
    program = (
        "import sys, grue; from grue.metrics.build import names\n"
        "for name in names(): grue.metric(name).compute(['a cat sat here', 'b'], [['a cat'], ['b']])\n"
        "print([m for m in ('torch', 'transformers', 'datasets', 'pandas', 'fastapi') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_example_of_the_python_api_holds() -> None:
    import doctest

    from grue.metrics import api

    assert doctest.testmod(api) == (0, 1)
