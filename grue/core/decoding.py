"""How text is drawn from a model, and how a user's ``-g`` overrides a task's own settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace

from grue.core.errors import UsageError
from grue.core.text import Json, nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """Generation settings; ``top_k`` 0 and ``top_p`` 1 mean no cut, lengths count new tokens.

    Attributes:
        max_new_tokens: Upper bound of new tokens, the end token included.
        min_new_tokens: The end token is forbidden before that many new tokens.
        stop: Strings that end a row; the text is cut before the first of them.
    """

    max_new_tokens: int
    min_new_tokens: int = 0
    num_beams: int = 1
    do_sample: bool = False
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    length_penalty: float = 1.0
    no_repeat_ngram_size: int = 0
    repetition_penalty: float = 1.0
    early_stopping: bool = False
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        checks = (
            (self.max_new_tokens >= 1, "max_new_tokens", "at least 1"),
            (0 <= self.min_new_tokens <= self.max_new_tokens, "min_new_tokens", "from 0 to max_new_tokens"),
            (self.num_beams >= 1, "num_beams", "at least 1"),
            (self.temperature > 0, "temperature", "above 0"),
            (self.top_k >= 0, "top_k", "0 (no cut) or more"),
            (0 < self.top_p <= 1, "top_p", "above 0, at most 1"),
            (self.no_repeat_ngram_size >= 0, "no_repeat_ngram_size", "0 (off) or more"),
            (self.repetition_penalty > 0, "repetition_penalty", "above 0"),
            (not (self.do_sample and self.num_beams > 1), "num_beams", "1 when sampling"),
        )
        for holds, key, allowed in checks:
            if not holds:
                raise UsageError(
                    f"Decoding setting {key}={getattr(self, key)} is out of range: it must be {allowed}.",
                    f"Change it with -g {key}=VALUE.",
                )

    def to_json(self) -> dict[str, Json]:
        """All settings, as the manifest stores them."""
        values = asdict(self)
        values["stop"] = list(self.stop)
        return values


_KINDS = {field.name: field.type for field in fields(Decoding)}


def parse_overrides(text: str) -> dict[str, Json]:
    """Read ``-g`` text ``k=v,k=v`` into typed values.

    Raises:
        UsageError: for an unknown key, a missing ``=`` or a value of the wrong type.
    """
    values: dict[str, Json] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        key, equals, raw = part.partition("=")
        key = key.strip().replace("-", "_")
        if key not in _KINDS:
            raise UsageError(
                f"-g: unknown decoding setting {key!r}.{nearest(key, _KINDS)}",
                f"Known settings: {', '.join(_KINDS)}.",
            )
        if not equals:
            raise UsageError(f"-g: {part!r} has no value.", f"Write {key}=VALUE.")
        values[key] = _typed(key, raw.strip())
    return values


def override(decoding: Decoding, overrides: Mapping[str, Json], *, greedy: bool = False) -> Decoding:
    """A task's decoding with the user's settings laid over it.

    A ``temperature`` above 0 without ``do_sample`` means sampling, and 0 means none. Where sampling is asked
    for here, the task's beams go; ``do_sample=false`` drops the task's temperature, top_k and top_p.
    ``greedy`` (``--decoding greedy``) keeps only the task's lengths and stop strings.

    Raises:
        UsageError: for an unknown key or a value out of range.
    """
    wanted = dict(overrides)
    for key in wanted:
        if key not in _KINDS:
            raise UsageError(f"Unknown decoding setting {key!r}.{nearest(key, _KINDS)}", f"Known: {', '.join(_KINDS)}.")
    if "stop" in wanted:
        stop = wanted["stop"]
        wanted["stop"] = (stop,) if isinstance(stop, str) else tuple(stop or ())  # type: ignore[arg-type]
    base = decoding
    if greedy:
        base = Decoding(
            max_new_tokens=decoding.max_new_tokens, min_new_tokens=decoding.min_new_tokens, stop=decoding.stop
        )
    if wanted.get("temperature") == 0:
        del wanted["temperature"]
        wanted.setdefault("do_sample", False)
    elif "temperature" in wanted:
        wanted.setdefault("do_sample", True)
    if wanted.get("do_sample") is False:
        base = replace(base, do_sample=False, temperature=1.0, top_k=0, top_p=1.0)
    if wanted.get("do_sample") is True and base.num_beams > 1:
        base = replace(base, num_beams=1, length_penalty=1.0, early_stopping=False)
    if "max_new_tokens" in wanted and "min_new_tokens" not in wanted:
        limit = wanted["max_new_tokens"]
        if isinstance(limit, int) and 1 <= limit < base.min_new_tokens:
            wanted["min_new_tokens"] = limit
    return replace(base, **wanted)  # type: ignore[arg-type]


def _typed(key: str, raw: str) -> Json:
    kind = str(_KINDS[key])
    try:
        if kind == "bool":
            return {"true": True, "false": False}[raw.lower()]
        if kind == "int":
            return int(raw)
        if kind == "float":
            value = float(raw)
            if value != value or value in (float("inf"), float("-inf")):
                raise ValueError(raw)
            return value
    except (ValueError, KeyError):
        wanted = {"bool": "true or false", "int": "a whole number", "float": "a number"}[kind]
        raise UsageError(f"-g: {key}={raw!r} is not {wanted}.", f"Write {key} as {wanted}.") from None
    return [raw]
