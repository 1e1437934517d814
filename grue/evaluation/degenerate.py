"""Degenerate outputs, one text at a time: empty, copied, repeated, cut, an echo, another language, a refusal.

Every rule looks at the text alone, with its row's input; none looks at a metric. A rule may hit a text that a person
would write (an answer taken from the input, a line of a song): what counts is how much oftener it hits predictions
than the references of the same rows, which the report puts side by side. Of very long texts the first 2,000 words
are looked at.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from grue.core.text import Json
from grue.evaluation.language import is_other

MOST_WORDS = 2000
MOST_LETTERS = 40_000
ORDER = 4
COPIED_SHARE = 0.8
COVERED_SHARE = 0.5
LONG_INPUT = 4
VERBATIM_WORDS = 8
LOOP_SHARE = 0.3
COMPRESSED_SHARE = 0.3
COMPRESSED_BYTES = 200
ECHO_WORDS, ECHO_LETTERS = 8, 8
MEANINGS: Mapping[str, str] = {
    "empty": "no letter or digit",
    "copied": "80 % of its word 4-grams stand in the input, or half of the input's in it; a short one whole",
    "repeated": "goes in circles: a phrase again and again, or text that packs to less than 30 %",
    "cut": "ended by the token limit without a sentence's end",
    "prompt_echoed": "holds the instruction or the start of the prompt, or only lists what it was asked to use",
    "wrong_language": "script or function words of another language than the task's",
    "refusal": "refuses the request, or speaks of itself as a language model",
    "same_text": "word for word the same, but for words it was asked to use, on at least 5 % of the rows and five",
}

_WORD = re.compile(r"\w+(?:['’\-]\w+)*")
_SENTENCE_ENDS = frozenset(".!?…。！？।؟\"'”’»)]")
GAP = "…"
_PART_OF_SPEECH = re.compile(r"_[a-z]$")
_TAG = re.compile(r"</?[A-Za-z][\w-]*>")
_LISTING = frozenset(
    ["a", "an", "the", "and", "or", "with", "ein", "eine", "einen", "der", "die", "das", "und", "oder", "mit"]
)
_VERB = (
    r"(?:help|assist|provide|answer|comply|fulfil|fulfill|generate|create|write|translate|summari[sz]e|continue|"
    r"complete|respond|discuss|engage|process|access|produce|perform|do (?:that|this|so))"
)
_UNABLE = r"(?:cannot|can['’]?t|can not|am unable to|['’]m unable to|am not able to|['’]m not able to)"
_REFUSALS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\bas an? (?:ai\b|artificial intelligence|(?:large )?language model)",
        r"\bi(?: a|['’])m (?:just |only )?an? (?:ai\b|artificial intelligence|(?:large )?language model)",
        rf"\bi {_UNABLE} (?:\w+ )?{_VERB}\b",
        rf"\bi['’]m (?:unable|not able) to {_VERB}\b",
        rf"^(?:i['’]m |i am )?(?:very |so )?sorry\W+(?:but )?(?:i |we ){_UNABLE}",
        rf"^i {_UNABLE}\W*$",
        r"\bich kann (?:\w+ ){0,4}nicht (?:\w+ )?(?:helfen|beantworten|erfüllen|übersetzen|schreiben|bearbeiten)",
        r"\bals (?:eine? )?(?:ki\b|künstliche intelligenz|(?:großes )?sprachmodell)",
        r"\bich bin (?:nur )?(?:eine? )?(?:ki\b|künstliche intelligenz|(?:großes )?sprachmodell)",
        r"^(?:es )?tut mir leid\W+(?:aber )?(?:ich kann|dabei kann ich|das kann ich)\b",
        r"^ich kann (?:das|dies|diese anfrage|die anfrage|dabei|ihnen|dir)? ?(?:leider )?nicht\W*$",
        r"\bich (?:bin nicht in der lage|darf (?:\w+ ){0,3}nicht)\b.*\b(?:anfrage|helfen|beantworten|zu)\b",
    )
)


@dataclass(frozen=True)
class Asked:
    """A row's input, read once for all its texts.

    Attributes:
        source: The input without the instruction.
        prompt: The whole prompt.
        concepts: What the text must use, where the task gives such a list.
        pieces: Other inputs that are texts, such as a question or the last utterance.
    """

    source: str = ""
    prompt: str = ""
    concepts: tuple[str, ...] = ()
    pieces: tuple[str, ...] = ()

    @classmethod
    def of(cls, prompt: str, inputs: Mapping[str, Json]) -> Asked:
        """From a row's prompt and inputs."""
        source, concepts = inputs.get("source"), inputs.get("concepts")
        return cls(
            source=source if isinstance(source, str) else prompt,
            prompt=prompt,
            concepts=_concepts(concepts),
            pieces=tuple(
                value for key, value in inputs.items() if isinstance(value, str) and key not in ("source", "prompt")
            ),
        )

    @cached_property
    def source_words(self) -> list[str]:
        """Words of the source."""
        return words_of(self.source)

    @cached_property
    def source_line(self) -> str:
        """Words of the source as one line, blanks at both ends."""
        return _line(self.source_words)

    @cached_property
    def piece_lines(self) -> frozenset[str]:
        """The other texts of the input, those of four words and more."""
        split = [words_of(piece) for piece in self.pieces]
        return frozenset(_line(words) for words in split if len(words) >= ORDER)

    @cached_property
    def prompt_words(self) -> list[str]:
        """Words of the prompt."""
        return words_of(self.prompt)

    @cached_property
    def instruction(self) -> str:
        """What stands before the source in the prompt, lower-cased, blanks folded; empty where nothing does."""
        head, found, _ = self.prompt.partition(self.source) if self.source else ("", "", "")
        return _folded(head) if found else ""

    @cached_property
    def tags(self) -> frozenset[str]:
        """Markup of the prompt."""
        return frozenset(_TAG.findall(self.prompt[:MOST_LETTERS]))


@dataclass(frozen=True)
class Written:
    """A text to look at, with what is known of its end."""

    text: str
    finish_reason: str | None = None

    @cached_property
    def words(self) -> list[str]:
        """Its words, lower-cased, at most ``MOST_WORDS``."""
        return words_of(self.text)


def words_of(text: str) -> list[str]:
    """Words without punctuation, lower-cased; the first 2,000."""
    return _WORD.findall(text[:MOST_LETTERS].lower())[:MOST_WORDS]


def kinds_of(written: Written, asked: Asked, references: Sequence[str], language: str) -> list[str]:
    """Which rules a text meets; an empty text meets no other."""
    if not any(letter.isalnum() for letter in written.text):
        return ["empty"]
    return [kind for kind, holds in _RULES.items() if holds(written, asked, references, language)]


def frame_of(text: str, asked: Asked) -> str:
    """A text without the words that its row asked for by name, so that a filled-in form is seen as one text."""
    given = {word for concept in asked.concepts for word in words_of(concept)}
    if not given:
        return text
    return " ".join(GAP if _form_of(word, given) else word for word in words_of(text))


def shared_frames(frames: Sequence[str], ids: Sequence[str]) -> frozenset[str]:
    """Texts of three words and more that at least 5 % of the rows, and five of them, have word for word."""
    rows: dict[str, set[str]] = {}
    for frame, row_id in zip(frames, ids, strict=True):
        rows.setdefault(frame, set()).add(row_id)
    least = max(5, 0.05 * len(set(ids)))
    return frozenset(
        frame for frame, having in rows.items() if len(having) >= least and len(words_of(frame.replace(GAP, " "))) >= 3
    )


def is_copied(written: Written, asked: Asked) -> bool:
    """Whether a text is mostly its input.

    Of an input over four times as long only a verbatim stretch counts: an extractive summary or an answer in the
    input's words is no copy.
    """
    words, source = written.words, asked.source_words
    if not source:
        return False
    line = _line(words)
    if line in asked.piece_lines:
        return True
    if len(words) < ORDER or len(source) < ORDER:
        return line in asked.source_line and len(words) >= COVERED_SHARE * len(source)
    if len(words) >= COVERED_SHARE * len(source) and _share_within(source, line) >= COVERED_SHARE:
        return True
    if _share_within(words, asked.source_line) < COPIED_SHARE:
        return False
    if len(source) <= LONG_INPUT * len(words):
        return True
    return len(words) >= VERBATIM_WORDS and _has_stretch(words, asked.source_line)


def is_repeated(written: Written) -> bool:
    """Whether a text goes in circles."""
    words = written.words
    if _is_cycle(words) or _looped_words(words) >= max(6, LOOP_SHARE * len(words)):
        return True
    if len(words) >= 3 * ORDER:
        grams = Counter(zip(*(words[start:] for start in range(ORDER)), strict=False))
        if 1 - len(grams) / grams.total() >= LOOP_SHARE:
            return True
    packed = written.text[:MOST_LETTERS].encode("utf-8", "replace")
    return len(packed) >= COMPRESSED_BYTES and len(zlib.compress(packed, 6)) < COMPRESSED_SHARE * len(packed)


def is_cut(written: Written) -> bool:
    """Whether the token limit ended a text within a sentence."""
    text = written.text.rstrip()
    return written.finish_reason == "length" and text[-1:] not in _SENTENCE_ENDS


def is_echo(written: Written, asked: Asked, references: Sequence[str]) -> bool:
    """Whether a text gives back what it was asked."""
    if len(asked.instruction) >= ECHO_LETTERS and asked.instruction in _folded(written.text):
        return True
    start = asked.prompt_words[:ECHO_WORDS]
    if len(start) >= ORDER and len(asked.prompt_words) > len(asked.concepts) and written.words[: len(start)] == start:
        return True
    if asked.tags:
        own = asked.tags.intersection(_TAG.findall(written.text[:MOST_LETTERS]))
        if any(not any(tag in reference for reference in references) for tag in own):
            return True
    return bool(asked.concepts) and is_listing(written.words, asked.concepts)


def is_listing(words: Sequence[str], concepts: Sequence[str]) -> bool:
    """Whether a text strings given words together instead of using them in a sentence.

    It holds where nothing but the words as they were given and articles or conjunctions stands there, where the
    given words, inflected or not, are all that stands there, where they are most of a longer text, or where each
    one that occurs does so again.
    """
    given = {word for concept in concepts for word in words_of(concept)}
    if not given:
        return False
    exact = [word for word in words if word in given]
    if len(set(exact)) >= min(2, len(given)):
        rest = [word for word in words if word not in given]
        if all(word in _LISTING for word in rest) or (len(words) >= 5 and len(exact) >= 0.7 * len(words)):
            return True
    forms = Counter(stem for word in words if (stem := _form_of(word, given)))
    if len(forms) < min(2, len(given)):
        return False
    return forms.total() == len(words) >= 3 or min(forms.values()) >= 2


def is_refusal(written: Written) -> bool:
    """Whether a text refuses, in English or German."""
    head = _folded(written.text[:1000])
    return any(pattern.search(head) for pattern in _REFUSALS)


_RULES: Mapping[str, Callable[[Written, Asked, Sequence[str], str], bool]] = {
    "copied": lambda written, asked, _, __: is_copied(written, asked),
    "repeated": lambda written, _, __, ___: is_repeated(written),
    "cut": lambda written, _, __, ___: is_cut(written),
    "prompt_echoed": lambda written, asked, references, _: is_echo(written, asked, references),
    "wrong_language": lambda written, _, __, language: is_other(written.text, written.words, language),
    "refusal": lambda written, _, __, ___: is_refusal(written),
}


def _concepts(given: Json) -> tuple[str, ...]:
    """Lower-cased, without the part of speech that some sources append (``catch_V``)."""
    listed = given if isinstance(given, list) else []
    return tuple(_PART_OF_SPEECH.sub("", concept.lower()) for concept in listed if isinstance(concept, str))


def _folded(text: str) -> str:
    """Lower case, each stretch of blanks one."""
    return " ".join(text[:MOST_LETTERS].lower().split())


def _line(words: Sequence[str]) -> str:
    return f" {' '.join(words)} "


def _share_within(words: Sequence[str], line: str) -> float:
    """Share of the words' 4-grams that stand in a line; stops early where it cannot reach half any more."""
    total = len(words) - ORDER + 1
    misses = 0
    for start in range(total):
        if _line(words[start : start + ORDER]) not in line:
            misses += 1
            if misses > total * (1 - COVERED_SHARE):
                return 0.0
    return 1 - misses / total


def _has_stretch(words: Sequence[str], line: str) -> bool:
    """Whether nine tenths of the words stand in a line in one piece."""
    length = max(ORDER, -(-9 * len(words) // 10))
    return any(_line(words[start : start + length]) in line for start in range(len(words) - length + 1))


def _is_cycle(words: Sequence[str]) -> bool:
    """Whether the whole text is one phrase over and over: three words twice, two words thrice, a word four times."""
    n = len(words)
    for period, least in ((1, 4), (2, 3)):
        if n >= period * least and all(words[i] == words[i - period] for i in range(period, n)):
            return True
    return any(
        n >= 2 * period and words[period] == words[0] and all(words[i] == words[i - period] for i in range(period, n))
        for period in range(3, min(n // 2, 60) + 1)
    )


def _looped_words(words: Sequence[str]) -> int:
    """Most words in one run of a phrase of at most 20 words said at least three times on end (a word: four)."""
    most = 0
    for period in range(1, min(20, len(words) // 3) + 1):
        run, least = 0, (3 if period == 1 else 2 * period)
        for index in range(period, len(words)):
            run = run + 1 if words[index] == words[index - period] else 0
            if run >= least:
                most = max(most, run + period)
    return most


def _form_of(word: str, given: set[str]) -> str:
    """The given word of which a word is a form: it shares the beginning, up to an ``e`` or ``y`` at the end."""
    if word in given:
        return word
    for base in given:
        stem = base[:-1] if base.endswith(("e", "y")) and len(base) > 3 else base
        if len(stem) >= 3 and word.startswith(stem) and len(word) - len(base) <= 4:
            return base
    return ""
