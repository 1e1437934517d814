"""A board as its submitters' programs see it: one post a submission, checkpoints in pieces, and the status of both.

A program never posts a submission again by itself: after a broken connection nobody but the board knows whether it
was taken, so the user is told to look there.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from grue.core.errors import SubmissionError, UsageError
from grue.submissions.values import UploadProblem

_TIMEOUT = httpx.Timeout(30.0, read=300.0, write=300.0)
_BLOCK = 1 << 20
_TRIES = 6
_AGAIN_SECONDS = 2.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class RefusedFileError(SubmissionError):
    """The board found errors in the file: the first hundred, and how many there are."""

    def __init__(self, problems: Sequence[UploadProblem], count: int) -> None:
        super().__init__(
            f"The board found {count:,} error{'s' * (count != 1)}.", "Mend the file; nothing was submitted."
        )
        self.problems = tuple(problems)
        self.count = count


class SameContentError(SubmissionError):
    """The board has the same content on its way already."""

    def __init__(self, submission_id: str) -> None:
        super().__init__(f"The same content is on its way already: submission {submission_id}.")
        self.submission_id = submission_id


@dataclass(frozen=True, slots=True)
class Sent:
    """A submission that the board took; ``url`` is its page."""

    submission_id: str
    status: str
    url: str


class BoardClient:
    """Calls of the JSON API of one board; redirects are not followed, so that the token goes nowhere else.

    Args:
        url: Address of the board.
        token: API token with the scopes ``read`` and ``submit``.
        tell: Takes lines about long uploads.
    """

    def __init__(self, url: str, token: str, tell: Callable[[str], None] = lambda _: None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"{url!r} is no address of a board.", "Give --url https://HOST.")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            tell("The address is plain http: the token can be read on the way.")
        self._tell = tell
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._http = httpx.Client(base_url=f"{url.rstrip('/')}/api/v1/", headers=headers, timeout=_TIMEOUT)
        self._url = url

    def __enter__(self) -> BoardClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def submit(self, fields: Mapping[str, str], file: Path | None = None) -> Sent:
        """Submit once; the board checks a file before it takes it.

        Raises:
            RefusedFileError: where the file has errors.
            SameContentError: where the same content is on its way already.
            SubmissionError: where the board refuses it otherwise, or the connection broke.
        """
        try:
            if file is None:
                parts = [(name, (None, value)) for name, value in fields.items()]
                answer = self._http.post("submissions", files=parts)
            else:
                with file.open("rb") as stream:
                    answer = self._http.post("submissions", data=dict(fields), files={"file": (file.name, stream)})
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise self._unreachable(error) from error
        except httpx.HTTPError as error:
            raise SubmissionError(
                f"The connection broke before the board answered: {error or type(error).__name__}.",
                "It may have been taken: look at the board's queue or your account before you submit it again.",
                place=self._url,
            ) from error
        found = _document(answer, self._url)
        if answer.status_code == httpx.codes.CREATED:
            return Sent(str(found["id"]), str(found["status"]), str(found["url"]))
        raise _refusal(answer, found, self._url)

    def status(self, submission_id: str) -> dict[str, Any]:
        """What the board says of a submission.

        Raises:
            SubmissionError: where it says nothing.
        """
        return self._ask("GET", f"submissions/{quote(submission_id, safe='')}")

    def upload(self, folder: Path, names: Sequence[str]) -> str:
        """Send files of a checkpoint in pieces that go on where they stopped; the id of the whole.

        Raises:
            SubmissionError: where the board refuses a file, or does not answer for long.
        """
        checkpoint: str | None = None
        for name in names:
            path = folder / name
            with path.open("rb") as stream:
                sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
            announced = {"name": name, "size": path.stat().st_size, "sha256": sha256, "checkpoint": checkpoint}
            begun = self._ask("POST", "uploads/files", json=announced)
            self._pieces(path, begun)
            if not begun["finished"]:
                self._ask("POST", f"uploads/files/{begun['id']}/finish")
            checkpoint = str(begun["checkpoint"])
        if checkpoint is None:
            raise SubmissionError("There is no file to send.")
        return checkpoint

    def _pieces(self, path: Path, begun: Mapping[str, Any]) -> None:
        address, offset, size = f"uploads/files/{begun['id']}", int(begun["offset"]), int(begun["size"])
        with path.open("rb") as stream:
            while offset < size:
                stream.seek(offset)
                self._tell(f"{path.name}: {offset:,} of {size:,} bytes")
                piece = min(int(begun["piece_bytes"]), size - offset)
                answer = self._ask(
                    "PATCH",
                    address,
                    params={"offset": str(offset)},
                    content=_blocks(stream, piece),
                    headers={"Content-Type": "application/octet-stream", "Content-Length": str(piece)},
                )
                offset = int(answer["offset"])

    def _ask(self, method: str, address: str, **more: Any) -> dict[str, Any]:
        """One call; those that change nothing when they are repeated are, after a broken connection."""
        for attempt in range(_TRIES):
            try:
                answer = self._http.request(method, address, **more)
            except httpx.HTTPError as error:
                if attempt + 1 == _TRIES:
                    raise self._unreachable(error) from error
                time.sleep(_AGAIN_SECONDS * (attempt + 1))
                if method == "PATCH":
                    return self._ask("GET", address)
                continue
            found = _document(answer, self._url)
            if answer.is_success or "offset" in found:
                return found
            raise _refusal(answer, found, self._url)
        raise AssertionError

    def _unreachable(self, error: Exception) -> SubmissionError:
        return SubmissionError(
            f"The board does not answer: {error or type(error).__name__}.", "Check --url.", place=self._url
        )


def _blocks(stream: Any, size: int) -> Iterator[bytes]:
    while size > 0 and (block := stream.read(min(_BLOCK, size))):
        size -= len(block)
        yield block


def _document(answer: httpx.Response, url: str) -> dict[str, Any]:
    try:
        found = json.loads(answer.content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise SubmissionError(
            f"What answers there is no board: status {answer.status_code}.", "Check --url.", place=url
        )
    return found


def _refusal(answer: httpx.Response, found: Mapping[str, Any], url: str) -> SubmissionError:
    errors = found.get("errors")
    if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY and isinstance(errors, list):
        problems = [
            UploadProblem(
                one.get("line"), one.get("id") or one.get("field"), str(one.get("problem")), str(one.get("fix", ""))
            )
            for one in errors
        ]
        return RefusedFileError(problems, int(found.get("error_count", len(problems))))
    if answer.status_code == httpx.codes.CONFLICT and "submission" in found:
        return SameContentError(str(found["submission"]))
    again = answer.headers.get("retry-after")
    wait = f"Try again in {again} s." if again else ""
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        wait = "Set GRUE_TOKEN to a token of your account on this board, with the scopes read and submit."
    detail = " ".join(filter(None, (str(found.get("title", "")).rstrip(".") + ".", str(found.get("detail", "")))))
    return SubmissionError(detail, wait, place=url)
