"""A worker that answers at once, or when a test says so, in the test's own thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from napari.components import ViewerModel
from psygnal import Signal

from napari_piclick._napari.controller import Controller
from napari_piclick._napari.world import from_layer
from napari_piclick.session.engine import Answer, Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from tests.conftest import FloodPredictor

    from napari_piclick.session import Prompt
    from napari_piclick.session.source import Source


class PatientStream:
    """Takes work like `Stream`, and does it when told to, in the test's own thread."""

    def __init__(self) -> None:
        self._work: tuple[Any, Callable[[Any], None], Callable[[str], None]] | None = None
        self._results: Iterator[Any] | None = None

    @property
    def waiting(self) -> bool:
        return self._work is not None

    def run(self, work: Any, result: Callable[[Any], None], end: Callable[[str], None]) -> None:
        self._work, self._results = (work, result, end), None

    def stop(self) -> None:
        self._work = self._results = None

    def close(self) -> None:
        self.stop()

    def work(self, most: int = 1_000_000) -> None:
        """Give so many results, or all."""
        for _ in range(most):
            if self._work is None:
                return
            work, result, end = self._work
            if self._results is None:
                self._results = iter(work())
            try:
                value = next(self._results)
            except StopIteration:
                self.stop()
                end("")
            except ValueError as error:
                self.stop()
                end(str(error))
            else:
                result(value)


class PatientJobs:
    """Takes questions like `Jobs`, and answers the newest one when `work` is called."""

    answered = Signal(object)
    failed = Signal(str)
    stage_changed = Signal(object)

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.waiting: tuple[Prompt, Source] | None = None
        self.prepared: list[Source] = []
        self.closed = False
        self.streams: list[PatientStream] = []

    def beside(self) -> PatientStream:
        self.streams.append(PatientStream())
        return self.streams[-1]

    @property
    def device(self) -> str | None:
        return self.engine.device

    def use(self, engine: Engine) -> None:
        self.engine = engine

    def ask(self, prompt: Prompt, source: Source) -> None:
        self.waiting = (prompt, source)

    def prepare(self, source: Source) -> None:
        self.prepared.append(source)

    def drop(self) -> None:
        self.waiting = None

    def close(self) -> None:
        self.closed = True

    def work(self) -> None:
        assert self.waiting is not None, "nothing was asked"
        question, self.waiting = self.waiting, None
        self.answer(*question)

    def answer(self, prompt: Prompt, source: Source) -> None:
        """Answer any question, even one that was given up."""
        steps = self.engine.answer(prompt, source)
        try:
            while True:
                step = next(steps)
                (self.answered if isinstance(step, Answer) else self.stage_changed).emit(step)
        except StopIteration as stop:
            self.answered.emit(stop.value)
        except ValueError as error:
            self.failed.emit(str(error))
        self.stage_changed.emit(None)


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def jobs(predictor: FloodPredictor) -> PatientJobs:
    return PatientJobs(Engine(lambda: predictor))


@pytest.fixture
def open_controller(viewer: ViewerModel, jobs: PatientJobs) -> Callable[[], Controller]:
    return lambda: Controller(viewer, jobs)


def click_at(
    viewer: ViewerModel, position: np.ndarray, button: int = 1, modifiers: tuple[str, ...] = ()
) -> None:
    """Do to the layer of clicks what a click in the canvas does, at a position in the viewer."""
    layer = viewer.layers.selection.active
    event = type("Press", (), {"button": button, "modifiers": modifiers})()
    for callback in list(layer.mouse_drag_callbacks):
        if callback.__name__ != "add":  # napari's own, which needs a real event
            callback(layer, event)
    layer.add(layer.world_to_data(position))


@pytest.fixture
def click(viewer: ViewerModel) -> Callable[..., None]:
    def click(*data: float, layer: object = None, **how: object) -> None:
        image = layer or next(x for x in viewer.layers if x._type_string == "image")
        click_at(viewer, from_layer(image, data, viewer.dims), **how)

    return click
