"""IWSLT 2017: translate sentences of TED talks from English to German.

Data: Cettolo et al. 2017. Origin and licence: card.md.
"""

from __future__ import annotations

from grue.core.task import Task
from grue_tasks import translation
from grue_tasks.iwslt2017.source import SOURCE

TASK = Task(
    name="iwslt2017",
    version=1,
    title="IWSLT 2017 en-de",
    summary="Translate sentences of TED talks from English to German.",
    suite=translation.suite,
    package=__name__,
    quirks=translation.QUIRKS,
    source=SOURCE,
    repeated_ids="number",
    language="de",
    licence="CC BY-NC-ND 4.0 (copyright TED Conferences LLC)",
    shows_texts=False,
    citation=(
        "Mauro Cettolo, Marcello Federico, Luisa Bentivogli, Jan Niehues, Sebastian Stüker, Katsuitho Sudoh, "
        "Koichiro Yoshino, Christian Federmann. Overview of the IWSLT 2017 Evaluation Campaign. IWSLT 2017."
    ),
    homepage="https://huggingface.co/datasets/IWSLT/iwslt2017",
)
