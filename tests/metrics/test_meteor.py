"""METEOR against NLTK: reference values, the specification's examples, laws, and generated texts."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import grue
from grue.core.metric import Texts
from grue.metrics import meteor_words
from grue.metrics.meteor import Meteor, make
from grue.metrics.meteor_align import Side, align, chunks
from grue.metrics.settings import FAMILIES, resolve
from grue.metrics.text import words
from grue.metrics.text.wordnet import WordNet, open_wordnet

TOKENIZERS = {"punkt_word_tokenize": "nltk", "whitespace": "whitespace"}
# Words with many equal forms, stems, synonyms and near misses, so that all stages and ties occur.
VOCABULARY = (
    *("a", "the", "dog", "dogs", "doggy", "run", "runs", "running", "ran", "race", "stop", "halt", "halts", "big"),
    *("large", "bigger", "cars", "car", "auto", "automobile", "Automobile", "quick", "quickly", "fast", "geese"),
    *("goose", "hound", "run's", "U.S.", "3.5", "über", "Straße", "strasse", "ÉTÉ", "été", "犬", ".", ",", "'", "--"),
    *("yyy", "yes"),
)
LINES = st.lists(st.sampled_from(VOCABULARY) | st.text(max_size=6), max_size=14).map(" ".join)


class NoSynonyms:
    """WordNet for the reference's scorer where the synonym stage should find nothing."""

    def synsets(self, _word: str) -> list[Any]:
        return []


def meteor(**values: Any) -> Meteor:
    return make("meteor", resolve("meteor", values))


def texts(predictions: list[str], references: list[list[str]]) -> Texts:
    return Texts(predictions, references, [{}] * len(predictions))


@pytest.fixture
def nltk_data(material: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NLTK finds Punkt and WordNet in the test material."""
    import nltk

    monkeypatch.setattr(nltk.data, "path", [str(material / "nltk_data")])


@pytest.fixture
def theirs(small_wordnet: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """NLTK's own reader of the small WordNet."""
    import nltk
    from nltk.corpus.reader import WordNetCorpusReader

    for name, content in {**small_wordnet, "lexnames": b"".join(b"%02d x 1\n" % n for n in range(45))}.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "adv.exc").write_bytes(b"")
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])  # NLTK reads from its own folders only

    class Reader(WordNetCorpusReader):  # type: ignore[misc]
        def map_wn(self, version: str = "wordnet") -> None:
            """Other languages' data, which would load NLTK's default WordNet."""

    reader = Reader(str(tmp_path), object())
    yield reader
    for file in reader._data_file_map.values():
        file.close()


@pytest.mark.usefixtures("nltk_data")
@pytest.mark.parametrize(("name", "wordnet"), [("nowordnet", False), ("wordnet", True)])
def test_values_equal_nltk(golden: Callable[[str], Any], name: str, wordnet: bool) -> None:
    parameters, cases = golden(f"meteor_nltk_{name}")
    compared = 0
    for variant in cases[0].expected["corpus"]:
        tokenizer, params = variant.split("/")
        values = {"wordnet": wordnet, "tokenize": TOKENIZERS[tokenizer], **parameters["params"][params]}
        for case in cases:
            score = grue.metric("meteor", **values).compute(case.predictions, case.references)
            assert score.value == pytest.approx(case.expected["corpus"][variant], abs=1e-9), (case.id, variant)
            rows = case.expected["per_sample"][variant]
            assert score.per_sample is not None
            assert score.per_sample[: len(rows)] == pytest.approx(rows, abs=1e-9), (case.id, variant)
            compared += 1
    assert compared == 4 * 37


@pytest.mark.usefixtures("nltk_data")
def test_the_specifications_examples() -> None:
    # Specification, golden example 13.
    first, second = "a dog runs in the park", "the dog is running through a park"
    paper = {"tokenize": "nltk", "printed_list": True}
    for prediction, references, values, expected in [
        (first, [first], {}, 0.997685),
        (first, [first], paper, 0.623553),
        (first, [first, second], paper, 0.288763),
        ("the dog runs across a park", [first], {}, 0.620000),
        ("the dog runs across a park", [first, second], {}, 0.646377),
        ("the dog runs across a park", [first], paper, 0.387500),
        ("the dog runs across a park", [first, second], paper, 0.210169),
    ]:
        assert grue.metric("meteor", **values).compute([prediction], [references]).value == pytest.approx(
            expected, abs=1e-6
        )


@pytest.mark.usefixtures("nltk_data")
def test_printed_lists_are_cut_by_nltks_older_rules() -> None:
    # NLTK 3.9.1's word_tokenize gives these words; from 3.10 on quotes and dashes are split off everywhere.
    assert meteor_words.split("['a dog', 'the dog–cat', \"it's\"]") == [
        *("[", "'", "a", "dog", "'", ",", "'the", "dog–cat", "'", ",", "``", "it", "'s", "''", "]")
    ]
    assert meteor_words.split("the dog–cat") == ["the", "dog–cat"]
    assert words.split_all(["'the"], "nltk", punctuation=True) != [["'the"]]
    shared = texts(["a dog", "the 'dog'"], [["a"], ["a"]])
    assert meteor_words.of_predictions(shared) == [["a", "dog"], ["the", "'dog", "'"]]


@pytest.mark.usefixtures("nltk_data")
def test_the_papers_switch_is_its_three_quirks_and_each_shows_in_the_signature() -> None:
    paper = grue.metric("meteor", paper=True).compute(["a hound"], [["a dog", "a hound"]])
    spelt = grue.metric("meteor", wordnet=True, tokenize="nltk", printed_list=True)
    assert paper == spelt.compute(["a hound"], [["a dog", "a hound"]])
    signature = str(paper.signature)
    assert "|refs:printed-list|" in signature
    assert "|wordnet:3.0[nltk:" in signature
    assert "[rules:3.9]|" in signature
    plain = str(grue.metric("meteor").compute(["a"], [["a"]]).signature)
    assert plain == (
        "meteor|stem:porter|wordnet:no|alpha:0.9|beta:3.0|gamma:0.5|tok:unicode-v1|case:lc|refs:max|impl:nltk-3.10.4|v:1"
    )


def test_every_setting_that_changes_the_number_changes_the_signature() -> None:
    signatures = {
        meteor(**values).signature()
        for values in (
            {},
            {"alpha": 0.8},
            {"beta": 1.5},
            {"gamma": 0.6},
            {"tokenize": "whitespace"},
            {"printed_list": True},
        )
    }
    assert len(signatures) == 6
    assert set(FAMILIES["meteor"]) == {*resolve("meteor"), "paper"}


def nltk_score(prediction: str, references: list[str], wordnet: Any, **parameters: float) -> float:
    from nltk.translate.meteor_score import meteor_score

    split = [reference.split() for reference in references]
    value: float = meteor_score(split, prediction.split(), wordnet=wordnet, **parameters)
    return value


def check_equal(rows: list[tuple[str, list[str]]], ours: Meteor, wordnet: Any, **parameters: float) -> None:
    values = ours.per_sample(texts([row[0] for row in rows], [row[1] for row in rows]))
    for value, (prediction, references) in zip(values, rows, strict=True):
        assert value == pytest.approx(nltk_score(prediction, references, wordnet, **parameters), abs=1e-12)


ROWS = st.lists(st.tuples(LINES, st.lists(LINES, min_size=1, max_size=3)), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, alpha=st.sampled_from([0.0, 0.5, 0.9, 1.0]), beta=st.sampled_from([0.0, 1.5, 3.0]))
def test_generated_texts_score_as_in_nltk(rows: list[tuple[str, list[str]]], alpha: float, beta: float) -> None:
    ours = meteor(tokenize="whitespace", alpha=alpha, beta=beta)
    check_equal(rows, ours, NoSynonyms(), alpha=alpha, beta=beta)


def test_generated_texts_score_as_in_nltk_with_synonyms(small_wordnet: dict[str, bytes], theirs: Any) -> None:
    ours = Meteor(0.9, 3.0, 0.5, "whitespace", WordNet("path", small_wordnet), printed_list=False)
    draw = random.Random(0)
    words = [*VOCABULARY, "domestic_dog", "galore", "cad"]
    rows = [
        (
            " ".join(draw.choices(words, k=draw.randrange(12))),
            [" ".join(draw.choices(words, k=draw.randrange(12))) for _ in range(draw.randrange(1, 4))],
        )
        for _ in range(400)
    ]
    check_equal(rows, ours, theirs)
    plain = Meteor(0.9, 3.0, 0.5, "whitespace", None, printed_list=False)
    batch = texts([row[0] for row in rows], [row[1] for row in rows])
    assert (ours.per_sample(batch) > plain.per_sample(batch)).sum() > 50


@pytest.mark.long
@pytest.mark.usefixtures("nltk_data")
def test_thousands_of_generated_texts_score_as_in_nltk_with_the_real_wordnet(material: Path) -> None:
    from nltk.corpus import wordnet

    lines = (material / "golden/inputs/commongen_human.jsonl").read_text(encoding="utf-8").split("\n")
    real = sorted({word for line in lines if line for word in json.loads(line)["prediction"].split()})
    words = [*VOCABULARY, *real, *sorted(wordnet.all_lemma_names())[::97]]
    draw = random.Random(1)
    rows = []
    for _ in range(5000):
        some = draw.choices(words, k=30)
        rows.append((" ".join(draw.choices(some, k=12)), [" ".join(draw.choices(some, k=12)) for _ in range(2)]))
    check_equal(rows, meteor(tokenize="whitespace", wordnet=True), wordnet)
    check_equal(rows, meteor(tokenize="whitespace"), NoSynonyms())


@pytest.mark.long
@pytest.mark.usefixtures("nltk_data")
def test_synonyms_are_those_of_nltks_reader(tmp_path: Path) -> None:
    from nltk.corpus import wordnet

    ours = open_wordnet("nltk", tmp_path)
    lemmas = sorted(wordnet.all_lemma_names())[::431]
    irregular = sorted(word for known in wordnet._exception_map.values() for word in known)[::59]
    endings = ("", "s", "es", "ed", "ing", "er", "est", "men", "ies", "ches")
    words = [lemma + ending for lemma in lemmas for ending in endings] + irregular + ["", "'", "Dogs", "ÉTÉ", "_"]
    for word in words:
        expected = {
            lemma.name() for synset in wordnet.synsets(word) for lemma in synset.lemmas() if "_" not in lemma.name()
        }
        assert ours.synonyms(word) == expected, word
    assert len(words) > 3000


def test_synonyms_of_the_small_wordnet_follow_its_files(small_wordnet: dict[str, bytes]) -> None:
    ours = WordNet("path", small_wordnet)
    assert ours.synonyms("hounds") == {"dog", "hound"}  # domestic_dog has a blank
    assert ours.synonyms("dog") == {"dog", "hound", "cad"}  # two synsets
    assert ours.synonyms("geese") == {"goose"}  # by the exception list
    assert ours.synonyms("ran") == {"run", "race"}
    assert ours.synonyms("bigger") == {"big", "large"}  # markers fall away
    assert ours.synonyms("autos") == {"car", "auto", "Benz"}
    assert ours.synonyms("cat") == frozenset()
    assert ours.signature().startswith("3.0[path:")


def test_wordnet_by_path_is_read_from_a_folder_and_from_an_archive_alike(
    small_wordnet: dict[str, bytes], tmp_path: Path
) -> None:
    import zipfile

    (tmp_path / "dict").mkdir()
    for name, content in small_wordnet.items():
        (tmp_path / "dict" / name).write_bytes(content)
    with zipfile.ZipFile(tmp_path / "wn.zip", "w") as archive:
        for name, content in small_wordnet.items():
            archive.writestr(f"wordnet/{name}", content)
    scores = [
        grue.metric("meteor", wordnet=True, wordnet_data=str(tmp_path / place)).compute(["the hound"], [["the dog"]])
        for place in ("dict", "wn.zip")
    ]
    assert scores[0] == scores[1]
    assert scores[0].value == pytest.approx(1 - 0.5 / 8)
    (tmp_path / "dict" / "verb.exc").unlink()
    absent = grue.metric("meteor", wordnet=True, wordnet_data=str(tmp_path / "dict")).compute(["a"], [["a"]])
    assert absent.value is None
    assert "verb.exc" in str(absent.reason)


@pytest.mark.parametrize(
    ("where", "words"),
    [("nltk", "nltk.downloader wordnet"), ("fetched", "grue data fetch wordnet"), ("/no/such", "wordnet-base")],
)
def test_missing_wordnet_makes_meteor_absent_and_names_the_fix(
    where: str, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import nltk

    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    score = grue.metric("meteor", wordnet=True, wordnet_data=where).compute(["a"], [["a"]])
    assert score.value is None
    assert words in str(score.reason)


def test_index_and_data_that_do_not_belong_together_are_noticed(small_wordnet: dict[str, bytes]) -> None:
    broken = WordNet("path", {**small_wordnet, "data.noun": small_wordnet["data.noun"][3:]})
    with pytest.raises(ValueError, match=r"data\.noun has no synset at"):
        broken.synonyms("dog")


def places(hypothesis: str, reference: str) -> list[int | None]:
    return align(Side(hypothesis.split()), Side(reference.split()), None)


def test_equal_words_are_paired_from_the_end_and_chunks_counted_on_that() -> None:
    # "a b" meets the last "a" and the last "b" of the reference: positions 2 and 1, so two chunks.
    assert places("a b", "a b a") == [2, 1]
    assert chunks([2, 1]) == 2
    assert places("a a x", "y a a a") == [2, 3, None]
    assert chunks([2, 3, None]) == 1
    assert chunks([0, None, 1]) == 2
    assert chunks([]) == 0


def test_exact_words_are_taken_before_stems() -> None:
    # "runs" takes its own form; "running" then takes the stem that is left.
    assert places("running runs", "runs run") == [1, 0]


@settings(max_examples=40, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_order_of_rows_and_references_does_not_matter(rows: list[tuple[str, list[str]]], draw: random.Random) -> None:
    ours = meteor()
    values = ours.per_sample(texts([row[0] for row in rows], [row[1] for row in rows]))
    assert ((values >= 0) & (values <= 1)).all()
    order = list(range(len(rows)))
    draw.shuffle(order)
    shuffled = [(rows[index][0], draw.sample(rows[index][1], len(rows[index][1]))) for index in order]
    again = ours.per_sample(texts([row[0] for row in shuffled], [row[1] for row in shuffled]))
    assert list(again) == [values[index] for index in order]


@settings(max_examples=40, deadline=None)
@given(LINES)
def test_a_copy_loses_nothing_but_one_chunk(line: str) -> None:
    value = float(meteor().per_sample(texts([line], [[line]]))[0])
    n_words = len(meteor()._sides(texts([line], [[line]]))[0][0].words)
    # Repeated words are paired in order too, so a copy is one chunk.
    assert value == pytest.approx(1 - 0.5 / n_words**3 if n_words else 0.0)


@pytest.mark.parametrize("line", ["", " ", "\ud800 a", "\x00\x07", "y" * 3000, "a " * 50_000, "é" * 1_000_000])
def test_odd_texts_have_a_value(line: str) -> None:
    for tokenize in ("unicode", "whitespace"):
        score = grue.metric("meteor", tokenize=tokenize).compute([line, "a b"], [["a", line], [line]])
        assert score.value is not None
        assert 0 <= score.value <= 1


def test_a_million_words_take_seconds_and_not_hours() -> None:
    draw = random.Random(0)
    long = " ".join(draw.choices(["dog", "dogs", "doggy", "run", "runs", "x", "y"], k=300_000))
    other = " ".join(draw.choices(["dog", "running", "ran", "run", "z"], k=300_000))
    assert 0 < float(meteor().per_sample(texts([long], [[other]]))[0]) < 1


def test_rows_without_references_are_left_out() -> None:
    score = grue.metric("meteor").compute(["a b", "a b"], [["a b"], []])
    assert (score.n, score.per_sample) == (1, [pytest.approx(1 - 0.5 / 8), None])


def test_the_explanation_names_words_by_stage(small_wordnet: dict[str, bytes]) -> None:
    ours = Meteor(0.9, 3.0, 0.5, "unicode", WordNet("path", small_wordnet), printed_list=False)
    (found,) = ours.explain(texts(["The hound runs far"], [["x", "the dog run"]]))
    words, stems, synonyms = found.parts
    assert (words.matched, words.missing, words.extra) == (("the",), (), ("far",))
    assert stems.matched == ("runs = run",)
    assert synonyms.matched == ("hound = dog",)
    assert found.reference == 1
    assert found.value == ours.per_sample(texts(["The hound runs far"], [["x", "the dog run"]]))[0]
    assert found.summary == "3 of 4 words match 3 of the reference's 3, in 1 runs."
    assert ours.explain(texts([""], [[]]))[0].value is None
