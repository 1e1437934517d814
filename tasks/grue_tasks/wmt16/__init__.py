"""WMT16: translate news sentences from English to German.

Data: Bojar et al. 2016 (WMT). Origin and licence: card.md.
"""

from __future__ import annotations

from grue.core.task import Task
from grue_tasks import translation
from grue_tasks.wmt16.source import SOURCE

TASK = Task(
    name="wmt16",
    version=1,
    title="WMT16 en-de",
    summary="Translate news sentences from English to German.",
    suite=translation.suite,
    package=__name__,
    quirks=translation.QUIRKS,
    source=SOURCE,
    folders=("wmt_news",),
    repeated_ids="number",
    language="de",
    licence="None stated; released for research use, the news texts belong to their publishers.",
    shows_texts=False,
    citation="Ondřej Bojar et al. Findings of the 2016 Conference on Machine Translation. WMT 2016.",
    homepage="https://www.statmt.org/wmt16/translation-task.html",
)
