"""What an endpoint sends back, read field by field: nothing in it is trusted to be there or to have its type."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

SHOWN_CHARACTERS = 200
_CUT_REASONS = ("length", "max_tokens")
FILTERED = "content_filter"


class MalformedError(ValueError):
    """An answer that cannot be read; asking again may give a better one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One text with what the server says of it.

    Attributes:
        finish_reason: ``stop`` or ``length``.
        prompt_tokens: By the server's count; ``None`` where it does not say.
        generated_tokens: By the server's count; ``None`` where it does not say.
        is_filtered: Whether the server withheld text.
        model: Model that answered, in the server's words.
        fingerprint: The server's own mark of its configuration.
    """

    text: str
    finish_reason: str
    prompt_tokens: int | None
    generated_tokens: int | None
    is_filtered: bool
    model: str | None
    fingerprint: str | None


def read_answer(body: bytes, *, is_chat: bool, max_new_tokens: int) -> Answer:
    """Read the body of a completion.

    Raises:
        MalformedError: for half a body, no choices, a missing field or one of the wrong type.
    """
    document = read_object(body)
    choices = document.get("choices")
    if not isinstance(choices, list) or not choices:
        raise MalformedError("the answer has no choices")
    choice = choices[0]
    if not isinstance(choice, dict):
        raise MalformedError("the answer's choice is no object")
    text = _text(choice, is_chat=is_chat)
    usage = document.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    generated = _count(usage, "completion_tokens")
    reason = choice.get("finish_reason")
    if not isinstance(reason, str):
        reason = "length" if generated is not None and generated >= max_new_tokens else "stop"
    return Answer(
        text=text,
        finish_reason="length" if reason in _CUT_REASONS else "stop",
        prompt_tokens=_count(usage, "prompt_tokens"),
        generated_tokens=generated,
        is_filtered=reason == FILTERED,
        model=_short(document.get("model")),
        fingerprint=_short(document.get("system_fingerprint")),
    )


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body.

    Raises:
        MalformedError: where it is none.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedError(f"the answer is no whole JSON: {_first_line(body) or 'nothing came'}") from None
    if not isinstance(document, dict):
        raise MalformedError("the answer is no JSON object")
    return document


def error_message(body: bytes) -> str:
    """What an error's body says, on one line; empty where it says nothing."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return _first_line(body)
    if isinstance(document, dict):
        inner = document.get("error", document)
        for found in (inner, document):
            if isinstance(found, str):
                return _line(found)
            for name in ("message", "detail"):
                if isinstance(found, dict) and isinstance(found.get(name), str):
                    return _line(found[name])
    return _first_line(body)


def error_code(body: bytes) -> str:
    """The code or type of an error's body; empty where there is none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    inner = document.get("error") if isinstance(document, dict) else None
    if isinstance(inner, dict):
        return next((inner[name] for name in ("code", "type") if isinstance(inner.get(name), str)), "")
    return ""


def _text(choice: dict[str, Any], *, is_chat: bool) -> str:
    if is_chat:
        message = choice.get("message")
        if not isinstance(message, dict) or "content" not in message:
            raise MalformedError("the answer's choice has no message with a content")
        # A refusal or a text that was withheld: the model wrote nothing.
        text = "" if message["content"] is None else message["content"]
    else:
        text = choice.get("text")
    if not isinstance(text, str):
        raise MalformedError("the answer's text is no string")
    # Half of a surrogate pair cannot be stored; tokenizers write the same mark for half a character.
    return "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in text)


def _count(usage: dict[str, Any], name: str) -> int | None:
    value = usage.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _short(value: Any) -> str | None:
    return _line(value) if isinstance(value, str) and value else None


def _first_line(body: bytes) -> str:
    return _line(body[: 4 * SHOWN_CHARACTERS].decode("utf-8", errors="replace"))


def _line(text: str) -> str:
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return "".join(c if c.isprintable() else " " for c in first)[:SHOWN_CHARACTERS]
