"""Whether the Hugging Face hub answers: asked once a process, for at most five seconds, for rows and models alike."""

from __future__ import annotations

import threading

PROBE_SECONDS = 5.0
# Endpoint -> why it is not asked again in this process; "" where it answered.
_probed: dict[str, str] = {}
_offline: list[str] = []


def unreachable() -> str:
    """Why the hub is not asked, empty where it answers."""
    if _offline:
        return _offline[0]
    endpoint = _endpoint()
    if endpoint not in _probed:
        _probed[endpoint] = _probe(endpoint)
    return _probed[endpoint]


def is_given_up() -> bool:
    """Whether this process knows already that the hub is not to be asked; asks nothing."""
    return bool(_offline) or any(_probed.values())


def set_offline(offline: bool) -> None:
    """Ask the hub nothing, or again as it answers: what the current call wants."""
    _offline[:] = ["--offline is set"] if offline else []


def give_up(reason: str) -> None:
    """Ask the hub no more in this process, after a request that failed for this reason."""
    _probed[_endpoint()] = reason


def _probe(endpoint: str) -> str:
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return "--offline or HF_HUB_OFFLINE=1 is set"
    outcome = [f"no answer within {PROBE_SECONDS:g} s"]

    def ask() -> None:
        from huggingface_hub import get_session

        try:
            # Any answer at all shows that the hub is there; what it says is judged file by file.
            get_session().head(endpoint, timeout=PROBE_SECONDS)
            outcome[0] = ""
        except network_errors() as error:
            outcome[0] = str(error) or type(error).__name__

    # Name look-up has no time limit of its own, so the question is asked beside this thread.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PROBE_SECONDS)
    return outcome[0]


def network_errors() -> tuple[type[BaseException], ...]:
    """What a broken download raises: the HTTP client's errors are no ``OSError``, the fast transfer's are plain."""
    from huggingface_hub.utils import _http

    client = getattr(_http, "httpx2", None) or getattr(_http, "httpx", None)
    return (OSError, ValueError, RuntimeError, *filter(None, [getattr(client, "HTTPError", None)]))


def _endpoint() -> str:
    from huggingface_hub import constants

    return str(constants.ENDPOINT)
