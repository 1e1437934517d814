"""From a task's decoding to a request's body: what a server can do is sent, what it cannot is refused."""

from __future__ import annotations

from grue.core.decoding import Decoding
from grue.core.errors import UsageError
from grue.core.text import Json
from grue.engine.null import row_seed

# Servers whose own settings beside OpenAI's are known, by what they write as the owner of their models.
VLLM, LLAMA_CPP = "vllm", "llamacpp"
KNOWN_SERVERS = (VLLM, LLAMA_CPP)
# OpenAI takes four stop strings; the text is cut at all of them here, whatever the server did.
MOST_STOPS = 4
# Servers read seeds into 32 bits, some of them signed.
SEED_BITS = 31


def refuse_what_cannot_be_done(decoding: Decoding, server: str | None) -> None:
    """Look for settings that would be dropped on the way.

    Args:
        decoding: The task's, with the user's settings laid over it.
        server: The program that answers, where it is a known one.

    Raises:
        UsageError: names them all and the flags that leave them out.
    """
    beams, others = decoding.num_beams > 1, _beyond(decoding, server)
    if not beams and not others:
        return
    named = [f"beam search (num_beams={decoding.num_beams})"] if beams else []
    named += [f"{name}={getattr(decoding, name)}" for name in others]
    flags = ["--decoding greedy"] if beams else []
    if others:
        flags.append("-g " + ",".join(f"{name}={_NEUTRAL[name]}" for name in others))
    raise UsageError(
        f"The endpoint's API cannot do {' and '.join(named)}, which the task's decoding asks for.",
        f"Add {' '.join(flags)}.",
    )


def request_body(
    prompt: str, decoding: Decoding, *, model: str, is_chat: bool, limit_name: str, seed: int, server: str | None
) -> dict[str, Json]:
    """The body of one request for one draw.

    Args:
        prompt: The row's prompt, whole.
        decoding: Only what the server can do.
        model: The model's name there.
        is_chat: Whether the server lays its chat template around the prompt.
        limit_name: What the server calls the bound of new tokens.
        seed: The draw's; sent where tokens are drawn.
        server: The program that answers, where it is a known one.
    """
    body: dict[str, Json] = {"model": model}
    if is_chat:
        body["messages"] = [{"role": "user", "content": prompt}]
    else:
        body["prompt"] = prompt
    body[limit_name] = decoding.max_new_tokens
    body["temperature"] = decoding.temperature if decoding.do_sample else 0
    body["top_p"] = decoding.top_p if decoding.do_sample else 1
    if decoding.do_sample:
        body["seed"] = seed
    if decoding.stop:
        body["stop"] = list(decoding.stop[:MOST_STOPS])
    # Where a server takes defaults of its own or of the model's generation_config.json, ours are said outright.
    if server == VLLM:
        body |= {
            "top_k": decoding.top_k or -1,
            "min_p": 0,
            "min_tokens": decoding.min_new_tokens,
            "repetition_penalty": decoding.repetition_penalty,
        }
    elif server == LLAMA_CPP:
        body |= {"top_k": decoding.top_k, "min_p": 0, "repeat_penalty": 1}
    return body


def draw_seed(seed: int, row_id: str, sample: int) -> int:
    """A seed for a server that depends on the run's seed, the row and the draw alone."""
    return row_seed(seed, row_id, sample) >> (128 - SEED_BITS)


_NEUTRAL = {"top_k": 0, "min_new_tokens": 0, "repetition_penalty": 1, "no_repeat_ngram_size": 0}


def _beyond(decoding: Decoding, server: str | None) -> list[str]:
    """Settings in use that this server does not know."""
    used = {
        "top_k": decoding.do_sample and decoding.top_k > 0,
        "min_new_tokens": decoding.min_new_tokens > 0,
        "repetition_penalty": decoding.repetition_penalty != 1,
        "no_repeat_ngram_size": decoding.no_repeat_ngram_size > 0,
    }
    known = {VLLM: ("top_k", "min_new_tokens", "repetition_penalty"), LLAMA_CPP: ("top_k",)}.get(server or "", ())
    return [name for name, is_used in used.items() if is_used and name not in known]
