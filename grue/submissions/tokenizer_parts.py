"""What a stranger's tokenizer may consist of: parts of the libraries by name, and no template that would be run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from grue.submissions.bounded_json import walked
from grue.submissions.findings import Fault
from grue.submissions.model_config import CODE, SAVE_WHOLE

_DROPPED = re.compile(r"chat_template.*|.*_file|_?name_or_path|_commit_hash|processor_class|backend_class")
_TOKENIZER_CLASS = re.compile(r"[A-Za-z0-9]{1,60}Tokenizer(Fast)?|TokenizersBackend|SentencePieceBackend")
_KEYS = frozenset(
    {
        "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder",
        "model",
    }
)  # fmt: skip
# Parts of the library tokenizers 0.23, and under which key a sequence holds others.
_PARTS: Mapping[str, tuple[str, str]] = {
    "normalizer": (
        "normalizers",
        "BertNormalizer ByteLevel Lowercase NFC NFD NFKC NFKD Nmt Precompiled Prepend Replace Sequence "
        "Strip StripAccents",
    ),
    "pre_tokenizer": (
        "pretokenizers",
        "BertPreTokenizer ByteLevel CharDelimiterSplit Digits FixedLength Metaspace Punctuation Sequence Split "
        "UnicodeScripts Whitespace WhitespaceSplit",
    ),
    "post_processor": ("processors", "BertProcessing ByteLevel RobertaProcessing Sequence TemplateProcessing"),
    "decoder": ("decoders", "BPEDecoder ByteFallback ByteLevel CTC Fuse Metaspace Replace Sequence Strip WordPiece"),
}
_MODELS = ("BPE", "Unigram", "WordLevel", "WordPiece")
_MAX_WORDS = 2_000_000
_MAX_ID = 1 << 31
_MAX_PADDING = 1 << 20
_MAX_PARTS = 1_000


def check_tokenizer(document: Mapping[str, Any]) -> None:
    """Check a tokenizer.json.

    Raises:
        Fault: for a part that the library does not have, or sizes no tokenizer has.
    """
    if unknown := sorted(set(document) - _KEYS):
        raise Fault(f"The tokenizer has the unknown part {unknown[0][:80]!r}.", SAVE_WHOLE)
    for key, (inner, names) in _PARTS.items():
        _check_part(key, document.get(key), inner, names.split())
    _check_model(document.get("model"))
    _check_padding(document.get("padding"))
    added = document.get("added_tokens") or []
    if not isinstance(added, list) or not all(isinstance(token, dict) for token in added):
        raise Fault("'added_tokens' should be a list of objects.", SAVE_WHOLE)
    for token in added:
        if not isinstance(token.get("content"), str) or not _is_id(token.get("id")):
            raise Fault("An added token has no text or no number.", SAVE_WHOLE)


def check_words(document: Mapping[str, Any]) -> None:
    """Check a vocabulary of words and their numbers (``vocab.json``, ``added_tokens.json``).

    Raises:
        Fault: where a word has no number.
    """
    if len(document) > _MAX_WORDS or not all(map(_is_id, document.values())):
        raise Fault("The vocabulary should give each word a number.", SAVE_WHOLE)


def _check_part(key: str, part: object, inner: str, names: list[str]) -> None:
    waiting, count = [part], 0
    while waiting:
        here = waiting.pop()
        count += 1
        if here is None:
            continue
        kind = here.get("type") if isinstance(here, dict) else here
        if not isinstance(here, dict) or not isinstance(kind, str) or kind not in names:
            raise Fault(f"{key!r} has the unknown type {str(kind)[:80]!r}.", SAVE_WHOLE)
        if kind == "Sequence":
            parts = here.get(inner)
            if not isinstance(parts, list) or len(parts) > _MAX_PARTS or count > _MAX_PARTS:
                raise Fault(f"{key!r} should hold a list of {inner}.", SAVE_WHOLE)
            waiting.extend(parts)


def _check_model(model: object) -> None:
    if not isinstance(model, dict):
        raise Fault("The tokenizer has no model.", SAVE_WHOLE)
    kind = model.get("type", "BPE" if "merges" in model else None)
    if not isinstance(kind, str) or kind not in _MODELS:
        raise Fault(f"The tokenizer's model has the unknown type {str(kind)[:80]!r}.", SAVE_WHOLE)
    words = model.get("vocab")
    if kind == "Unigram":
        if not isinstance(words, list) or len(words) > _MAX_WORDS or not all(map(_is_scored, words)):
            raise Fault("The vocabulary should give each piece a number.", SAVE_WHOLE)
    elif isinstance(words, dict):
        check_words(words)
    else:
        raise Fault("The tokenizer's model has no vocabulary.", SAVE_WHOLE)


def _check_padding(padding: object) -> None:
    """Padding to a fixed length takes memory for each row."""
    for key, value in walked(padding):
        if isinstance(value, int | float) and not 0 <= value <= _MAX_PADDING:
            raise Fault(f"'padding' sets {key!r} to {str(value)[:40]}.", SAVE_WHOLE)


def _is_id(value: object) -> bool:
    return type(value) is int and 0 <= value < _MAX_ID


def _is_scored(piece: object) -> bool:
    return isinstance(piece, list) and len(piece) == 2 and isinstance(piece[0], str) and type(piece[1]) in (int, float)


def cleaned_tokenizer_config(document: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """A tokenizer_config.json without what is never used here, and what was left out: templates, and names of files.

    Raises:
        Fault: where it names code.
    """
    check_tokenizer_keys(document)
    dropped = sorted(key for key in document if _DROPPED.fullmatch(key))
    return {key: value for key, value in document.items() if key not in dropped}, dropped


def check_tokenizer_keys(document: Mapping[str, Any]) -> None:
    """Refuse what names code, or a class that is no tokenizer of the library.

    Raises:
        Fault: names the key.
    """
    for key, value in walked(document):
        if key in CODE and value not in (None, False):
            raise Fault(f"{key!r} asks for code or files that are not read here.", SAVE_WHOLE)
    named = document.get("tokenizer_class")
    if named is not None and not (isinstance(named, str) and _TOKENIZER_CLASS.fullmatch(named)):
        raise Fault(f"The tokenizer class {str(named)[:80]!r} is none of the library's.", SAVE_WHOLE)
