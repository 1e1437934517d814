"""Names, descriptions and links that people type."""

from __future__ import annotations

import random

from tests.hostile.json_texts import SCRIPT
from tests.hostile.value import Hostile, Rows

_TEXTS = (
    SCRIPT,
    '"><svg onload=alert(1)>',
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "//evil.example",
    "https://evil.example\\@good.example",
    "\r\nSet-Cookie: a=b",
    "{{7*7}}",
    "{% raw %}",
    "${jndi:ldap://x}",
    "' or 1=1 --",
    "../../etc/passwd",
    "%2e%2e%2f",
    "\u202egnp.exe",
    "\u0000",
    "a\u0000b",
    "\ufeff",
    "\ud800",
    "\U0001f600" * 50,
    "a" * 100_000,
    "\u0301" * 500,
    " ",
    "\t\n",
    "=cmd|'/c calc'!A1",
    "NaN",
    "-1",
    "9" * 500,
    "[link](javascript:alert(1))",
    "<!--",
    "]]>",
    "&lt;b&gt;",
    "<b>bold</b>",
    "file:///etc/passwd",
    "http://127.0.0.1:22",
    "http://169.254.169.254/latest/meta-data",
)


def text(rng: random.Random, turn: int, rows: Rows) -> Hostile:
    """The next hostile text; each stands alone, then with others."""
    pieces = [_TEXTS[turn % len(_TEXTS)]]
    if turn >= len(_TEXTS):
        pieces += rng.choices(_TEXTS[:19], k=rng.randint(0, 3))
    rng.shuffle(pieces)
    return Hostile(
        "text", "text", rng.choice(["", " ", "/"]).join(pieces).encode("utf-8", "surrogatepass"), is_wrong=False
    )
