"""The parts of the endpoint engine: addresses and keys, answers, request bodies, judging statuses, pace."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grue.core.decoding import Decoding
from grue.core.errors import CheckpointError, UsageError
from grue.core.run import EndpointInfo, ModelInfo
from grue.engine.endpoint import faults
from grue.engine.endpoint.address import Key, read_address, read_key
from grue.engine.endpoint.answer import Answer, MalformedError, error_message, read_answer
from grue.engine.endpoint.coroutine_thread import CoroutineThread
from grue.engine.endpoint.faults import Fault, RowRefusedError, asked_wait, raise_for, wait_before
from grue.engine.endpoint.pace import Pace
from grue.engine.endpoint.payload import draw_seed, refuse_what_cannot_be_done, request_body
from grue.runs.identity import run_identity

ADDRESS = read_address("http://127.0.0.1:8000/v1")
GREEDY = Decoding(max_new_tokens=20)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "message", "content", "text", "usage", "finish_reason", "prompt_tokens", "error"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "shown", "root", "is_local"),
    [
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1", "http://127.0.0.1:8000", True),
        (" HTTP://LocalHost:80/v1/ ", "http://localhost/v1", "http://localhost", True),
        ("https://api.openai.com:443/v1", "https://api.openai.com/v1", "https://api.openai.com", False),
        ("http://[::1]:8080", "http://[::1]:8080", "http://[::1]:8080", True),
        ("https://a.b/x/openai", "https://a.b/x/openai", "https://a.b/x/openai", False),
    ],
)
def test_address_has_one_spelling(text, shown, root, is_local):
    address = read_address(text)
    assert (str(address), address.root, address.is_local) == (shown, root, is_local)
    assert read_address(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        None, "", "  ", "127.0.0.1:8000/v1", "ftp://a/v1", "http://", "http://a:b/v1", "http://a:99999/v1",
        "http://a b/v1", "http://a\n/v1", "http://[::1/v1", "//a/v1",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(text):
    with pytest.raises(UsageError):
        read_address(text)


@given(
    st.sampled_from(["{}://me:{}@host/v1", "{}://{}@host/v1", "{}://host/v1?api_key={}", "{}://host/v1#{}", "{}:{}@x"])
)
def test_refused_address_is_not_repeated_where_it_holds_a_secret(form):
    with pytest.raises(UsageError) as caught:
        read_address(form.format("https", "s3cr3t-s3cr3t"))
    assert "s3cr3t" not in str(caught.value)


def test_key_is_read_from_the_environment_and_never_shown():
    key = read_key({"OPENAI_API_KEY": " sk-0123456789 \n"})
    assert key.headers() == {"Authorization": "Bearer sk-0123456789"}
    assert "0123" not in repr(key) + str(key)
    assert key.hide("no sk-0123456789 here") == "no [key] here"
    assert read_key({}).headers() == {}
    # One letter is no secret, and hiding it would garble every message.
    assert Key("x").hide("axe") == "axe"
    with pytest.raises(UsageError) as caught:
        read_key({"OPENAI_API_KEY": "sk-01\n23"})
    assert "sk-01" not in str(caught.value)


def chat(**changes: object) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}
    return json.dumps(
        {"choices": [{**choice, **changes}], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}
    ).encode()


def test_answer_is_read():
    expected = Answer(
        text="Hi.",
        finish_reason="stop",
        prompt_tokens=3,
        generated_tokens=2,
        is_filtered=False,
        model=None,
        fingerprint=None,
    )
    assert read_answer(chat(), is_chat=True, max_new_tokens=9) == expected
    plain = b'{"choices": [{"text": "Hi.", "finish_reason": "length"}], "model": "m", "system_fingerprint": "fp"}'
    read = read_answer(plain, is_chat=False, max_new_tokens=9)
    assert (read.text, read.finish_reason, read.prompt_tokens) == ("Hi.", "length", None)
    assert (read.model, read.fingerprint) == ("m", "fp")


@pytest.mark.parametrize(
    ("changes", "text", "reason"),
    [
        ({"finish_reason": "content_filter", "message": {"content": None}}, "", "stop"),
        ({"finish_reason": "length"}, "Hi.", "length"),
        ({"finish_reason": None}, "Hi.", "stop"),
        ({"finish_reason": 5}, "Hi.", "stop"),
        ({"message": {"content": "a\ud83d"}}, "a\ufffd", "stop"),
    ],
)
def test_odd_answers_that_can_be_read(changes, text, reason):
    read = read_answer(chat(**changes), is_chat=True, max_new_tokens=9)
    assert (read.text, read.finish_reason) == (text, reason)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"null", b"[]", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"choices": []}', b'{"choices": {}}',
        b'{"choices": [7]}', chat(message=None), chat(message={}), chat(message={"content": 7}), chat()[:-9],
        b'{"choices": [{"text": "plain"}]}', b'{"choices": ' + b"9" * 5000 + b"}",
    ],
)  # fmt: skip
def test_faulty_answers_are_malformed(body):
    with pytest.raises(MalformedError):
        read_answer(body, is_chat=True, max_new_tokens=9)


@given(anything, st.booleans())
def test_reading_an_answer_gives_one_or_says_what_is_wrong(document, is_chat):
    body = json.dumps(document).encode()
    error_message(body)
    try:
        read = read_answer(body, is_chat=is_chat, max_new_tokens=9)
    except MalformedError:
        return
    read.text.encode()
    assert read.finish_reason in ("stop", "length")
    assert read.prompt_tokens is None or read.prompt_tokens >= 0


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"message": "too long\\nsecond line"}}', "too long"),
        (b'{"error": "busy"}', "busy"),
        (b'{"detail": "not here"}', "not here"),
        (b'{"object": "error", "message": "bad"}', "bad"),
        (b"<html>\n<h1>502</h1>", "<html>"),
        (b"", ""),
        (b"\x1b[31mred", " [31mred"),
        (b"x" * 9000, "x" * 200),
    ],
)
def test_errors_are_told_in_a_line(body, said):
    assert error_message(body) == said


def judge(status: int, body: bytes = b'{"error": {"message": "why"}}', **headers: str) -> None:
    raise_for(status, headers, body, address=ADDRESS, key=Key("sk-0123456789"))


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
def test_statuses_worth_asking_again(status):
    with pytest.raises(Fault, match="why") as caught:
        judge(status)
    assert caught.value.is_rate_limit == (status == 429)


@pytest.mark.parametrize("status", [301, 302, 307, 308, 401, 403, 404, 405, 410])
def test_statuses_that_end_a_task(status):
    with pytest.raises(CheckpointError) as caught:
        judge(status, location="https://me:pw@else.where/x?key=1")
    assert str(status) in caught.value.cause
    assert caught.value.fix
    assert "pw" not in caught.value.cause
    assert ("else.where" in caught.value.cause) == (status < 400)


@pytest.mark.parametrize("status", [400, 402, 413, 418, 422, 451])
def test_statuses_that_fail_a_row(status):
    with pytest.raises(RowRefusedError, match="why"):
        judge(status)


def test_success_is_no_fault_and_waits_are_read():
    judge(200)
    with pytest.raises(Fault) as caught:
        judge(429, **{"retry-after": "7"})
    assert caught.value.wait_seconds == 7
    with pytest.raises(Fault) as caught:
        judge(503, **{"retry-after": "7"})
    assert caught.value.is_rate_limit
    with pytest.raises(CheckpointError, match="9000 s"):
        judge(429, **{"retry-after": "9000"})
    with pytest.raises(CheckpointError, match="no credit"):
        judge(429, b'{"error": {"message": "why", "code": "insufficient_quota"}}')


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None), ("3", 3.0), ("0.5", 0.5), ("-4", 0.0), ("soon", None), ("nan", None), ("", None),
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30.0), ("Wed, 21 Oct 2026 07:27:00 GMT", 0.0),
    ],
)  # fmt: skip
def test_retry_after_is_a_number_or_a_date(text, seconds):
    assert asked_wait(text, datetime(2026, 10, 21, 7, 28, 0, tzinfo=UTC)) == seconds


@given(st.integers(1, 60), st.none() | st.floats(0, 600))
def test_waits_double_up_to_a_bound_and_never_fall_short_of_what_is_asked(attempt, asked):
    wait = wait_before(attempt, asked)
    if asked is None:
        bound = min(faults.LONGEST_WAIT_SECONDS, faults.FIRST_WAIT_SECONDS * 2 ** (attempt - 1))
        assert bound / 2 <= wait <= bound
    else:
        assert asked <= wait <= 1.1 * asked


def body(decoding: Decoding, *, is_chat: bool = False, server: str | None = None) -> dict[str, object]:
    return request_body("P", decoding, model="m", is_chat=is_chat, limit_name="max_tokens", seed=5, server=server)


def test_bodies_say_the_decoding_and_nothing_else():
    assert body(GREEDY) == {"model": "m", "prompt": "P", "max_tokens": 20, "temperature": 0, "top_p": 1}
    sampled = replace(GREEDY, do_sample=True, temperature=0.7, top_p=0.9, stop=tuple("abcdef"))
    assert body(sampled, is_chat=True) == {
        "model": "m", "messages": [{"role": "user", "content": "P"}], "max_tokens": 20, "temperature": 0.7,
        "top_p": 0.9, "seed": 5, "stop": ["a", "b", "c", "d"],
    }  # fmt: skip
    # Servers with defaults of their own are told otherwise.
    vllm = {"top_k": -1, "min_p": 0, "min_tokens": 0, "repetition_penalty": 1.0}
    assert body(GREEDY, server="vllm") == {**body(GREEDY), **vllm}
    assert body(GREEDY, server="llamacpp") == {**body(GREEDY), "top_k": 0, "min_p": 0, "repeat_penalty": 1}


@pytest.mark.parametrize(
    ("changes", "known_to", "flag"),
    [
        ({"num_beams": 4}, (), "--decoding greedy"),
        ({"min_new_tokens": 3}, ("vllm",), "min_new_tokens=0"),
        ({"repetition_penalty": 1.2}, ("vllm",), "repetition_penalty=1"),
        ({"no_repeat_ngram_size": 3}, (), "no_repeat_ngram_size=0"),
        ({"do_sample": True, "top_k": 50}, ("vllm", "llamacpp"), "top_k=0"),
        ({"do_sample": True, "top_p": 0.5}, (None, "vllm", "llamacpp"), ""),
    ],
)
def test_settings_that_would_be_dropped_are_refused(changes, known_to, flag):
    for server in (None, "vllm", "llamacpp"):
        if server in known_to:
            refuse_what_cannot_be_done(replace(GREEDY, **changes), server)
        else:
            with pytest.raises(UsageError) as caught:
                refuse_what_cannot_be_done(replace(GREEDY, **changes), server)
            assert flag in caught.value.fix
            assert next(iter(changes)) in caught.value.cause or "top_k" in changes


@given(st.integers(0, 2**32), st.text(max_size=8), st.integers(0, 5))
def test_seeds_fit_all_servers_and_differ_from_draw_to_draw(seed, row, sample):
    drawn = draw_seed(seed, row, sample)
    assert 0 <= drawn < 2**31
    assert drawn == draw_seed(seed, row, sample)
    assert len({draw_seed(seed, row, other) for other in range(20)}) == 20


def test_identity_is_of_address_name_and_version():
    endpoint = EndpointInfo(address="http://a/v1", model="m", server="vllm 1")
    info = ModelInfo(name="m", source="openai:m", kind="endpoint", engine="openai", endpoint=endpoint)
    base = run_identity(info, {}, 0)
    assert run_identity(replace(info, name="other", meta={"a": "b"}), {}, 0) == base
    for change in ({"address": "http://b/v1"}, {"model": "n"}, {"server": "vllm 2"}, {"server": None}):
        assert run_identity(replace(info, endpoint=replace(endpoint, **change)), {}, 0) != base


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.lists(st.booleans(), max_size=30))
def test_pace_keeps_its_bound_between_one_and_the_most(most, outcomes):
    async def run() -> None:
        pace = Pace(most)
        seen = []

        async def one(goes_well: bool) -> None:
            async with pace.turn() as began:
                seen.append(pace.under_way)
                await asyncio.sleep(0)
            if goes_well:
                pace.went_well()
            else:
                pace.slow_down(began, 0.0)
            assert 1 <= pace.limit <= most

        await asyncio.gather(*map(one, outcomes))
        assert all(1 <= n <= most for n in seen)
        assert len(seen) == len(outcomes)
        assert pace.under_way == 0

    asyncio.run(run())


def test_one_burst_of_refusals_halves_the_bound_once():
    async def run() -> None:
        pace = Pace(16)
        turns = [pace.turn() for _ in range(4)]
        began = [await turn.__aenter__() for turn in turns]
        assert [pace.slow_down(at, 0.0) for at in began] == [True, False, False, False]
        assert pace.limit == 8
        for turn in turns:
            await turn.__aexit__(None, None, None)
        async with pace.turn() as later:
            assert pace.slow_down(later, 0.0)
        assert pace.limit == 4
        for _ in range(200):
            pace.went_well()
        assert pace.limit == 16

    asyncio.run(run())


def test_background_works_inside_a_running_loop_and_hands_errors_over():
    async def answer() -> int:
        await asyncio.sleep(0)
        return 7

    async def fail() -> int:
        raise UsageError("no")

    async def caller() -> int:
        return CoroutineThread(answer).result()

    assert asyncio.run(caller()) == 7
    with pytest.raises(UsageError, match="no"):
        CoroutineThread(fail).result()
