"""Which rows are explained, what is stored of it, and that it is read back as it was written."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from grue.core.metric import Explanation, Floats, Part, Texts
from grue.evaluation.explaining import MOST_THINGS, chosen, explain_rows
from grue.runs.explanations import pieces


@dataclass(frozen=True)
class SharedWords:
    """Words that prediction and first reference share."""

    name: str = "shared"
    scale: float | None = None
    higher_is_better: bool | None = True
    needs_references: bool = True
    kind: str = "mean"

    def signature(self) -> str:
        return "shared|v:1"

    def per_sample(self, texts: Texts) -> Floats:
        return np.array([one.value for one in self.explain(texts)], dtype=np.float64)

    def explain(self, texts: Texts) -> list[Explanation]:
        found = []
        for prediction, references in zip(texts.predictions, texts.references, strict=True):
            said, asked = prediction.split(), references[0].split()
            matched = tuple(word for word in said if word in asked)
            missing = tuple(word for word in asked if word not in said)
            extra = tuple(word for word in said if word not in asked)
            found.append(Explanation(float(len(matched)), "counted", 0, (Part("words", matched, missing, extra),)))
        return found


class Broken(SharedWords):
    """Explains nothing, loudly."""

    def explain(self, texts: Texts) -> list[Explanation]:
        raise RuntimeError(f"no {len(texts)} texts")


def test_the_lowest_and_highest_values_are_chosen_in_order_of_place() -> None:
    values = np.array([5.0, np.nan, 1.0, 3.0, 9.0, 1.0, np.inf])
    assert chosen(values, 2) == [0, 2, 4, 5]


def test_a_small_task_is_explained_whole_and_once() -> None:
    assert chosen(np.array([1.0, 2.0, 3.0])) == [0, 1, 2]
    assert chosen(np.array([np.nan, np.nan])) == []


def test_ties_go_to_the_earlier_place() -> None:
    assert chosen(np.zeros(10), 2) == [0, 1]


def _texts() -> Texts:
    return Texts(["a b c", "d", ""], [["b c e"], [], ["f"]], [{}, {}, {}])


def test_a_line_names_row_sample_and_every_metric_that_explains() -> None:
    lines = explain_rows({"shared": SharedWords(), "broken": Broken()}, _texts(), [("x", 0), ("y", 1), ("z", 0)])
    assert [(line["id"], line["sample"]) for line in lines] == [("x", 0), ("z", 0)]  # y has no references
    assert lines[0] == {
        "schema_version": 1,
        "id": "x",
        "sample": 0,
        "explanations": {
            "shared": {
                "value": 2.0,
                "summary": "counted",
                "reference": 0,
                "parts": [{"kind": "words", "matched": ["b", "c"], "missing": ["e"], "extra": ["a"]}],
            }
        },
    }


def test_what_is_stored_stays_short_and_is_json() -> None:
    words = " ".join(f"w{index}" for index in range(1000)) + " " + "x" * 10_000
    (line,) = explain_rows({"shared": SharedWords()}, Texts([words], [["y"]], [{}]), [("x", 0)])
    text = json.dumps(line, allow_nan=False)
    assert len(text) < 40 * MOST_THINGS
    assert "… and 901 more" in json.loads(text)["explanations"]["shared"]["parts"][0]["extra"]


def test_pieces_mark_words_and_their_endings_and_keep_the_text_whole() -> None:
    explanation = Explanation(0.5, "", None, (Part("words", ("walk", "The dog")), Part("2-grams", (), ("cat",))))
    found = pieces("The dogs walked then, walk-in cat.", explanation)
    assert "".join(piece.text for piece in found) == "The dogs walked then, walk-in cat."
    assert [piece.text for piece in found if piece.is_matched] == ["The", "dogs", "walked"]
    assert pieces("", explanation) == ()
