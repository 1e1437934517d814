"""Any metric of Hugging Face evaluate, as ``evaluate:NAME_OR_PATH``: a hub name or the path of a local script.

The script runs with its defaults on all texts at once, so there are no values a row and no interval. It gets
``predictions``, ``references`` (lists of texts where it takes lists, else each row's first reference) and whatever
else it asks for that the rows' inputs hold under the same name (``sources`` is read from ``source``). Where it
answers several keys, the value is the one named by ``--set evaluate.key=…``, else the one that is named like the
script, else ``score``, else ``f1``, else the only number among them.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

from grue.core import reach
from grue.core.errors import MetricUnavailableError
from grue.core.metric import Digests, Texts
from grue.core.task import Setting
from grue.core.text import Json


@dataclass(frozen=True)
class HfEvaluate:
    """A loaded script; it is found again by its name in another process.

    Attributes:
        script: Hub name or path.
        key: Key of the answer that is the value; empty for the rule above.
        needs_references: Whether the script asks for references.
    """

    name: str
    script: str
    key: str
    needs_references: bool
    scale: float | None = None
    higher_is_better: bool | None = None
    no_interval: str = "no interval: a metric of Hugging Face evaluate gives one value of all texts"
    kind: ClassVar[str] = "corpus"

    def signature(self) -> str:
        """The script's name and the hash of its source, the key, and the library's version."""
        source = inspect.getsourcefile(type(_load(self.script)))
        digest = hashlib.sha256(Path(source).read_bytes() if source else b"").hexdigest()[:16]
        key = self.key or "auto-v1"
        return f"evaluate:{_short(self.script)}|key:{key}|script:{digest}|impl:evaluate-{version('evaluate')}|v:1"

    @property
    def digest_key(self) -> str:
        """Every script reads the texts themselves."""
        return "texts"

    def digest(self, texts: Texts) -> list[tuple[str, Sequence[str], Mapping[str, Json]]]:
        """The texts as they are: a script can be asked only once."""
        return list(zip(texts.predictions, texts.references, texts.inputs, strict=True))

    def value(self, digests: Digests) -> float:
        """The script's number for all texts."""
        module = _load(self.script)
        predictions, references, inputs = zip(*digests.items, strict=True) if digests.items else ((), (), ())
        answer = module.compute(**self._arguments(_features(module), Texts(predictions, references, inputs)))
        return self._chosen(answer if isinstance(answer, Mapping) else {})

    def _arguments(self, features: Mapping[str, Any], texts: Texts) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        for key, feature in features.items():
            if key == "predictions":
                arguments[key] = list(texts.predictions)
            elif key == "references":
                takes_lists = not _is_single(feature)
                arguments[key] = [list(row) if takes_lists else row[0] for row in texts.references]
            else:
                wanted = "source" if key == "sources" else key
                arguments[key] = [given.get(wanted) for given in texts.inputs]
                if any(value is None for value in arguments[key]):
                    raise ValueError(f"the script asks for {key!r}, and rows have no input {wanted!r}")
        return arguments

    def _chosen(self, answer: Mapping[str, Any]) -> float:
        numbers = {key: float(value) for key, value in answer.items() if _is_number(value)}
        wanted = (self.key,) if self.key else (_short(self.script), "score", "f1")
        for key in wanted:
            if key in numbers:
                return numbers[key]
        if len(numbers) == 1 and not self.key:
            return next(iter(numbers.values()))
        keys = ", ".join(numbers) or "none"
        raise ValueError(f"the script's answer has these numbers: {keys}; choose one with --set evaluate.key=KEY")


def make(name: str, settings: Mapping[str, Setting | None]) -> HfEvaluate:
    """Load the script once, so that what is missing is known before anything runs.

    Raises:
        MetricUnavailableError: where the script cannot be had or cannot be loaded.
    """
    script = name.partition(":")[2]
    features = _features(_load(script))
    return HfEvaluate(
        name=name, script=script, key=str(settings["key"] or ""), needs_references="references" in features
    )


@lru_cache(maxsize=16)
def _load(script: str) -> Any:
    import evaluate

    is_local = Path(script).exists() or script.endswith(".py")
    if not is_local and reach.unreachable():
        evaluate.config.HF_EVALUATE_OFFLINE = True
    try:
        return evaluate.load(script, keep_in_memory=True)
    except FileNotFoundError as error:
        reason = (
            f"there is no script at {script}"
            if is_local
            else f"evaluate's script {script!r} is neither in the local cache nor to be had from the hub"
        )
        raise MetricUnavailableError(reason) from error
    except Exception as error:
        raise MetricUnavailableError(f"evaluate cannot load {script!r}: {type(error).__name__}: {error}") from error


def _features(module: Any) -> Mapping[str, Any]:
    features = module.features
    if not isinstance(features, list):
        chosen: Mapping[str, Any] = features
        return chosen
    # A script may take one reference or several; the form with lists loses none.
    lists: list[Mapping[str, Any]] = [form for form in features if "references" in form]
    return next((form for form in lists if not _is_single(form["references"])), features[0])


def _is_single(feature: Any) -> bool:
    return type(feature).__name__ == "Value"


def _is_number(value: Any) -> bool:
    # numpy's scalars have `item`; a list of row scores has none or more than one.
    value = value.item() if getattr(value, "shape", None) == () else value
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _short(script: str) -> str:
    return Path(script.rstrip("/")).name.removesuffix(".py")
