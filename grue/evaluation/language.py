"""Whether a text is plainly in another language than asked: its script, then its function words. No data, no model.

A function word is a word that a language cannot do without (``the``, ``nicht``). A text counts as another language
only where one language's function words stand out against those of the language asked for; anything short or mixed
counts as right, so that names, titles and quotations raise no alarm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

LEAST_WORDS = 4
LEAST_HITS = 2
LEAST_LETTERS = 4

_WORDS: Mapping[str, str] = {
    "en": "the and of to is that it for you was with are this be have from not by they his her she we your would "
    "there their what which when who how about been were has had but if my do did does these those into because "
    "our than then them will can could should it's i'm don't that's very some other at on as or",
    "de": "der die das und ist nicht ein eine zu den dem des mit sich auf für von auch es sie ich wir ihr er wie aber "
    "wird sind war haben hat als im bei aus nach noch nur einen einem einer kann wenn oder über durch dass daß mich "
    "mir uns ihm ihn sein seine mein meine werden wurde dann sehr zum zur vor diese dieser dieses",
    "fr": "le la les et est une dans que qui pour pas sur au aux avec ce cette il elle nous vous sont mais ou où plus "
    "comme je des du être fait par leur ses était c'est d'un d'une n'est",
    "es": "el la los las y es una que en por con para no se su al lo como más pero sus le ya o este sí porque esta "
    "entre cuando muy sin sobre también hasta hay donde quien desde todo nos una del está",
    "it": "il la i gli e è una che di per con non si del della le da come più ma sono dei nel alla anche questo ha lo "
    "mi ti ci delle nella al essere degli perché",
    "nl": "de het een en van is niet dat op te zijn met voor aan er ook maar om als dan bij nog wordt naar heeft deze "
    "dit hij wat zo uit werd hebben ik je wij geen",
    "pt": "o a os as e é uma que em do da para com não por um na no se mais dos como mas ao ele das à seu sua ou "
    "quando muito nos já eu também só pelo pela isso está são",
}

# Letters of each script as closed ranges of code points.
_SCRIPTS: Mapping[str, tuple[tuple[int, int], ...]] = {
    "latin": ((0x41, 0x24F), (0x250, 0x2AF), (0x1E00, 0x1EFF), (0x2C60, 0x2C7F), (0xA720, 0xA7FF), (0xFB00, 0xFB06)),
    "greek": ((0x370, 0x3FF), (0x1F00, 0x1FFF)),
    "cyrillic": ((0x400, 0x52F),),
    "hebrew": ((0x590, 0x5FF),),
    "arabic": ((0x600, 0x6FF), (0x750, 0x77F), (0xFB50, 0xFDFF), (0xFE70, 0xFEFF)),
    "devanagari": ((0x900, 0x97F),),
    "thai": ((0xE00, 0xE7F),),
    "hangul": ((0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7A3)),
    "kana": ((0x3040, 0x30FF),),
    "han": ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2FA1F)),
}
_SCRIPTS_OF: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_WORDS, ("latin",)),
    **dict.fromkeys(("cs", "da", "et", "fi", "hr", "hu", "lt", "lv", "no", "pl", "ro", "sv", "tr", "vi"), ("latin",)),
    **dict.fromkeys(("ru", "uk", "bg"), ("cyrillic",)),
    "el": ("greek",),
    "he": ("hebrew",),
    **dict.fromkeys(("ar", "fa", "ur"), ("arabic",)),
    "hi": ("devanagari",),
    "th": ("thai",),
    "ko": ("hangul", "han"),
    "ja": ("kana", "han"),
    "zh": ("han",),
}
_PROFILES = {language: frozenset(words.split()) for language, words in _WORDS.items()}


def base_of(tag: str) -> str:
    """The language of a BCP 47 tag: ``de`` of ``de-AT``."""
    return tag.replace("_", "-").split("-")[0].lower()


def is_known(tag: str) -> bool:
    """Whether texts can be told from this language at all."""
    return base_of(tag) in _SCRIPTS_OF


def is_other(text: str, words: Sequence[str], tag: str) -> bool:
    """Whether a text is plainly not in a language.

    Args:
        text: The text.
        words: Its words, lower-cased.
        tag: The language asked for, as a BCP 47 tag; one that is not known gives ``False``.
    """
    language = base_of(tag)
    if language not in _SCRIPTS_OF:
        return False
    if _is_other_script(text, _SCRIPTS_OF[language]):
        return True
    return language in _PROFILES and len(words) >= LEAST_WORDS and _is_other_profile(words, language)


def _is_other_script(text: str, scripts: Sequence[str]) -> bool:
    if text.isascii() and "latin" in scripts:
        return False
    letters = [ord(letter) for letter in text if letter.isalpha()]
    if len(letters) < LEAST_LETTERS:
        return False
    ranges = [bounds for script in scripts for bounds in _SCRIPTS[script]]
    own = sum(any(low <= letter <= high for low, high in ranges) for letter in letters)
    return own < len(letters) / 2


def _is_other_profile(words: Sequence[str], language: str) -> bool:
    """One other language has at least three times the function words, two of them distinct and its own."""
    own = _PROFILES[language]
    n_own = sum(word in own for word in words)
    for other, profile in _PROFILES.items():
        if other == language:
            continue
        hits = [word for word in words if word in profile and word not in own]
        if len(set(hits)) >= LEAST_HITS and len(hits) >= 3 * n_own and len(hits) >= 0.15 * len(words):
            return True
    return False
