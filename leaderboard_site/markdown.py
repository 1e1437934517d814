"""The little Markdown that task cards use: headings, paragraphs, lists, code, emphasis, links. All else is text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markupsafe import Markup, escape

_SPANS = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\((https?://[^\s)]+)\)|<(https?://[^\s>]+)>")


def to_html(text: str) -> Markup:
    """A card as HTML, everything in it escaped; its first heading of level one is left out, the page has it."""
    blocks = []
    for block in _blocks(text):
        lines = block.split("\n")
        if block.startswith("```"):
            body = "\n".join(lines[1:-1] if lines[-1].startswith("```") else lines[1:])
            blocks.append(Markup('<pre tabindex="0"><code>{}</code></pre>').format(body))
        elif match := re.fullmatch(r"(#{1,6})\s+(.*)", block):
            if len(match[1]) > 1:
                blocks.append(Markup("<h3>{}</h3>").format(_inline(match[2])))
        elif re.match(r"[-*]\s", block):
            items = re.split(r"\n[-*]\s+", "\n" + block)[1:]
            blocks.append(
                Markup("<ul>{}</ul>").format(
                    Markup("").join(Markup("<li>{}</li>").format(_inline(" ".join(item.split()))) for item in items)
                )
            )
        else:
            blocks.append(Markup("<p>{}</p>").format(_inline(" ".join(block.split()))))
    return Markup("\n").join(blocks)


def _blocks(text: str) -> Iterator[str]:
    """Blocks parted by empty lines, headings on their own, fenced code whole."""
    block: list[str] = []
    is_code = False
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.startswith("```"):
            if not is_code and block:
                yield "\n".join(block)
                block = []
            block.append(line)
            is_code = not is_code
            if is_code:
                continue
        elif is_code:
            block.append(line)
            continue
        elif (
            line.strip()
            and not line.startswith("#")
            and not (re.match(r"[-*]\s", line) and block and not re.match(r"[-*]\s", block[0]))
        ):
            block.append(line.rstrip())
            continue
        if block:
            yield "\n".join(block)
        block = [line] if line.strip() and not line.startswith(("#", "```")) else []
        if line.startswith("#"):
            yield line.strip()
    if block:
        yield "\n".join(block)


def _inline(text: str) -> Markup:
    parts, end = [], 0
    for match in _SPANS.finditer(text):
        parts.append(escape(text[end : match.start()]))
        code, strong, label, target, bare = match.groups()
        if code:
            parts.append(Markup("<code>{}</code>").format(code))
        elif strong:
            parts.append(Markup("<strong>{}</strong>").format(strong))
        else:
            parts.append(
                Markup('<a href="{}" rel="nofollow noopener noreferrer">{}</a>').format(target or bare, label or bare)
            )
        end = match.end()
    parts.append(escape(text[end:]))
    return Markup("").join(parts)
