"""The Markdown of task cards."""

from __future__ import annotations

from leaderboard_site.markdown import to_html


def test_blocks_of_a_card() -> None:
    html = to_html("# Title\n\nOne\ntwo.\n\n## Weak\n- a\n- b `c`\n  goes on\n\n```\nx < y\n```\n")
    assert html.split("\n") == [
        "<p>One two.</p>",
        "<h3>Weak</h3>",
        "<ul><li>a</li><li>b <code>c</code> goes on</li></ul>",
        '<pre tabindex="0"><code>x &lt; y</code></pre>',
    ]


def test_markup_in_a_card_is_text() -> None:
    html = to_html("<script>x</script> **<b>** [<i>](https://e.org/?a=1&b=2) [x](javascript:alert(1))")
    assert "<script>" not in html
    assert "<strong>&lt;b&gt;</strong>" in html
    assert '<a href="https://e.org/?a=1&amp;b=2" rel="nofollow noopener noreferrer">&lt;i&gt;</a>' in html
    assert "[x](javascript:alert(1))" in html


def test_an_empty_card_is_empty() -> None:
    assert to_html("") == ""
