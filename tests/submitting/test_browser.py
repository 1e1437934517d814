"""What scripts add to the pages of submissions, in a real browser; and what axe-core finds there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from grue.store.service import jobs, sign_ins
from grue.store.service.submissions import submission
from grue.store.service.values import Progress
from grue.submissions.model_files import is_allowed
from tests.chromium import assert_axe_finds_nothing
from tests.submitting.conftest import ROWS, Account, Board, answers

pytestmark = [pytest.mark.browser, pytest.mark.long]
DROP = """([name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name));
  const form = document.querySelector("form.submitting");
  const event = (kind) => new DragEvent(kind, { dataTransfer: data, bubbles: true });
  for (const kind of ["dragover", "drop"]) form.dispatchEvent(event(kind));
}"""


@pytest.fixture(scope="module")
def account(shared: Board) -> Account:
    return shared.account("in the browser")


@pytest.fixture
def tab(shared: Board, account: Account, browser: Any) -> Iterator[Any]:
    """A page of somebody who is signed in; the test fails where its console complains."""
    context = browser.new_context(base_url=shared.served.address, viewport={"width": 1024, "height": 800})
    raw = sign_ins.sign_in(shared.service.store, account.user.user_id, 900)
    context.add_cookies([{"name": "grue", "value": raw, "url": shared.served.address}])
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    # The test breaks a connection itself.
    assert [one for one in complaints if "ERR_CONNECTION_RESET" not in one] == []


def test_a_dropped_file_is_checked_and_one_that_is_too_large_is_not_sent(tab: Any) -> None:
    tab.goto("/submit")
    tab.get_by_label("Name on the board").fill("dropped")
    tab.evaluate(DROP, ["dropped.jsonl", answers(ROWS, "dropped").decode()])
    assert tab.evaluate("document.activeElement.textContent") == "Check the file"
    tab.locator("form.submitting").evaluate("form => form.dataset.mostBytes = '10'")
    tab.keyboard.press("Enter")
    assert tab.locator("[data-wrong]").inner_text().startswith("Too large: at most")
    tab.locator("form.submitting").evaluate("form => form.dataset.mostBytes = '100000'")
    tab.keyboard.press("Enter")
    tab.get_by_role("heading", name="dropped.jsonl is valid").wait_for()
    assert "7 predictions for 2 of 2 tasks" in tab.locator("main").inner_text()


def test_progress_is_live_and_the_page_changes_by_itself(tab: Any, shared: Board, account: Account) -> None:
    store = shared.service.store
    made = shared.submit(account, answers(ROWS, "live"), name="live").json()["id"]
    tab.goto(f"/submissions/{made}")
    assert tab.get_by_role("status").inner_text() == "Queued, place 1 of 1."
    taken = jobs.claim(store, "worker", 600)
    assert taken is not None
    assert jobs.advance(store, taken.job_id, taken.attempt, "scoring")
    progress = Progress(step="scoring", task="totto", rows_done=2, rows_total=7, rate=1.0, seconds_left=300.0)
    assert jobs.heartbeat(store, taken.job_id, taken.attempt, 600, progress)
    bar = tab.get_by_role("progressbar")
    bar.wait_for(timeout=30_000)
    jobs.add_log(store, taken.job_id, taken.attempt, ["<b>a line</b>"])
    progress = Progress(step="scoring", task="totto", rows_done=5, rows_total=7, rate=1.0, seconds_left=100.0)
    assert jobs.heartbeat(store, taken.job_id, taken.attempt, 600, progress)
    tab.locator("progress[value='5']").wait_for(timeout=30_000)
    tab.get_by_text("<b>a line</b>").wait_for(timeout=30_000)
    assert jobs.fail(store, taken.job_id, taken.attempt, "invalid-file", "Not good.", is_ours=False)
    tab.get_by_role("alert").wait_for(timeout=30_000)
    assert "Not good." in tab.get_by_role("alert").inner_text()
    assert tab.get_by_role("status").inner_text() == "Stopped before the end."
    assert tab.locator("[data-events]").count() == 0


@pytest.mark.parametrize("size", [0, 55, 56, 64, 100_003])
def test_pieces_have_the_hash_that_everybody_computes(tab: Any, size: int) -> None:
    content = bytes((number * 7 + size) % 251 for number in range(size))
    tab.goto("/submit?kind=model")
    found = tab.evaluate(
        """([bytes, cut]) => {
          const hash = new Sha256(), all = Uint8Array.from(bytes);
          hash.add(all.subarray(0, cut));
          hash.add(all.subarray(cut));
          return hash.hex();
        }""",
        [list(content), size // 3],
    )
    assert found == hashlib.sha256(content).hexdigest()


def test_a_checkpoint_goes_in_pieces_and_continues_where_it_stopped(
    tab: Any, shared: Board, account: Account, tmp_path: Path
) -> None:
    files = write_checkpoint(tmp_path / "checkpoint")
    pieces: list[str] = []

    def broken_once(route: Any) -> None:
        pieces.append(route.request.url)
        if len(pieces) == 1:
            route.abort("connectionreset")
        else:
            route.continue_()

    tab.route("**/api/v1/uploads/files/*offset=*", broken_once)
    tab.goto("/submit?kind=model")
    tab.get_by_label("Name on the board").fill("in pieces")
    tab.locator("#file").set_input_files(files)
    tab.get_by_role("button", name="Check the checkpoint").click()
    tab.get_by_role("button", name="Submit", exact=True).wait_for(timeout=60_000)
    assert len(pieces) == len(files) + 1
    tab.get_by_role("button", name="Submit", exact=True).click()
    tab.wait_for_url("**/submissions/*")
    made = submission(shared.service.store, tab.url.rpartition("/")[2])
    assert made is not None
    assert (made.kind, made.name, made.tasks) == ("model", "in pieces", tuple(ROWS))
    stored = shared.service.artifacts.local_folder(made.upload)
    assert {path.name: path.read_bytes() for path in stored.iterdir() if not path.name.startswith(".")} == {
        path.name: path.read_bytes() for path in files
    }
    jobs.cancel(shared.service.store, made.job_id, "test")


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_axe_finds_nothing_on_any_state(
    shared: Board, account: Account, browser: Any, width: int, scheme: str, tmp_path: Path
) -> None:
    store = shared.service.store
    queued = shared.submit(account, answers(ROWS, f"axe {width}"), name="a long name " * 10).json()["id"]
    at_work = shared.submit(
        account, answers(ROWS, f"axe work {width}"), name="at work", url="https://example.org/"
    ).json()["id"]
    taken = jobs.claim(store, "worker", 600)
    assert taken is not None
    jobs.advance(store, taken.job_id, taken.attempt, "scoring")
    jobs.heartbeat(
        store, taken.job_id, taken.attempt, 600, Progress(step="scoring", task="totto", rows_done=2, rows_total=7)
    )
    jobs.seen(store, "worker", taken.job_id)
    context = browser.new_context(
        base_url=shared.served.address,
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        bypass_csp=True,
        java_script_enabled=True,
    )
    raw = sign_ins.sign_in(store, account.user.user_id, 900)
    context.add_cookies([{"name": "grue", "value": raw, "url": shared.served.address}])
    page = context.new_page()

    for address in (
        "/submit",
        "/submit?kind=run",
        "/submit?kind=model",
        "/queue",
        f"/submissions/{queued}",
        f"/submissions/{at_work}",
    ):
        page.goto(address)
        assert_axe_finds_nothing(page, address)
    page.goto("/submit")
    page.get_by_label("Name on the board").fill("for axe")
    for name, content, there in (
        ("bad.jsonl", b"{\n" * 3, "[role=alert] h2"),
        ("good.jsonl", answers(ROWS), "form.confirm"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        page.locator("#file").set_input_files(path)
        page.locator("form.submitting button").click()
        page.locator(there).wait_for()
        assert_axe_finds_nothing(page, name)
    context.close()
    for one in jobs.queue(store).jobs:
        jobs.cancel(store, one.job.job_id, "test")


def write_checkpoint(folder: Path) -> list[Path]:
    """The files of the small checkpoint inside the package."""
    source = Path(str(resources.files("grue.engine") / "demo" / "causal"))
    folder.mkdir()
    kept = [path for path in sorted(source.iterdir()) if is_allowed(path.name)]
    for path in kept:
        (folder / path.name).write_bytes(path.read_bytes())
    return [folder / path.name for path in kept]
