"""What the ROUGE family and the SQuAD measures say of a row, and how their quirks show in the signature."""

from __future__ import annotations

import grue
from grue.core.metric import Explains, Explanation, Texts


def explained(name: str, prediction: str, references: list[str], **settings: bool | str) -> Explanation:
    built = grue.metric(name, **settings).built
    assert isinstance(built, Explains)
    texts = Texts([prediction], [references], [{}])
    (row,) = built.explain(texts)
    score = grue.metric(name, **settings).compute([prediction], [references])
    assert row.value == score.value
    return row


def test_rouge1_names_words_by_stem_and_the_best_reference() -> None:
    row = explained("rouge1", "The dogs were running", ["nothing here", "the dog runs home"])
    assert row.reference == 1
    part = row.parts[0]
    assert (part.kind, part.matched, part.missing, part.extra) == (
        "words",
        ("the", "dogs", "running"),
        ("home",),
        ("were",),
    )


def test_rouge2_names_word_pairs() -> None:
    part = explained("rouge2", "a b c", ["b c d"]).parts[0]
    assert (part.kind, part.matched, part.missing, part.extra) == ("2-grams", ("b c",), ("c d",), ("a b",))


def test_rouge_l_names_the_subsequence() -> None:
    part = explained("rougeL", "a x b", ["a b c"]).parts[0]
    assert (part.matched, part.missing, part.extra) == (("a", "b"), ("c",), ("x",))


def test_rouge_l_sum_names_the_union_over_lines() -> None:
    part = explained("rougeLsum", "a b\nc d", ["c d\na b"]).parts[0]
    assert (part.matched, part.missing, part.extra) == (("c", "d", "a", "b"), (), ())


def test_squad_names_shared_words_after_normalising() -> None:
    part = explained("f1", "The old house!", ["a house", "a new house"]).parts[0]
    assert (part.matched, part.missing, part.extra) == (("house",), (), ("old",))


def test_rouge_l_max_names_the_subsequence_as_compared() -> None:
    row = explained("rougeL_max", "a x b", ["q", "a b c"], use_stemmer=False)
    part = row.parts[0]
    assert row.reference == 1
    assert (part.matched, part.missing, part.extra) == (("a", "b"), ("c",), ("x",))


def test_odd_rows_are_explained_without_raising() -> None:
    for name in ("rouge1", "rouge2", "rougeL", "rougeLsum", "exact_match", "f1", "rougeL_max"):
        built = grue.metric(name).built
        assert isinstance(built, Explains)
        rows = built.explain(Texts(["", "\ud800 x", "\n\n", "a"], [[""], ["\x00"], ["a", "\n"], []], [{}] * 4))
        assert len(rows) == 4
        assert rows[3].value is None


def test_each_quirk_of_rouge_has_a_place_of_its_own_in_the_signature() -> None:
    def of(**settings: bool | str) -> str:
        signature = grue.metric("rouge1", **settings).compute(["a"], [["a"]]).signature
        assert signature is not None
        return signature

    end = "impl:rouge-score-0.1.2|v:1"
    mid = "agg:bootstrap-mid[1000,seed:0]"
    assert of() == f"rouge1|stem:yes|refs:max|{end}"
    assert of(printed_list=True) == f"rouge1|stem:yes|refs:printed-list|{end}"
    assert of(bootstrap=True) == f"rouge1|stem:yes|refs:max|{mid}|{end}"
    assert of(printed_list=True, bootstrap=True) == f"rouge1|stem:yes|refs:printed-list|{mid}|{end}"
    assert of(paper=True) == f"rouge1|stem:yes|refs:first|{mid}|{end}"
    # With one reference RL4LMs prints no list.
    assert of(paper=True, printed_list=True) == of(paper=True)
