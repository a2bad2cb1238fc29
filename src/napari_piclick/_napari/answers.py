"""The answers: the session's questions go to a worker, and what it says comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from psygnal import Signal

from napari_piclick.session.album import Album
from napari_piclick.session.engine import Engine, EngineOptions

if TYPE_CHECKING:
    import numpy as np
    from psygnal import SignalInstance

    from napari_piclick._napari.stream import Worker as Stream
    from napari_piclick._napari.viewfinder import Viewfinder
    from napari_piclick.session import Prompt, Session
    from napari_piclick.session.engine import Answer, Stage
    from napari_piclick.session.source import Source

DEFAULT_MODEL = "piclick-tiny"
THOROUGH_MODEL = "piclick-tiny:thorough"


class Worker(Protocol):
    """What is needed of `Jobs`."""

    answered: SignalInstance
    failed: SignalInstance
    stage_changed: SignalInstance

    @property
    def device(self) -> str | None: ...
    @property
    def engine(self) -> Engine: ...
    def use(self, engine: Engine) -> None: ...
    def ask(self, prompt: Prompt, source: Source) -> None: ...
    def prepare(self, source: Source) -> None: ...
    def drop(self) -> None: ...
    def beside(self) -> Stream: ...
    def close(self) -> None: ...


class Answers:
    """Has a worker answer the questions of a session, about the plane in view.

    Parameters
    ----------
    session : Session
    view : Viewfinder
    jobs : Worker

    Attributes
    ----------
    model : str
        Its name or path.
    options : EngineOptions
        For models that are yet to be loaded.
    stage : Stage or None
        What the worker is doing.
    received : psygnal.Signal
        Emitted after the session took an answer.
    failed : psygnal.Signal
        Emitted with a sentence when a question could not be answered.
    changed : psygnal.Signal
        Emitted after any other change of what is said here.
    """

    received = Signal()
    failed = Signal(str)
    changed = Signal()

    def __init__(self, session: Session, view: Viewfinder, jobs: Worker) -> None:
        self.model = DEFAULT_MODEL
        self.options = EngineOptions()
        self.stage: Stage | None = None
        self._session = session
        self._view = view
        self._jobs = jobs
        self._album = Album()
        self._asked: Prompt | None = None
        jobs.answered.connect(self._on_answered)
        jobs.failed.connect(self._on_failed)
        jobs.stage_changed.connect(self._on_stage_changed)

    def close(self) -> None:
        """Stop the worker and stop listening."""
        self._jobs.answered.disconnect(self._on_answered)
        self._jobs.failed.disconnect(self._on_failed)
        self._jobs.stage_changed.disconnect(self._on_stage_changed)
        self._jobs.close()

    @property
    def engine(self) -> Engine:
        """The model that answers."""
        return self._jobs.engine

    @property
    def device(self) -> str | None:
        """Where the model runs; None until it is loaded."""
        return self._jobs.device

    @property
    def thumbnails(self) -> np.ndarray | None:
        """(Q, size, size, 4) uint8 pictures of the session's proposals, or None."""
        return self._album.find(self._session.proposals)

    def use(self, model: str) -> None:
        """Take another model, by name or path; it is loaded when it is first needed."""
        if model == self.model:
            return
        self.model = model
        self.reload()

    def reload(self) -> None:
        """Load the model again, as the options now say."""
        self._jobs.use(Engine.named(self.model, self.options))
        self._asked = None
        self.ask()
        self.changed.emit()

    def ask(self) -> None:
        """Have the session's question answered; without one, get ready for the next."""
        source, question = self._view.source, self._session.question
        if source is None:
            return
        if question is None:
            if self._asked is not None:
                self._asked = None
                self._jobs.drop()
            if not self._session.clicks:
                self._jobs.prepare(source)
        elif self._asked is None or not question.same_as(self._asked):
            self._asked = question
            self._jobs.ask(question, source)

    def drop(self) -> None:
        """Let go of every question: no answer will come."""
        self._asked = None
        self._jobs.drop()

    def _on_answered(self, answer: Answer) -> None:
        if answer.thumbnails is not None:  # it was answered before, and now has its pictures
            self._album.put(answer.proposals, answer.thumbnails)
            self.changed.emit()
            return
        if self._asked is not None and answer.prompt.same_as(self._asked):
            self._asked = None
        if self._session.receive(answer.prompt, answer.proposals):
            self.received.emit()

    def _on_failed(self, sentence: str) -> None:
        self.failed.emit(sentence)

    def _on_stage_changed(self, stage: Stage | None) -> None:
        self.stage = stage
        self.changed.emit()
