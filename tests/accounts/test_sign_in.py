"""Signing in by name and password: no names given away, no way past the limits, no way to another site."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard_site.accounts import passwords
from leaderboard_site.accounts.paths import logged_path, own_path
from tests.accounts.people import PASSWORD, Place

HOSTILE = [
    "https://evil.example/",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    "http:evil.example",
    "javascript:alert(1)",
    "evil.example",
    "/" + "x" * 5000,
    "",
]


def signed_in(client: httpx.Client, name: str = "sam", password: str = PASSWORD, **more: str) -> httpx.Response:
    return client.post("/signin", data={"name": name, "password": password, **more})


def test_the_right_password_leads_on(shared: Place) -> None:
    answer = signed_in(shared.browser(), next="/runs/x?a=b&c=d")
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs/x?a=b&c=d")


def test_case_of_the_name_does_not_matter(shared: Place) -> None:
    assert signed_in(shared.browser(), "SAM").status_code == 303


def test_a_password_may_begin_with_a_blank_and_hold_any_letters(opened: Callable[..., Place]) -> None:
    from grue.store.service import users

    place = opened()
    secret = " größer als 8 \U0001f600 & more=1"
    users.set_password_hash(place.service.store, place.people["sam"].user_id, passwords.hash_password(secret))
    assert signed_in(place.browser(), password=secret).status_code == 303
    assert signed_in(place.browser(), password=secret.strip()).status_code == 401


def test_unknown_disabled_and_wrong_answers_are_the_same(opened: Callable[..., Place]) -> None:
    from grue.store.service import users

    place = opened()
    users.create_user(place.service.store, "tina", "submitter")
    users.set_disabled(place.service.store, place.people["dora"].user_id, True)
    tries = [("sam", "wrong password"), ("nobody", PASSWORD), ("dora", PASSWORD), ("tina", PASSWORD)]
    answers = [signed_in(place.browser(), name, password) for name, password in tries]
    assert {answer.status_code for answer in answers} == {401}
    texts = {answer.text.replace(f'value="{name}"', "") for answer, (name, _) in zip(answers, tries, strict=True)}
    assert len(texts) == 1
    assert "Name or password is wrong." in texts.pop()
    assert all("set-cookie" not in answer.headers for answer in answers)


def test_every_try_hashes_once_whoever_it_is(shared: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    check = passwords._HASHER.verify

    def counted(kept: str, text: str) -> bool:
        hashed.append(kept.rpartition("$")[0].rpartition("$")[0])  # version and parameters
        return check(kept, text)

    monkeypatch.setattr(passwords, "_HASHER", type("Counted", (), {"verify": staticmethod(counted)}))
    for name in ("sam", "nobody", "x" * 60):
        signed_in(shared.browser(), name, "wrong password")
    assert len(hashed) == 3
    assert len(set(hashed)) == 1


def test_what_was_typed_comes_back_escaped_and_the_password_never(shared: Place) -> None:
    answer = signed_in(shared.browser(), '"><script>alert(1)</script>', "my secret password")
    assert "<script>alert" not in answer.text
    assert "my secret password" not in answer.text


@pytest.mark.parametrize("path", HOSTILE)
def test_it_never_leads_to_another_site(shared: Place, path: str) -> None:
    assert signed_in(shared.browser(), next=path).headers["location"] == "/account"
    assert shared.browser("sam").get("/signin", params={"next": path}).headers["location"] == "/account"
    assert 'name="next" value="/account"' in shared.browser().get("/signin", params={"next": path}).text


@given(st.text(alphabet=st.sampled_from("/\\.:@?#%&=ab \t\r\n\x00é"), max_size=12) | st.text(max_size=20))
def test_an_own_path_is_on_the_own_site_whatever_comes(text: str) -> None:
    path = own_path(text, "/account")
    # As browsers read it: backslashes are slashes, and line ends and tabs are not there.
    read = path.replace("\\", "/").translate({9: None, 10: None, 13: None})
    assert urlsplit(urljoin("https://board.example/signin", read)).netloc == "board.example"
    assert path.startswith("/")
    assert path.isascii()


@pytest.mark.parametrize("path", ["/", "/runs/01JZ?a=1&b=2#c", "/compare?runs=A,B", "/tasks/wmt16", "/?text=%20x"])
def test_an_own_path_stays_as_it_is(path: str) -> None:
    assert own_path(path) == path


def test_too_many_wrong_passwords_wait(opened: Callable[..., Place]) -> None:
    place = opened(sign_in_failures="3")
    for _ in range(3):
        assert signed_in(place.browser(), password="wrong password").status_code == 401
    for password in ("wrong password", PASSWORD):
        answer = signed_in(place.browser(), "SAM", password)
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 300
    # Somebody else behind the same address gets in, and so does a name that is nobody's get its own count.
    assert signed_in(place.browser(), "olga").status_code == 303
    assert signed_in(place.browser(), "nobody", "wrong password").status_code == 401


def test_a_name_that_nobody_has_is_counted_the_same(opened: Callable[..., Place]) -> None:
    place = opened(sign_in_failures="2")
    statuses = [signed_in(place.browser(), "nobody", "wrong password").status_code for _ in range(3)]
    assert statuses == [401, 401, 429]


def test_one_address_cannot_go_through_names(opened: Callable[..., Place]) -> None:
    place = opened(sign_in_failures="2")  # and eight for an address
    statuses = [signed_in(place.browser(), f"name-{number}", "wrong password").status_code for number in range(10)]
    assert statuses == [401] * 8 + [429] * 2


def test_right_passwords_are_not_counted(opened: Callable[..., Place]) -> None:
    place = opened(sign_in_failures="2")
    assert [signed_in(place.browser()).status_code for _ in range(12)] == [303] * 12


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"", "application/x-www-form-urlencoded", 401),
        (b"\xff\xfe%zz=%ff&&&=", "application/x-www-form-urlencoded", 401),
        (b"name=a%00b&password=x", "application/x-www-form-urlencoded", 401),
        (b"name=" + b"x" * 70_000, "application/x-www-form-urlencoded", 413),
        (b"a=1&" * 1000, "application/x-www-form-urlencoded", 413),
        (b'{"name": "sam"}', "application/json", 415),
        (b"--x\r\n", "multipart/form-data; boundary=x", 415),
    ],
)
def test_a_form_that_is_none_is_refused(shared: Place, content: bytes, kind: str, status: int) -> None:
    answer = shared.browser().post("/signin", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status


def test_a_flood_of_sign_ins_leaves_threads_for_the_rest(shared: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    held, released = threading.Semaphore(0), threading.Event()

    def slow(*_: object) -> bool:
        held.release()
        return released.wait(60)

    monkeypatch.setattr(passwords, "_HASHER", type("Slow", (), {"verify": staticmethod(slow)}))
    clients = [shared.browser() for _ in range(24)]
    with ThreadPoolExecutor(24) as pool:
        tries = [pool.submit(signed_in, client) for client in clients]
        for _ in range(4):
            assert held.acquire(timeout=60)
        refused = [one.result() for one in islice(as_completed(tries), 8)]
        assert {answer.status_code for answer in refused} == {503}
        assert {answer.headers["retry-after"] for answer in refused} == {"3"}
        assert shared.browser().get("/signin").status_code == 200
        released.set()
        assert sorted(one.result().status_code for one in tries) == [303] * 16 + [503] * 8


def test_a_log_holds_no_invite() -> None:
    assert logged_path("/invites/abc_DEF-123") == "/invites/…"
    assert logged_path("/invites/abc/more") == "/invites/…/more"
    assert logged_path("/runs/abc") == "/runs/abc"


@pytest.mark.parametrize("text", ["", "1234567", "x" * 201])
def test_a_password_too_short_or_too_long_is_refused(text: str) -> None:
    from grue.core.errors import UsageError

    with pytest.raises(UsageError, match="8 to 200 characters"):
        passwords.hash_password(text)


def test_a_hash_is_argon2id_and_salted() -> None:
    one, two = passwords.hash_password(PASSWORD), passwords.hash_password(PASSWORD)
    assert one != two
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.check_password(one, PASSWORD)
    assert not passwords.check_password(one, PASSWORD + "x")
    assert not passwords.check_password(None, PASSWORD)
    assert not passwords.check_password("not a hash", PASSWORD)


def test_the_same_letters_from_two_keyboards_are_one_password() -> None:
    assert passwords.check_password(passwords.hash_password("cafe\u0301 noir"), "caf\u00e9 noir")
