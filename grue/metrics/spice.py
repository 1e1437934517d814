"""SPICE 1.0 of the authors' Java program: F-score over the objects, attributes and relations of captions, 0 to 1.

Anderson et al. 2016; the jar is the user's own (``spice.jar`` or ``GRUE_SPICE_JAR``) with Stanford's models in the
``lib`` folder beside it. Each row goes to the program as one caption with its references, in its JSON format and with
its own call; the value is the F of its "All" category. The models cannot be redistributed, so agreement is tested for
the protocol and the messages, against a stand-in for the program, and not for values.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from grue.core.errors import MetricUnavailableError
from grue.core.metric import Floats, Texts
from grue.core.task import Setting
from grue.metrics.card import Card
from grue.metrics.text.jvm import JavaError, Program, digest, find_program

VARIABLE = "GRUE_SPICE_JAR"
_PROGRAM = "SPICE 1.0"
# The program parses each text with memory that grows with the square of a sentence's words.
MAX_WORDS = 1_000
_START_SECONDS, _SECONDS_PER_TEXT = 300.0, 2.0


@dataclass(frozen=True)
class Spice:
    """SPICE through a Java program; NaN where neither caption nor references have anything to compare."""

    program: Program = field(repr=False)
    tokenize: str
    name: str = "spice"
    scale: float | None = 1.0
    higher_is_better: bool | None = True
    needs_references: bool = True
    undefined: str = "the program finds no objects in any prediction and its references"
    kind: ClassVar[str] = "mean"

    def signature(self) -> str:
        """Tokeniser and the jar's digest."""
        if self.tokenize == "ptb":
            from grue.metrics.text import ptb

            tokenizer = f"ptb-v{ptb.VERSION}"
        else:
            tokenizer = self.tokenize
        return f"{self.name}|tok:{tokenizer}|jar:{digest(self.program.jar)}|impl:spice-1.0|v:1"

    def per_sample(self, texts: Texts) -> Floats:
        """Shape (n,), 0 to 1, NaN where the program says so.

        Raises:
            ValueError: for a text of more than ``MAX_WORDS`` words.
            JavaError: where the program fails, takes too long or answers something else.
            MetricUnavailableError: where Stanford's models are not beside the jar.
        """
        if not len(texts):
            return np.empty(0)
        captions = [
            {"image_id": index, "test": self._clean(prediction), "refs": [self._clean(text) for text in references]}
            for index, (prediction, references) in enumerate(zip(texts.predictions, texts.references, strict=True))
        ]
        n_texts = len(texts) + sum(map(len, texts.references))
        with tempfile.TemporaryDirectory(prefix="grue-spice-") as folder:
            given, answer = Path(folder) / "captions.json", Path(folder) / "scores.json"
            given.write_text(json.dumps(captions), encoding="utf-8")
            try:
                self.program.run(
                    [str(given), "-out", str(answer), "-subset", "-silent"],
                    timeout_seconds=_START_SECONDS + _SECONDS_PER_TEXT * n_texts,
                )
            except JavaError as error:
                if "edu/stanford/nlp" in error.cause:
                    raise MetricUnavailableError(
                        f"{_PROGRAM} needs Stanford CoreNLP 3.6.0 and its models: put stanford-corenlp-3.6.0.jar and "
                        f"stanford-corenlp-3.6.0-models.jar into {self.program.jar.parent / 'lib'}"
                    ) from error
                raise
            return np.array(_read(answer, len(texts)), dtype=np.float64)

    def _clean(self, text: str) -> str:
        """One line of words; the program cannot read lone surrogates."""
        if self.tokenize == "ptb":
            from grue.metrics.text import ptb

            words: Sequence[str] = ptb.tokenize(text)
        else:
            words = text.split()
        if len(words) > MAX_WORDS:
            raise ValueError(f"spice: a text has {len(words):,} words; the program is given {MAX_WORDS:,} at most")
        return " ".join(words).encode("utf-8", "replace").decode("utf-8")


def _read(path: Path, n: int) -> list[float]:
    """F of the category "All" of each caption, in the order of their numbers."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        found = {int(entry["image_id"]): _number(entry["scores"]["All"]["f"]) for entry in entries}
        return [found[index] for index in range(n)]
    except (OSError, ValueError, TypeError, KeyError) as error:
        said = f"no score for caption {error.args[0]!r}" if isinstance(error, KeyError) else str(error)
        raise JavaError(
            f"{_PROGRAM} left no scores that can be read: {said}", "Check that the jar is spice-1.0.jar."
        ) from error


def _number(value: Any) -> float:
    """The program writes NaN as null or as text."""
    return float("nan") if value is None else float(value)


CARDS: Mapping[str, Card] = {
    "spice": Card(
        measures=(
            "F-score over the propositions (objects, attributes, relations) that a parser reads from prediction and "
            "references."
        ),
        low=0.0,
        high=1.0,
        source=(
            "Anderson et al. 2016, SPICE 1.0; the authors' own jar, called as pycocoevalcap 1.2 calls it. Tested here "
            "against a stand-in for the program, as its models cannot be redistributed."
        ),
        failings=(
            "Needs Java with 8 GB of heap, the jar and Stanford's models: absent without.",
            "English captions only; grammar and fluency do not count.",
            "Rows where the program gives NaN are left out of the mean; pycocoevalcap's mean would be NaN.",
            "Identical prompts stay separate rows; the paper's code let them collapse.",
        ),
    )
}


def make(name: str, settings: Mapping[str, Setting | None]) -> Spice:
    """Build from the settings of the family ``spice``.

    Raises:
        MetricUnavailableError: where the jar or Java is missing.
    """
    given = settings["jar"]
    program = find_program(_PROGRAM, "spice.jar", str(given) if given else None, VARIABLE, "8G")
    return Spice(program, str(settings["tokenize"]), name=name)
