"""A comparison as a file: safe, self-contained and equal in what it says."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import grue
from grue.comparison.report import FORMATS, report
from grue.comparison.values import Comparison
from tests.chromium import assert_axe_finds_nothing
from tests.comparison.conftest import MadeTask, MakeRun

HOSTILE = '=HYPERLINK("http://evil.example")<script>alert(1)</script> | `x` *b* @someone \\input{x} $1 & 50%_{}~^#'


@pytest.fixture
def hostile(make_run: MakeRun) -> Comparison:
    """Names and texts that are code in one format or another."""
    texts = [HOSTILE, "</style><img src=x onerror=alert(1)>", "\u202eright to left", "", "-1+1", "plain"]
    a = make_run(
        "a",
        name=HOSTILE,
        toy=MadeTask({"f1": [0.0, 0.2, 0.4, 0.6, 0.8, 0.5]}, prompts={"000": HOSTILE}, references=(HOSTILE,)),
    )
    b = make_run(
        "b",
        name="=cmd|'/c calc'!A1",
        toy=MadeTask(
            {"f1": [0.5, 0.5, 0.5, 0.5, 0.5, 0.5]},
            texts=texts,
            prompts={"000": HOSTILE},
            references=(HOSTILE,),
            rewards={"r": [0.5] * 6},
            corpus={"distinct_1": 0.5},
        ),
    )
    return grue.compare(a, b, power=True)


class _Page(HTMLParser):
    """Tags, text and attributes of a document."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.shown = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.shown += data


def test_the_page_holds_no_code_of_others_and_loads_nothing(hostile: Comparison) -> None:
    text = report(hostile, "html")
    page = _Page(text)
    assert not {"script", "img", "link", "iframe", "object", "base", "form"} & set(page.tags)
    assert page.tags.count("style") == 1
    names = {name for name, _ in page.attributes}
    assert not {name for name in names if name.startswith("on")} | ({"style", "src", "action"} & names)
    links = [value for name, value in page.attributes if name == "href"]
    assert links
    assert all(value and value.startswith("#") for value in links)
    targets = {value for name, value in page.attributes if name == "id"}
    assert {str(link)[1:] for link in links} <= targets
    assert HOSTILE in page.shown


def test_the_pages_own_policy_allows_its_style_and_nothing_else(hostile: Comparison) -> None:
    text = report(hostile, "html")
    (style,) = re.findall(r"<style>(.*?)</style>", text, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in text
    assert "url(" not in style
    assert "@import" not in style


def test_the_page_shows_both_texts_with_their_differing_words_marked(make_run: MakeRun) -> None:
    a = make_run("a", toy=MadeTask({"f1": [0.1, 0.5]}, texts=["the red cat sat", "same"]))
    b = make_run("b", toy=MadeTask({"f1": [0.9, 0.5]}, texts=["the blue cat sat", "same"]))
    text = report(grue.compare(a, b), "html")
    assert "the <del>red</del> cat sat" in text
    assert "the <ins>blue</ins> cat sat" in text
    assert text.count('class="sample"') == 1


def test_charts_stand_before_the_numbers_they_draw(make_run: MakeRun) -> None:
    base = [place / 40 for place in range(40)]
    a = make_run("a", toy=MadeTask({"f1": base}))
    b = make_run("b", toy=MadeTask({"f1": [min(1.0, value + 0.1) for value in base]}))
    text = report(grue.compare(a, b), "html")
    assert re.search(r'<table class="forest">.*<circle class="pt"', text, flags=re.DOTALL)
    heights = re.findall(r'<tr><th scope="row">[^<]*</th><td class="n">(\d+)</td></tr>', text)
    assert sum(map(int, heights)) == 40
    assert ">no change</th>" in text


def test_latex_sets_the_better_in_bold_and_intervals_below(hostile: Comparison) -> None:
    text = report(hostile, "latex")
    assert "\\toprule" in text
    assert "\\bottomrule" in text
    line = next(line for line in text.splitlines() if line.startswith("toy & f1"))
    assert re.search(r"0\.417 & \\textbf\{0\.500\} & \$\+\$0\.083\$_\{\[", line)
    assert "\\input{x}" not in text
    assert r"\textbackslash{}input\{x\} \$1 \& 50\%\_\{\}\textasciitilde{}\textasciicircum{}\#" in text


def test_latex_shares_the_bold_among_equal_values(make_run: MakeRun) -> None:
    a, b = make_run("a", toy=MadeTask({"f1": [0.5, 0.5]})), make_run("b", toy=MadeTask({"f1": [0.25, 0.75]}))
    assert report(grue.compare(a, b), "latex").count(r"\textbf{0.500}") == 2


def test_csv_runs_no_formula_and_keeps_numbers(hostile: Comparison) -> None:
    rows = list(csv.DictReader(io.StringIO(report(hostile, "csv"))))
    assert [row["metric"] for row in rows] == ["f1", "distinct_1", "reward:r"]
    assert rows[0]["baseline"] == f"'{HOSTILE}"
    assert rows[0]["candidate"] == "'=cmd|'/c calc'!A1"
    assert float(rows[0]["difference"]) == pytest.approx(1 / 12)
    assert float(rows[0]["difference_ci95_low"]) < 0
    assert rows[1]["p_randomization"] == ""


def test_markdown_is_tables_without_markup_of_others(hostile: Comparison) -> None:
    text = report(hostile, "markdown", every=True)
    assert "<script>" not in text
    assert not re.search(r"(?<!\w)@someone", text)
    widths = {
        block.splitlines()[0]: {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        for block in text.split("\n\n")
        if block.startswith("| ")
    }
    assert widths
    assert all(len(found) == 1 for found in widths.values())


def test_json_holds_no_number_that_json_lacks(hostile: Comparison) -> None:
    found = json.loads(report(hostile, "json"), parse_constant=pytest.fail)
    assert found["schema_version"] == 1
    assert found["baseline"]["name"] == HOSTILE
    metric = found["comparisons"][0]["tasks"]["toy"]["metrics"]["f1"]
    assert metric["difference"] == pytest.approx(1 / 12)
    assert metric["rows"] == {"wins": 3, "ties": 1, "losses": 2}
    assert metric["power"]["rows_needed"] > 6
    assert found["comparisons"][0]["tasks"]["toy"]["moved"]["better"][0]["candidate_texts"] == [HOSTILE]


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_tells_a_run_against_itself(make_run: MakeRun, form: str) -> None:
    a = make_run("a", toy=MadeTask({"f1": [0.5, 0.25]}))
    text = report(grue.compare(a, a), form)
    assert text == report(grue.compare(a, a), form)
    assert "equal" in text or "no difference" in text


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_quiet_narrow_and_accessible_in_a_browser(
    hostile: Comparison, browser: Any, scheme: str, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    path.write_text(report(hostile, "html"), encoding="utf-8")
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    tab = context.new_page()
    complaints: list[str] = []
    requests: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("dialog", lambda dialog: complaints.append(dialog.message))
    tab.on("request", lambda request: requests.append(request.url))
    for width in (320, 1280):
        tab.set_viewport_size({"width": width, "height": 800})
        tab.goto(path.as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert tab.evaluate("getComputedStyle(document.querySelector('.masthead')).display") == "flex"
        assert_axe_finds_nothing(tab, f"{width}-{scheme}")
    context.close()
    assert complaints == []
    assert requests == [path.as_uri()] * 2
