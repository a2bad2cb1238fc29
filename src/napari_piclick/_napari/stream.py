"""The stream: work beside the questions that gives result after result, and can be stopped."""

from __future__ import annotations

from time import sleep
from typing import TYPE_CHECKING, Any, Protocol

from qtpy.QtCore import QThreadPool
from superqt.utils import create_worker

from napari_piclick._napari.failure import Failure, guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    Work = Callable[[], Iterator[Any]]

#: After each result others get their turn at the model, in seconds.
TURN = 0.002
#: So long a window that is closed waits for work to end, in milliseconds.
PATIENCE = 5000


class Worker(Protocol):
    """What is needed of `Stream`."""

    def run(
        self,
        work: Callable[[], Iterator[Any]],
        result: Callable[[Any], None],
        end: Callable[[str], None],
    ) -> None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...


class Stream:
    """Runs one generator at a time in a worker thread; its results come in the main thread."""

    def __init__(self) -> None:
        # superqt's workers: napari's window keeps its own for ever, and with them every model
        self._worker: Any = None
        self._last: Any = None

    def run(
        self,
        work: Work,
        result: Callable[[Any], None],
        end: Callable[[str], None],
    ) -> None:
        """Start work, instead of any that runs.

        Parameters
        ----------
        work : callable
            Makes the generator, in the worker.
        result : callable
            Called with each result.
        end : callable
            Called when it is over: with nothing, or a sentence that says what went wrong. It is
            not called after `stop`.
        """
        self.stop()
        worker: Any = create_worker(
            guarded, lambda: _paced(work), _start_thread=False, _ignore_errors=True
        )

        def alive() -> bool:
            return self._worker is worker

        def on_returned(result: Failure | None) -> None:
            if alive():
                self._worker = None
                end("" if result is None else result.sentence)

        def on_finished() -> None:
            if self._last is worker:
                self._last = None

        worker.yielded.connect(lambda value: result(value) if alive() else None)
        worker.returned.connect(on_returned)
        worker.finished.connect(on_finished)
        self._worker = self._last = worker
        worker.start()

    def stop(self) -> None:
        """Stop the work: no result comes any more."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.quit()

    def close(self) -> None:
        """Stop, and wait a moment for the work to end: its thread must not outlive the window."""
        self.stop()
        threads = QThreadPool.globalInstance()
        if self._last is not None and self._last.is_running and threads is not None:
            threads.waitForDone(PATIENCE)


def _paced(work: Work) -> Generator[Any, None, None]:
    """Do the work, and let others have their turn after each result."""
    for value in work():
        yield value
        sleep(TURN)
