"""What SacreBLEU's three metrics share: statistics a row, reference work done once, the library's signature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from grue.core.metric import Floats, Texts


def row_statistics(library: Any, texts: Texts, key: str, width: int) -> Floats:
    """Statistics of each prediction by the library's own segment function, shape (n, width).

    Rows may differ in their number of references; each needs at least one. References are prepared once for all
    predictions that share them.

    Args:
        library: A ``sacrebleu.metrics`` object.
        texts: Predictions with references.
        key: Names the settings that the prepared references depend on.
        width: Number of statistics.
    """
    prepared: dict[tuple[str, ...], Any] = texts.derived(("sacrebleu references", key), dict)
    out = np.empty((len(texts), width))
    for index, (prediction, references) in enumerate(zip(texts.predictions, texts.references, strict=True)):
        wanted = tuple(references)
        if wanted not in prepared:
            prepared[wanted] = _prepare(library, wanted)
        hypothesis = library._preprocess_segment(prediction)
        out[index] = library._compute_segment_statistics(hypothesis, prepared[wanted])
    return out


def library_signature(library: Any) -> str:
    """SacreBLEU's own signature; ``nrefs:var`` says that a row has as many references as its data give."""
    library.num_refs = -1
    return str(library.get_signature().format())


def _prepare(library: Any, references: Sequence[str]) -> Any:
    return library._extract_reference_info([library._preprocess_segment(text) for text in references])
