"""Ends the process of a command without taking the interpreter apart."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """End the process, after all that asked to run at its end.

    With torch and transformers loaded, tearing down modules that the system frees anyway takes as long as a small
    model needs for a hundred tokens.
    """
    others = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    if "torch" not in sys.modules or any(not thread.daemon for thread in others):
        sys.exit(code)
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        # Nobody reads any more; the interpreter knows how to end then.
        sys.exit(code)
    os._exit(code)
