"""The embedded rows: counts, columns, odd shapes, and what they say of themselves."""

from __future__ import annotations

import importlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

TASKS = Path(__file__).resolve().parents[2] / "tasks" / "grue_tasks"
SPLITS = ("train", "validation", "test")
COLUMNS = {
    "imdb": {"text", "label"},
    "commongen": {"concept_set_idx", "concepts", "target"},
    "cnn_dailymail": {"article", "highlights", "id"},
    "totto": {
        "table_page_title",
        "table_webpage_url",
        "table_section_title",
        "table_section_text",
        "table",
        "highlighted_cells",
        "example_id",
        "sentence_annotations",
        "overlap_subset",
        "target",
        "references",
    },
    "narrativeqa": {"document", "question", "answers"},
    "iwslt2017": {"translation"},
    "wmt16": {"translation"},
    "daily_dialog": {"dialog", "act", "emotion"},
}
Record = dict[str, Any]


def records(task: str, split: str) -> list[Record]:
    text = (TASKS / task / "data" / f"{split}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def prompts(task: str, split: str) -> list[str]:
    """What a model is asked, told apart without the task plugin."""
    found: list[str] = []
    for record in records(task, split):
        match task:
            case "imdb":
                words = record["text"].split(" ")
                found.append(" ".join(words[: len(words) // 2]))
            case "commongen":
                found.append(" ".join(record["concepts"]))
            case "cnn_dailymail":
                found.append(record["article"])
            case "totto":
                values = [record["table"][row][column]["value"] for row, column in record["highlighted_cells"]]
                found.append("|".join([record["table_page_title"], record["table_section_title"], *values]))
            case "narrativeqa":
                found.append(record["question"]["text"] + record["document"]["summary"]["text"])
            case "daily_dialog":
                dialog = record["dialog"]
                found += ["|".join(dialog[end - 5 : end]) for end in range(5, len(dialog))]
            case _:
                found.append(record["translation"]["en"])
    return list(dict.fromkeys(found)) if task == "commongen" else found


@pytest.mark.parametrize("task", COLUMNS)
def test_each_split_has_enough_rows_and_the_folder_stays_small(task: str) -> None:
    for split, least in (("train", 100), ("validation", 20), ("test", 40)):
        assert len(prompts(task, split)) >= least, split
    assert sum(path.stat().st_size for path in (TASKS / task / "data").iterdir()) <= 300_000


@pytest.mark.parametrize("task", COLUMNS)
@pytest.mark.parametrize("split", SPLITS)
def test_the_columns_are_the_hubs(task: str, split: str) -> None:
    for record in records(task, split):
        assert set(record) == COLUMNS[task]


@pytest.mark.parametrize("task", COLUMNS)
def test_no_prompt_is_in_two_splits(task: str) -> None:
    seen = [set(prompts(task, split)) for split in SPLITS]
    assert not seen[0] & seen[1]
    assert not seen[0] & seen[2]
    assert not seen[1] & seen[2]


@pytest.mark.parametrize("task", COLUMNS)
def test_the_generator_gives_the_stored_bytes(task: str, tmp_path: Path) -> None:
    module = importlib.import_module(f"grue_tasks.{task}.make_rows")
    module.write_splits(tmp_path, module.make())
    for split in SPLITS:
        name = f"{split}.jsonl"
        assert (tmp_path / name).read_bytes() == (TASKS / task / "data" / name).read_bytes()


@pytest.mark.parametrize("task", COLUMNS)
def test_the_text_is_clean(task: str) -> None:
    """No slot left open, no text decoded wrongly, no doubled word (but ``had had`` and the like)."""
    for split in SPLITS:
        text = (TASKS / task / "data" / f"{split}.jsonl").read_bytes().decode("utf-8")
        assert not re.search(r"Ã|Â|â€|\ufffd|\{\w+\}", text)
        doubled = re.findall(r"[ \"](\w+) \1[ .,\"]", re.sub(r'"(tokens|act|emotion)":\[[^]]*\]', "", text))
        assert set(doubled) <= {"that"}


@pytest.mark.parametrize("split", SPLITS)
def test_reviews_are_balanced_and_half_of_one_is_a_prompt(split: str) -> None:
    found = records("imdb", split)
    assert Counter(record["label"] for record in found) == {0: len(found) // 2, 1: len(found) // 2}
    assert any("<br /><br />" in record["text"] for record in found)
    for record in found:
        assert 80 <= len(record["text"].split()) <= 200


GOOD = (
    r"wonder|excellent|delight|witty|exciting|love|great|best|perfect|brilliant|superb|enjoy|beaut|clever|gorgeous"
    r"|masterpiece|recommend|satisf|moving"
)
BAD = r"terribl|hate|awful|worst|worse|dread|bore|boring|stupid|ugly|cheap|waste|mess|avoid|cannot|bad|dull|embarrass"


@pytest.mark.parametrize("split", SPLITS)
def test_both_halves_of_a_review_show_its_label(split: str) -> None:
    for record in records("imdb", split):
        words = record["text"].split(" ")
        for half in (words[: len(words) // 2], words[len(words) // 2 :]):
            text = " ".join(half).lower().replace("not expect much", "").replace("care", "")
            good, bad = len(re.findall(GOOD, text)), len(re.findall(BAD, text))
            assert (good > bad) == bool(record["label"]), text


@pytest.mark.parametrize("split", SPLITS)
def test_references_use_every_concept(split: str) -> None:
    irregular = {
        "ride": "rid",
        "throw": "throw",
        "slide": "slid",
        "fly": "fl",
        "find": "f",
        "sleep": "sle",
        "sit": "sit",
    }
    irregular |= {"put": "put", "cut": "cut", "catch": "c"}
    for record in records("commongen", split):
        words = re.findall(r"[a-z]+", record["target"].lower())
        assert 3 <= len(record["concepts"]) <= 5
        for concept in record["concepts"]:
            stem = irregular.get(concept, concept)
            assert any(word.startswith(stem) for word in words), (concept, record["target"])


def test_concept_sets_have_several_references_where_they_are_scored() -> None:
    for split in ("validation", "test"):
        by_set = Counter(record["concept_set_idx"] for record in records("commongen", split))
        assert set(by_set.values()) <= {2, 3, 4}
        assert len(set(by_set.values())) > 1
        texts = [(record["concept_set_idx"], record["target"]) for record in records("commongen", split)]
        assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("split", SPLITS)
def test_highlights_are_true_of_the_article(split: str) -> None:
    found = records("cnn_dailymail", split)
    assert max(len(record["article"].split()) for record in found) > 400
    assert {record["highlights"].count("\n") for record in found} == {1, 2, 3}
    for record in found:
        assert re.fullmatch("[0-9a-f]{40}", record["id"])
        for fact in re.findall(r"\d[\d,]*\d|\d|[A-Z][a-z]+", record["highlights"]):
            known = fact in record["article"] or fact.lower() in record["article"].lower()
            assert known, (fact, record["article"][:200])
    assert len({record["id"] for record in found}) == len(found)


@pytest.mark.parametrize("split", SPLITS)
def test_tables_have_the_odd_shapes_and_their_sentences_hold_the_cells(split: str) -> None:
    found = records("totto", split)
    cells = [cell for record in found for row in record["table"] for cell in row]
    assert any(cell["value"] == "" for cell in cells)
    assert any(cell["column_span"] > 1 for cell in cells)
    assert any(cell["row_span"] > 1 for cell in cells)
    assert any(record["table"][1][0]["is_header"] for record in found)
    assert len({record["example_id"] for record in found}) == len(found)
    for record in found:
        finals = [annotation["final_sentence"] for annotation in record["sentence_annotations"]]
        assert finals == record["references"]
        assert record["target"] == finals[0]
        values = [record["table"][row][column]["value"] for row, column in record["highlighted_cells"]]
        for final in finals:
            assert any(value.lower() in final.lower() for value in values), (values, final)


def test_tables_have_the_publishers_annotations_and_subsets() -> None:
    assert {len(r["references"]) for r in records("totto", "train")} == {1}
    assert {r["overlap_subset"] for r in records("totto", "train")} == {"none"}

    def headers(record: Record) -> frozenset[str]:
        return frozenset(cell["value"] for row in record["table"] for cell in row if cell["is_header"])

    columns = {frozenset(c["value"] for c in r["table"][0]) for r in records("totto", "train")}
    for split in ("validation", "test"):
        found = records("totto", split)
        assert {len(record["references"]) for record in found} == {2, 3}
        assert {record["overlap_subset"] for record in found} == {"True", "False"}
        for record in found:
            if record["overlap_subset"] == "False":
                assert frozenset(cell["value"] for cell in record["table"][0]) not in columns
                assert headers(record)


@pytest.mark.parametrize("split", SPLITS)
def test_answers_come_from_the_story(split: str) -> None:
    found = records("narrativeqa", split)
    answers = [answer["text"] for record in found for answer in record["answers"]]
    assert any(" " not in answer for answer in answers)
    assert any(answer.count(" ") >= 3 for answer in answers)
    assert max(Counter(record["document"]["id"] for record in found).values()) > 1
    for record in found:
        assert record["document"]["text"] == ""
        assert len(record["answers"]) == 2
        for part in (record["document"]["summary"], record["question"], *record["answers"]):
            assert part["tokens"] == part["text"].split(" ")
        summary = record["document"]["summary"]["text"].lower()
        short = min((answer["text"] for answer in record["answers"]), key=len)
        for word in re.findall(r"[a-z]{4,}", short.lower().replace("because", "")):
            assert word in summary, (short, summary)


@pytest.mark.parametrize("task", ["iwslt2017", "wmt16"])
def test_translations_are_german_in_its_own_letters(task: str) -> None:
    pairs = [record["translation"] for split in SPLITS for record in records(task, split)]
    german = " ".join(pair["de"] for pair in pairs)
    assert set("äöüß„“Ä") - set("Ä") <= set(german)
    for pair in pairs:
        assert set(pair) == {"en", "de"}
        assert re.findall(r"\d+", pair["en"]) == re.findall(r"\d+", pair["de"])
        assert not set(pair["en"]) & set("äöüß„“")
        assert not re.search(r"\b(von dem|zu dem|in dem|an dem) ", pair["de"])


def test_one_sentence_pair_is_repeated_in_a_test_split() -> None:
    english = Counter(record["translation"]["en"] for record in records("iwslt2017", "test"))
    assert [count for count in english.values() if count > 1] == [2]


# Worked by hand from a German grammar: definite article, weak adjective ending, case of the frame.
BY_HAND = {
    "It all began with the strange elephant.": "Alles begann mit dem seltsamen Elefanten.",
    "I'd like to show you the old tree.": "Ich würde Ihnen gerne den alten Baum zeigen.",
    "And that is why the big cities are so important.": "Und deshalb sind die großen Städte so wichtig.",
    "I want to tell you about the first animals.": "Ich möchte Ihnen von den ersten Tieren erzählen.",
    "I want to tell you about the new village.": "Ich möchte Ihnen vom neuen Dorf erzählen.",
}


def test_german_phrases_agree_in_gender_number_and_case() -> None:
    from grue_tasks._writing.german import Adjective, Noun, phrase

    elephant = phrase(Noun("elephant", "Elefant", "m", "Elefanten"), Adjective("strange", "seltsam"))
    assert (elephant.nom, elephant.acc) == ("der seltsame Elefant", "den seltsamen Elefanten")
    animals = phrase(Noun("animals", "Tiere", "p", "Tieren"), Adjective("first", "erst"))
    assert (animals.acc, animals.von) == ("die ersten Tiere", "von den ersten Tieren")
    school = phrase(Noun("school", "Schule", "f"))
    assert (school.dat, school.von) == ("der Schule", "von der Schule")
    for pair in (record["translation"] for split in SPLITS for record in records("iwslt2017", split)):
        assert BY_HAND.get(pair["en"], pair["de"]) == pair["de"]


@pytest.mark.parametrize("split", SPLITS)
def test_dialogues_are_spaced_and_labelled_turn_by_turn(split: str) -> None:
    found = records("daily_dialog", split)
    assert {act for record in found for act in record["act"]} == {1, 2, 3, 4}
    assert {feeling for record in found for feeling in record["emotion"]} >= {0, 4, 5, 6}
    for record in found:
        dialog = record["dialog"]
        assert 6 <= len(dialog) <= 10
        assert len(dialog) == len(record["act"]) == len(record["emotion"])
        assert all(turn.endswith(" ") for turn in dialog)
        assert all(turn.startswith(" ") for turn in dialog[1:])
        assert all(re.search(r" [.?!] $", turn) for turn in dialog)
