"""How -g is read and laid over a task's settings."""

from __future__ import annotations

import pytest

from grue.core.decoding import Decoding, override, parse_overrides
from grue.core.errors import UsageError

SAMPLING = Decoding(max_new_tokens=48, do_sample=True, top_k=50)
BEAM = Decoding(max_new_tokens=20, min_new_tokens=5, num_beams=5, length_penalty=0.6)


def test_values_are_read_with_their_types() -> None:
    assert parse_overrides("max_new_tokens=7, top-p=0.9,do_sample=TRUE,stop=###") == {
        "max_new_tokens": 7,
        "top_p": 0.9,
        "do_sample": True,
        "stop": ["###"],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("num_beam=3", "Did you mean 'num_beams'?"),
        ("max_new_tokens", "has no value"),
        ("max_new_tokens=ten", "not a whole number"),
        ("temperature=nan", "not a number"),
        ("do_sample=yes", "not true or false"),
    ],
)
def test_a_faulty_override_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_overrides(text)
    assert message in caught.value.cause
    assert caught.value.fix


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"max_new_tokens": 0}, "max_new_tokens=0"),
        ({"temperature": -1.0}, "temperature=-1.0"),
        ({"top_p": 1.5}, "top_p=1.5"),
        ({"num_beams": 4, "do_sample": True}, "num_beams=4"),
    ],
)
def test_a_value_out_of_range_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        override(SAMPLING, values)  # type: ignore[arg-type]


def test_a_temperature_alone_means_sampling_and_drops_the_beams() -> None:
    assert override(BEAM, {"temperature": 0.7}) == Decoding(
        max_new_tokens=20, min_new_tokens=5, do_sample=True, temperature=0.7
    )


def test_temperature_zero_means_greedy() -> None:
    assert override(SAMPLING, {"temperature": 0}) == Decoding(max_new_tokens=48)


def test_switching_sampling_off_drops_its_settings() -> None:
    assert override(SAMPLING, {"do_sample": False}) == Decoding(max_new_tokens=48)


def test_greedy_decoding_keeps_only_lengths() -> None:
    assert override(BEAM, {}, greedy=True) == Decoding(max_new_tokens=20, min_new_tokens=5)


def test_a_smaller_length_limit_lowers_the_task_minimum() -> None:
    assert override(BEAM, {"max_new_tokens": 3}).min_new_tokens == 3
