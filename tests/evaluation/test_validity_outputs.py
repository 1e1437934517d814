"""Degenerate outputs: each policy that does not do the task is caught, texts that people wrote are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grue.core.rows import Generation, Row
from grue.core.run import TaskScore
from grue.evaluation.degenerate import MEANINGS, Asked, Written, is_listing, is_repeated, kinds_of
from grue.evaluation.language import is_other
from grue.evaluation.validity import TaskSamples, task_validity
from grue.runs.validity import TaskValidity

CONCEPTS = (
    ("coral", "fish", "island"),
    ("dog", "frisbee", "catch", "throw"),
    ("boat", "lake", "student"),
    ("field", "look", "stand"),
    ("bride", "cake", "groom"),
    ("ball", "goal", "kick"),
    ("horse", "jump", "fence", "rider"),
    ("beach", "run", "sand"),
    ("guitar", "play", "stage"),
    ("bird", "fly", "tree"),
)
SENTENCES = (
    "Bright fish swim around the coral near an island.",
    "A man throws a frisbee and his dog catches it.",
    "The student rows a boat across the lake.",
    "She stands in the field and looks at the clouds.",
    "The bride and her groom cut the cake together.",
    "He kicked the ball straight into the goal.",
    "A rider makes the horse jump over a high fence.",
    "Children run along the beach and play in the sand.",
    "A woman plays her guitar on a small stage.",
    "Some birds flew out of the old tree.",
)
ENGLISH = (
    "That is the reason why we have to talk about the future of our cities.",
    "She told me that there was nothing to be afraid of in the house.",
    "I think that you should have been there with us.",
    "What they did was to build a school for the children.",
    "It was the first time that he had been to the sea.",
)
GERMAN = (
    "Das ist der Grund, warum wir über die Zukunft unserer Städte sprechen müssen.",
    "Sie sagte mir, dass es in dem Haus nichts gab, vor dem man Angst haben müsste.",
    "Ich denke, dass du mit uns dort hättest sein sollen.",
    "Sie haben für die Kinder eine Schule gebaut.",
    "Er war zum ersten Mal am Meer.",
)


@dataclass(frozen=True)
class Case:
    """A row as a policy sees it."""

    concepts: tuple[str, ...]
    prompt: str
    sentence: str


def _commongen(policy: Callable[[Case], str], finish: str | None = "stop") -> TaskValidity:
    cases = [
        Case(concepts, f"generate a sentence with: {' '.join(concepts)}.", sentence)
        for concepts, sentence in zip(CONCEPTS, SENTENCES, strict=True)
    ]
    rows = [
        Row(
            str(index),
            case.prompt,
            (case.sentence,),
            {"source": " ".join(case.concepts), "concepts": list(case.concepts)},
        )
        for index, case in enumerate(cases)
    ]
    return _report(rows, [policy(case) for case in cases], finish=finish)


def _report(rows: list[Row], predictions: list[str], language: str = "en", finish: str | None = "stop") -> TaskValidity:
    generations = [
        Generation(row.id, 0, text, finish_reason=finish) for row, text in zip(rows, predictions, strict=True)
    ]
    return task_validity(
        TaskSamples.of(
            {row.id: row for row in rows},
            generations,
            language=language,
            values={},
            rewards={},
            columns={},
            reward_columns={},
            primary=(),
            score=TaskScore(),
        )
    )


@pytest.mark.parametrize(
    ("policy", "kind"),
    [
        pytest.param(lambda case: " ".join(case.concepts), "prompt_echoed", id="the concepts"),
        pytest.param(lambda case: " ".join(case.concepts), "copied", id="the concepts are the input"),
        pytest.param(lambda case: " ".join(case.concepts * 4), "prompt_echoed", id="the concepts again and again"),
        pytest.param(lambda case: " ".join(case.concepts * 2), "repeated", id="the concepts twice"),
        pytest.param(lambda case: " ".join(f"a {c}" for c in case.concepts), "prompt_echoed", id="with articles"),
        pytest.param(lambda case: ", ".join(case.concepts) + ".", "prompt_echoed", id="with commas"),
        pytest.param(lambda case: " and ".join(reversed(case.concepts)), "prompt_echoed", id="turned round, with and"),
        pytest.param(
            lambda case: f"{' '.join(case.concepts)} in {' '.join(case.concepts)}", "prompt_echoed", id="twice with in"
        ),
        pytest.param(
            lambda case: " and ".join(f"there is a {c}" for c in case.concepts), "same_text", id="filled into a form"
        ),
        pytest.param(lambda case: case.prompt, "prompt_echoed", id="the prompt"),
        pytest.param(lambda case: f"{case.prompt} {case.sentence}", "prompt_echoed", id="the prompt and an answer"),
        pytest.param(lambda case: "the man is " * 8, "repeated", id="a loop"),
        pytest.param(lambda case: f"{case.sentence[:12]} and on and on and on and on", "repeated", id="ends in a loop"),
        pytest.param(lambda _: "", "empty", id="nothing"),
        pytest.param(lambda _: " ... ", "empty", id="no letter"),
        pytest.param(lambda _: "I'm sorry, but I can't help with that request.", "refusal", id="sorry"),
        pytest.param(lambda _: "As an AI language model, I cannot write this.", "refusal", id="as an AI"),
        pytest.param(lambda _: "I am unable to generate such a sentence.", "refusal", id="unable"),
        pytest.param(lambda _: "Als KI kann ich das leider nicht.", "refusal", id="als KI"),
        pytest.param(lambda _: "Es tut mir leid, aber ich kann dabei nicht helfen.", "refusal", id="tut mir leid"),
        pytest.param(lambda _: "A man sits on a chair.", "same_text", id="one sentence for all"),
        pytest.param(lambda _: "Мужчина сидит на стуле.", "wrong_language", id="another script"),
        pytest.param(lambda _: "Der Mann sitzt auf einem Stuhl und isst das Brot.", "wrong_language", id="German"),
    ],
)
def test_a_policy_that_does_not_do_the_task_is_warned_of(policy: Callable[[Case], str], kind: str) -> None:
    report = _commongen(policy)
    assert report.degenerate[kind].severity == "warning"
    assert report.severity == "warning"
    assert report.degenerate[kind].count >= 5
    assert 0 < len(report.degenerate[kind].examples) <= 10


def test_sentences_that_people_would_write_raise_nothing() -> None:
    report = _commongen(lambda case: case.sentence)
    assert report.findings == ()
    assert {kind: share.count for kind, share in report.degenerate.items()} == dict.fromkeys(MEANINGS, 0)


def test_a_text_that_the_limit_cut_within_a_sentence_is_cut_and_a_whole_one_is_not() -> None:
    assert _commongen(lambda case: case.sentence * 2 + " And then", "length").degenerate["cut"].severity == "warning"
    assert _commongen(lambda case: case.sentence * 2, "length").degenerate["cut"].count == 0
    assert _commongen(lambda case: case.sentence.rstrip("."), "stop").degenerate["cut"].count == 0


def test_a_limit_below_the_references_length_is_the_tasks_doing() -> None:
    cut = _commongen(lambda case: " ".join(case.sentence.split()[:4]), "length").degenerate["cut"]
    assert (cut.count, cut.severity) == (10, "notice")
    assert cut.reason == "most are no longer than their references: the limit is the task's"


def _translation(predictions: tuple[str, ...]) -> TaskValidity:
    rows = [
        Row(str(index), f"translate English to German: {english}", (german,), {"source": english})
        for index, (english, german) in enumerate(zip(ENGLISH, GERMAN, strict=True))
    ]
    return _report(rows, list(predictions), "de")


def test_a_german_system_that_answers_in_english_is_warned_of() -> None:
    others = (*ENGLISH[1:], ENGLISH[0])  # of another row, so that nothing is a copy
    report = _translation(others)
    assert report.degenerate["wrong_language"].severity == "warning"
    assert report.degenerate["copied"].count == 0
    assert _translation(GERMAN).findings == ()


def test_a_translation_that_is_its_input_is_a_copy() -> None:
    report = _translation(ENGLISH)
    assert report.degenerate["copied"].count == 5
    assert report.degenerate["copied"].severity == "warning"


ARTICLE = (
    "The council of the small town met on Monday to talk about the old bridge. Engineers had found cracks in two of "
    "its pillars last winter. Repairs would cost three million, said the mayor, and the town has saved only one. "
    "Residents asked for a ferry until the work is done. A decision is expected before the end of the year, when the "
    "new budget is passed by the council and its finance board."
)


@pytest.mark.parametrize(
    ("text", "is_copy"),
    [
        (ARTICLE, True),
        (ARTICLE[:220], True),
        ("Cracks were found in the bridge of a small town. Its repair costs more than the town has saved.", False),
        ("the old bridge", False),
        ("a ferry until the work", False),
    ],
    ids=["whole", "its beginning", "a summary", "a short answer from it", "a few words of it"],
)
def test_of_a_long_input_only_a_verbatim_stretch_is_a_copy(text: str, is_copy: bool) -> None:
    asked = Asked.of(f"Summarize: {ARTICLE}", {"source": ARTICLE})
    assert ("copied" in kinds_of(Written(text), asked, (), "en")) is is_copy


@pytest.mark.parametrize(
    ("text", "is_loop"),
    [
        ("no no no no", True),
        ("No, no, no!", False),
        ("Come on, come on, come on!", True),
        ("Bye bye.", False),
        ("a b c a b c", True),
        ("The cat sat on the mat and the dog sat on the rug.", False),
        ("xyz " * 5000, True),
        ("ha" * 400, True),
        (ARTICLE, False),
    ],
)
def test_texts_that_go_in_circles(text: str, is_loop: bool) -> None:
    assert is_repeated(Written(text)) is is_loop


@pytest.mark.parametrize(
    ("text", "is_list"),
    [
        ("The player hits the ball.", False),  # "hits" is no word as it was given
        ("The dogs run to catch a frisbee.", False),
        ("dog, catch and run", True),
        ("dogs catching running", True),
    ],
)
def test_a_listing_is_told_from_a_short_sentence(text: str, is_list: bool) -> None:
    words = text.lower().replace(",", "").replace(".", "").split()
    assert is_listing(words, ("dog", "catch", "run", "ball", "hit", "player")) is is_list


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("The house was built by the father of my wife.", "de", True),
        ("Das Haus wurde von dem Vater meiner Frau gebaut.", "en", True),
        ("Das Haus wurde von dem Vater meiner Frau gebaut.", "de", False),
        ("C'est une maison que le père de ma femme a fait pour nous dans les Alpes.", "en", True),
        ("Thank you.", "de", False),  # too short to say
        ("New York Times", "de", False),
        ("Он построил дом.", "de", True),
        ("Γειά σου κόσμε", "el", False),
        ("The Beatles sangen „All you need is love“ auf dem Dach.", "de", False),
        ("anything at all in any words", "xx", False),
    ],
)
def test_another_language_is_said_only_where_it_is_plain(text: str, language: str, found: bool) -> None:
    words = text.lower().replace(".", "").replace("'", "’").split()
    assert is_other(text, words, language) is found


def test_a_language_without_a_profile_is_said_not_to_be_looked_for() -> None:
    row = Row("1", "p", ("x",), {})
    share = _report([row], ["anything"], "tlh").degenerate["wrong_language"]
    assert (share.count, share.reason) == (0, "not looked for: no profile of the language 'tlh'")


@given(text=st.text(max_size=300), source=st.text(max_size=100), prompt=st.text(max_size=100))
@settings(max_examples=150, deadline=None)
def test_no_text_makes_a_rule_fail(text: str, source: str, prompt: str) -> None:
    asked = Asked.of(prompt, {"source": source, "concepts": source.split(), "other": prompt})
    kinds = kinds_of(Written(text, "length"), asked, (prompt,), "de")
    assert set(kinds) <= set(MEANINGS)
    assert ("empty" in kinds) == (not any(letter.isalnum() for letter in text))


@pytest.mark.parametrize("text", ["a" * 10_000_000, "a b " * 2_500_000, "\ud800" * 1000, "\x00\x1b[2J" * 1000])
def test_odd_and_huge_texts_are_read_in_bounded_time(text: str) -> None:
    asked = Asked.of("say a word", {"source": "a word", "concepts": ["word"]})
    assert set(kinds_of(Written(text), asked, ("a word",), "en")) <= set(MEANINGS)
