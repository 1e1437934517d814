"""A model that is loaded when it is asked for, or beforehand in a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable


class Loading:
    """Loads a model and hands it over; keeps none.

    Attributes:
        seconds: How long the last one took; ``None`` before.
    """

    def __init__(self, load: Callable[[], Any]) -> None:
        self._load = load
        self._model: Any = None
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None
        self.seconds: float | None = None

    def start(self) -> None:
        """Begin in a thread; a second call does nothing."""
        if self._thread is None:
            # A process must not end while the library's code runs in a thread: it is waited for.
            self._thread = threading.Thread(target=self._run, name="grue-loading")
            self._thread.start()

    def wait(self) -> None:
        """Return when nothing is being loaded."""
        if self._thread is not None:
            self._thread.join()

    def take(self) -> Any:
        """The model; waits for the thread, or loads here where none was started.

        Raises:
            CheckpointError: where it cannot be loaded.
        """
        if self._thread is None:
            self._run()
        else:
            self._thread.join()
        model, error = self._model, self._error
        self._model = self._error = self._thread = None
        if error is not None:
            raise error
        return model

    def drop(self) -> None:
        """Let go of a model that was loaded beforehand and not taken."""
        if self._thread is not None:
            self._thread.join()
        self._model = self._error = self._thread = None

    def _run(self) -> None:
        begin = time.perf_counter()
        try:
            self._model = self._load()
        except BaseException as error:  # noqa: BLE001 - told to whoever asks for the model
            self._error = error
        self.seconds = time.perf_counter() - begin


@runtime_checkable
class LoadsAhead(Protocol):
    """An engine that can load beside what comes before its first row."""

    loading: Loading

    def load_ahead(self) -> None:
        """Begin to load in a thread where something has to be waited for anyway."""
        ...
