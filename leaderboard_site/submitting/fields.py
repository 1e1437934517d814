"""What a submitter says of a submission beside its content: checked once for the form, the API and the command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

KINDS = ("predictions", "run", "model")
NAME_LETTERS = 200
LONGEST = {"description": 5000, "url": 2000, "licence": 200, "trained_on": 2000, "contamination": 2000}
TEXTS = tuple(LONGEST)
_YES = {"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False, "on": True, "": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The fields of a submission, as given and without faults."""

    name: str
    is_public: bool
    description: str = ""
    url: str = ""
    licence: str = ""
    trained_on: str = ""
    contamination: str = ""


@dataclass(frozen=True, slots=True)
class FieldFault:
    """A field that cannot be taken as it is."""

    field: str
    problem: str
    fix: str


def read_said(given: Mapping[str, str]) -> Said | tuple[FieldFault, ...]:
    """The fields of a form, or all that is wrong with them.

    A name may be any text of 1 to 200 characters; it is shown escaped.
    """
    faults = []
    texts = {name: given.get(name, "").replace("\r\n", "\n").strip() for name in ("name", *TEXTS)}
    name = texts.pop("name")
    if not name:
        faults.append(FieldFault("name", "A name is missing.", f"Give one of 1 to {NAME_LETTERS} characters."))
    elif len(name) > NAME_LETTERS:
        problem = f"The name has {len(name)} characters."
        faults.append(FieldFault("name", problem, f"Give one of 1 to {NAME_LETTERS}."))
    for field, text in (("name", name), *texts.items()):
        if "\x00" in text:
            faults.append(FieldFault(field, "It holds a NUL character.", "Remove the character."))
        if field != "name" and len(text) > LONGEST[field]:
            problem = f"It has {len(text)} characters."
            faults.append(FieldFault(field, problem, f"At most {LONGEST[field]} are kept."))
    if texts["url"] and not _is_web_address(texts["url"]):
        faults.append(FieldFault("url", "It is no web address.", "Begin it with https:// or http://, or leave it out."))
    public = given.get("public", "").strip().lower()
    if public not in _YES:
        faults.append(FieldFault("public", f"{public[:20]!r} is neither yes nor no.", "Send yes or no."))
    if faults:
        return tuple(faults)
    return Said(name=name, is_public=_YES[public], **texts)


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("https", "http") and bool(parts.hostname) and not any(c.isspace() for c in text)
