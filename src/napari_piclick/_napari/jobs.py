"""The jobs: one worker at a time off the main thread; the latest question wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import QTimer
from superqt.utils import create_worker

from napari_piclick._napari.failure import Failure, guarded
from napari_piclick._napari.stream import Stream
from napari_piclick.session.engine import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any

    from napari_piclick.session.engine import Engine, Stage
    from napari_piclick.session.prompt import Prompt
    from napari_piclick.session.source import Source

    Steps = Generator[Stage | Answer, None, Answer | None]

#: A plane is encoded ahead once the user has stayed on it for so long, in milliseconds.
PREPARE_AFTER = 250


class Jobs:
    """Has an engine answer questions in a worker thread.

    While one question is being answered only the newest other one waits; the work for an
    older one stops at its next step.

    Parameters
    ----------
    engine : Engine

    Attributes
    ----------
    answered : psygnal.Signal
        Emitted in the main thread with each `Answer`, and again when it has its pictures.
    failed : psygnal.Signal
        Emitted with a sentence when a question could not be answered.
    stage_changed : psygnal.Signal
        Emitted with the `Stage` of the work, or None when there is none.
    """

    answered = Signal(object)
    failed = Signal(str)
    stage_changed = Signal(object)

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # superqt's workers: napari's window keeps its own for ever, and with them every model
        self._worker: Any = None
        self._work: Callable[[], Steps] | None = None
        self._ahead: Source | None = None
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._on_rested)
        self._closed = False
        self._load_ahead()

    @property
    def engine(self) -> Engine:
        """Answers the questions."""
        return self._engine

    @property
    def device(self) -> str | None:
        """Where the model runs; None until it is loaded."""
        return self._engine.device

    def use(self, engine: Engine) -> None:
        """Take another engine; what the old one still answers is dropped."""
        self.drop()
        self._engine = engine
        self._load_ahead()

    def ask(self, prompt: Prompt, source: Source) -> None:
        """Have a question answered, instead of any that waits."""
        self._timer.stop()
        engine = self._engine
        self._start(lambda: engine.answer(prompt, source))

    def prepare(self, source: Source) -> None:
        """Encode a plane ahead, when the user has rested on it for a moment."""
        if not self._closed:
            self._ahead = source
            self._timer.start(PREPARE_AFTER)

    def drop(self) -> None:
        """Let go of every question: no answer will come."""
        self._timer.stop()
        self._work = None
        if self._worker is not None:
            self._worker.quit()

    def beside(self) -> Stream:
        """A thread for work beside the questions."""
        return Stream()

    def close(self) -> None:
        """Stop for good. Work that cannot be stopped ends unheard."""
        self.drop()
        self._closed = True

    def _load_ahead(self) -> None:
        if self._closed:
            return
        worker: Any = create_worker(
            self._engine.load_ahead, _start_thread=False, _ignore_errors=True
        )
        worker.finished.connect(self._on_loaded)
        worker.start()

    def _on_loaded(self) -> None:
        if not self._closed and self._worker is None:
            self.stage_changed.emit(None)  # there is a device to be shown now

    def _on_rested(self) -> None:
        source, engine = self._ahead, self._engine
        if source is not None and self._worker is None:
            self._start(lambda: engine.prepare(source))

    def _start(self, work: Callable[[], Steps]) -> None:
        if self._closed:
            return
        self._work = work
        if self._worker is not None:
            self._worker.quit()
            return
        self._next()

    def _next(self) -> None:
        work, self._work = self._work, None
        if work is None or self._closed:
            self._worker = None
            self.stage_changed.emit(None)
            return
        worker: Any = create_worker(guarded, work, _start_thread=False, _ignore_errors=True)
        worker.yielded.connect(self._on_yielded)
        worker.returned.connect(self._on_returned)
        worker.finished.connect(self._next)
        self._worker = worker
        worker.start()

    def _on_yielded(self, step: Stage | Answer) -> None:
        if isinstance(step, Answer):
            self._on_returned(step)
        else:
            self.stage_changed.emit(step)

    def _on_returned(self, result: Answer | Failure | None) -> None:
        # A worker that was told to quit at its last step returns all the same.
        pictures = isinstance(result, Answer) and result.thumbnails is not None
        if self._closed or (self._worker.abort_requested and not pictures):
            return
        if isinstance(result, Failure):
            self.failed.emit(result.sentence)
        elif result is not None:
            self.answered.emit(result)
