"""What a journey needs: a served board, and a visitor with eyes for what a browser complains of."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chromium import assert_axe_finds_nothing

# Where pictures of a journey go, to be looked at; nowhere where nothing is said.
PICTURES = os.environ.get("GRUE_TEST_PICTURES")
FOCUSED = """() => { const one = document.activeElement;
    return [one.tagName, (one.labels?.[0]?.innerText || one.innerText || one.value || '').trim()] }"""


@dataclass(frozen=True)
class Board:
    """A running `grue serve`."""

    address: str
    home: Path


def environ_of(home: Path) -> dict[str, str]:
    """The environment of a service that lies in a folder, and knows nothing else of this machine's settings."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GRUE_")}
    return kept | {"GRUE_HOME": str(home), "GRUE_DATA": "mini", "GRUE_SPLIT": "test", "GRUE_HUB": "false"}


def accounts(home: Path, people: Mapping[str, str], password: str) -> None:
    """Make accounts as a host does, in the terminal."""
    for name, role in people.items():
        words = ("admin", "user", "add", name, "--role", role, "--password-stdin")
        command = [sys.executable, "-m", "grue", *words]
        done = subprocess.run(
            command, input=password, env=environ_of(home), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def started(home: Path, *flags: str) -> Iterator[Board]:
    """A process of `grue serve` on a free port, stopped in good order at the end."""
    command = [sys.executable, "-m", "grue", "serve", "--port", "0", *flags]
    log = home / "serve.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(command, env=environ_of(home), stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found, log.read_text()
        yield Board(found[0], home)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(30)
        finally:
            process.kill()
            process.stdout.close()
        assert code == 0, log.read_text()


@dataclass(frozen=True)
class Visitor:
    """A window of a browser.

    Attributes:
        tab: Its page.
        complaints: What the console said, faults of scripts, and requests to other hosts.
    """

    tab: Any
    complaints: list[str]

    @classmethod
    def of(cls, context: Any) -> Visitor:
        """The first page of a browser's context."""
        tab, complaints = context.new_page(), []
        own = re.compile(r"(http://127\.0\.0\.1:|data:|blob:)")
        tab.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        tab.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        tab.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        tab.on("request", lambda one: None if own.match(one.url) else complaints.append(f"asked {one.url}"))
        return cls(tab, complaints)

    def tab_to(self, text: str, tag: str | None = None, *, most: int = 200) -> None:
        """Press Tab until the focus is on what carries a text or label: an element of that tag, if one is named."""
        seen = []
        for _ in range(most):
            self.tab.keyboard.press("Tab")
            found, label = self.tab.evaluate(FOCUSED)
            seen.append(label)
            if label.split("\n")[0] == text and tag in (None, found):
                return
        raise AssertionError(f"no way by Tab to {text!r}; the focus went over {seen}")

    def follow(self, text: str, tag: str | None = None) -> None:
        """Go to a link or button by keyboard and press it, and wait for the page that it opens."""
        self.tab_to(text, tag)
        with self.tab.expect_navigation():
            self.tab.keyboard.press("Enter")

    def choose_file(self, path: Path) -> None:
        """Put a file into the form's field."""
        self.tab.locator("input[type=file]").set_input_files(path)

    def sign_in(self, name: str, password: str) -> None:
        """Fill in the sign-in page, which is open, by keyboard."""
        self.tab.get_by_label("Name", exact=True).focus()
        self.tab.keyboard.type(name)
        self.tab.keyboard.press("Tab")
        self.tab.keyboard.type(password)
        with self.tab.expect_navigation():
            self.tab.keyboard.press("Enter")

    def look(self, name: str) -> None:
        """What axe-core and the width say of the page as it stands; a picture where pictures are wanted."""
        if PICTURES:
            Path(PICTURES).mkdir(parents=True, exist_ok=True)
            self.tab.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)
        assert_axe_finds_nothing(self.tab, name)
