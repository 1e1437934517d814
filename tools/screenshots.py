"""Pictures of every page of a filled board, to be looked at: ``screenshots/PAGE-WIDTH-THEME.png``, kept out of git.

Serves the board of ``tools/serve_demo.py`` on a free port, hands in one faulty and one sound prediction file as a
visitor would, and takes each page as a phone, a laptop and a wide screen show it, light and dark.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

SHAPES = ((390, "light"), (390, "dark"), (1024, "light"), (1600, "dark"))
HOST = "demo-host"


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, default=Path("grue-demo"), help="folder of the demo board")
    parser.add_argument("--out", type=Path, default=Path("screenshots"))
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    given = parser.parse_args()
    here = Path(__file__).parent
    subprocess.run([sys.executable, here / "serve_demo.py", "--prepare", "--out", given.demo], check=True)
    given.out.mkdir(parents=True, exist_ok=True)
    home = given.demo.absolute() / "home"
    with _served(home) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=given.chromium, args=["--no-sandbox", "--disable-background-networking"]
        )
        for width, theme in SHAPES:
            context = browser.new_context(
                base_url=address, viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce"
            )
            tab = context.new_page()
            for name, page in _pages(tab, (home / "password").read_text(), given.out):
                if page:
                    tab.goto(page)
                picture = given.out / f"{name}-{width}-{theme}.png"
                tab.screenshot(path=str(picture), full_page=True)
                sys.stdout.write(f"{picture}\n")
            context.close()
        browser.close()


def _pages(tab: Any, password: str, folder: Path) -> Iterator[tuple[str, str]]:
    """Name and address of each page; without an address it is the one that is open."""
    runs = tab.request.get("/api/v1/leaderboard?limit=1000").json()["rows"]
    ranked = [row["run_id"] for row in runs if row["rank"] is not None]
    yield "board", "/"
    yield "board-naturalness", "/?view=naturalness"
    yield "board-reward", "/?view=reward"
    yield "board-nothing", "/?q=nothing-is-called-this"
    yield "tasks", "/tasks"
    yield "task", "/tasks/commongen"
    yield "run", f"/runs/{ranked[0]}"
    yield "samples", f"/runs/{ranked[0]}/samples/commongen"
    yield "compare-two", f"/compare?runs={','.join(ranked[:2])}"
    yield "compare-four", f"/compare?runs={','.join(ranked[:4])}"
    yield "queue", "/queue"
    yield "about", "/about"
    yield "lost", "/runs/01NOSUCHRUN000000000000000"
    yield "signin", "/signin"
    yield "submit", "/submit"
    yield "submit-run", "/submit?kind=run"
    yield "submit-model", "/submit?kind=model"
    rows = [json.loads(line) for line in tab.request.get("/submit/template.jsonl").text().splitlines()]
    _upload(tab, folder / "faulty.jsonl", [{**row, "id": "lost"} for row in rows[:3]])
    yield "submit-errors", ""
    answers = [{"task": row["task"], "id": row["id"], "prediction": "A dog in the park."} for row in rows]
    _upload(tab, folder / "answers.jsonl", [row for row in answers if row["task"] == "commongen"])
    yield "submit-preview", ""
    tab.get_by_role("button", name="Sign in and submit").click()
    tab.get_by_label("Name", exact=True).fill(HOST)
    tab.get_by_label("Password", exact=True).fill(password)
    tab.get_by_role("main").get_by_role("button", name="Sign in").first.click()
    if "/submissions/" not in tab.url:
        tab.get_by_role("button", name="Submit", exact=True).click()
    tab.wait_for_url(re.compile("/submissions/"))
    yield "submission-running", ""
    tab.get_by_role("heading", name="Result").wait_for(timeout=300_000)
    yield "submission-done", ""
    yield "account", "/account"
    yield "host", "/host"
    yield "host-audit", "/host/audit"


def _upload(tab: Any, path: Path, rows: list[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    tab.goto("/submit")
    tab.get_by_label("Name on the board").fill("a dog in the park")
    tab.locator("input[type=file]").set_input_files(path)
    tab.get_by_role("button", name="Check the file").click()
    tab.wait_for_load_state()


@contextmanager
def _served(home: Path) -> Iterator[str]:
    environ = {**os.environ, "GRUE_HOME": str(home), "GRUE_DATA": "mini", "GRUE_SPLIT": "test"}
    command = [sys.executable, "-m", "grue", "serve", "--port", "0"]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        line = process.stdout.readline() if process.stdout else ""
        yield line.split()[-1]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


if __name__ == "__main__":
    main()
