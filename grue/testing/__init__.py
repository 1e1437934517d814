"""Contract checks for task plugins, also for their authors.

A plugin's own test is one line: ``assert check_task(TASK) == []``.
"""

from __future__ import annotations

from grue.testing.problems import Problem
from grue.testing.tasks import check_task

__all__ = ["Problem", "check_task"]
