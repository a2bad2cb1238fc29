"""Fine-tuning from the window: in the background, with progress, stopped at any step."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QWidget

from napari_piclick._qt.fine_tune_panel import FineTunePanel, fine_tuning
from napari_piclick.models.registry import MODELS
from napari_piclick.plane import Plane
from napari_piclick.session.labelled_planes import LabelledPlanes
from napari_piclick.train.fine_tune import FineTuning
from napari_piclick.weights import store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot
    from tests.gui.conftest import Desk

SHAPE = (6, 40, 40)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that weights are kept in."""
    monkeypatch.setenv("PICLICK_WEIGHTS_DIR", str(tmp_path / "weights"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "weights"


@dataclass
class Step:
    step: int
    steps: int


class Measured:
    def __init__(self, *picked: float) -> None:
        self.picked = np.array(picked)


class Run:
    """Takes three steps when it is let, then writes the weights of piclick-tiny."""

    made: list[Run] = []  # noqa: RUF012

    def __init__(self, planes: Any, output: Path, limits: Any) -> None:
        self.planes, self.output, self.limits = planes, output, limits
        self.held_out, self.before, self.after = 1, None, None
        self.gate = threading.Event()
        self.thread = threading.get_ident()
        self.closed = False
        Run.made.append(self)

    def __iter__(self) -> Iterator[Step]:
        try:
            self.before = Measured(0.5, 0.6)
            for step in range(3):
                yield Step(step, 3)
                assert self.gate.wait(30)
            self.after = Measured(0.75, 0.8)
            self.output.write_bytes(MODELS["piclick-tiny"].weights.read_bytes())
            yield Step(3, 3)
        finally:
            self.closed = True


def planes() -> LabelledPlanes:
    labels = np.zeros(SHAPE, np.uint8)
    labels[1:5, 5:20, 5:20] = 1
    plane = Plane(SHAPE, (1, 2), (0,))
    return LabelledPlanes("my cells (1)", np.zeros(SHAPE, np.uint16), labels, plane, (0, 500))


@pytest.fixture
def panel(folder: Path, qtbot: QtBot) -> FineTunePanel:
    Run.made.clear()
    panel = FineTunePanel(planes, Run)
    qtbot.addWidget(panel)
    panel.show()
    return panel


def begin(panel: FineTunePanel, qtbot: QtBot) -> Run:
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "step 0 of 3" in panel.state.text(), timeout=30_000)
    return Run.made[-1]


def test_it_learns_in_the_background_and_tells_before_and_after(
    panel: FineTunePanel, qtbot: QtBot
) -> None:
    run = begin(panel, qtbot)
    assert run.thread != threading.get_ident()
    assert [picture.shape for picture, _ in run.planes] == [(40, 40)] * 4
    assert run.limits == (0, 500)
    assert panel.bar.isVisible()
    assert panel.bar.maximum() == 3
    assert not panel.button.isEnabled()
    with qtbot.waitSignal(panel.added, timeout=30_000) as added:
        run.gate.set()
    assert added.args == ["my-cells-1-tuned"]
    assert "my-cells-1-tuned" in store.stored()
    assert store.verify(store.stored()["my-cells-1-tuned"]) == ""
    words = panel.state.text()
    assert "On 1 slice it did not learn from" in words
    assert (
        "after one click was 0.50 before, 0.75 now; after 2 clicks 0.60 before, 0.80 now" in words
    )
    assert "no better" not in words
    assert not panel.bar.isVisible()
    # Another run takes another name.
    run = begin(panel, qtbot)
    with qtbot.waitSignal(panel.added, timeout=30_000) as added:
        run.gate.set()
    assert added.args == ["my-cells-1-tuned-2"]


def test_it_can_be_stopped_and_leaves_nothing(panel: FineTunePanel, qtbot: QtBot) -> None:
    run = begin(panel, qtbot)
    qtbot.mouseClick(panel.stop, Qt.MouseButton.LeftButton)
    run.gate.set()
    qtbot.waitUntil(lambda: "No model was made" in panel.state.text(), timeout=30_000)
    qtbot.waitUntil(lambda: run.closed, timeout=30_000)
    assert not run.output.parent.exists()
    assert store.stored() == {}
    assert panel.button.isEnabled()


def test_what_is_wrong_is_said(panel: FineTunePanel, qtbot: QtBot, folder: Path) -> None:
    panel.name.setText("piclick-tiny")
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    assert "choose another name" in panel.state.text()
    panel.name.setText("piclick-base448")
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    assert "There is a model piclick-base448 already" in panel.state.text()
    panel.name.clear()

    def fails(*_: object) -> Run:
        raise ValueError("There is no labelled slice to learn from.")

    panel._make = fails
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "no labelled slice" in panel.state.text(), timeout=30_000)
    assert panel.button.isEnabled()
    panel._planes = lambda: None
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    assert "choose an image and its labels first" in panel.state.text()


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB."), "not enough memory"),
        (TypeError("unhashable <list>"), "(TypeError: unhashable &lt;list&gt;)"),
    ],
)
def test_whatever_goes_wrong_ends_it(
    panel: FineTunePanel, qtbot: QtBot, error: Exception, part: str
) -> None:
    def fails(*_: object) -> Run:
        raise error

    panel._make = fails
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: part in panel.state.text(), timeout=30_000)
    assert panel.button.isEnabled()
    assert not panel.bar.isVisible()


def test_a_stop_that_comes_too_late_does_not_hang(
    panel: FineTunePanel, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, gate, add = threading.Event(), threading.Event(), store.add

    def slow(*args: Any) -> Any:
        reached.set()
        assert gate.wait(30)
        return add(*args)

    monkeypatch.setattr("napari_piclick._qt.fine_tune_panel.store.add", slow)
    run = begin(panel, qtbot)
    run.gate.set()
    qtbot.waitUntil(reached.is_set, timeout=30_000)
    qtbot.mouseClick(panel.stop, Qt.MouseButton.LeftButton)
    gate.set()
    qtbot.waitUntil(panel.button.isEnabled, timeout=30_000)
    assert "my-cells-1-tuned" in store.stored()
    assert "No model was made" not in panel.state.text()


def test_it_stops_when_its_window_is_gone(folder: Path, qtbot: QtBot) -> None:
    Run.made.clear()
    window = QWidget()
    panel = FineTunePanel(planes, Run)
    panel.setParent(window)
    panel.start()
    qtbot.waitUntil(lambda: "step 0 of 3" in panel.state.text(), timeout=30_000)
    (run,) = Run.made
    with qtbot.waitSignal(window.destroyed):
        window.deleteLater()
    run.gate.set()
    qtbot.waitUntil(lambda: run.closed, timeout=30_000)
    assert run.after is None
    assert store.stored() == {}


def test_by_default_it_trains_piclick_tiny(tmp_path: Path) -> None:
    run = fine_tuning(planes().read(), tmp_path / "mine.safetensors", (0, 500))
    assert isinstance(run, FineTuning)
    assert run.held_out == 0  # of four slices, all are needed


def test_it_is_honest_when_nothing_was_gained(panel: FineTunePanel) -> None:
    from napari_piclick._qt import strings

    worse = strings.fine_tuned("a", 6, 2, (0.7, 0.8), (0.69, 0.8))
    assert "On 2 slices" in worse
    assert "It is no better" in worse
    assert "not known" in strings.fine_tuned("a", 3, 0, None, None)


def test_the_model_panel_learns_from_the_current_image_and_labels(
    desk: Desk, folder: Path, qtbot: QtBot
) -> None:
    form = desk.panel._form
    form.model.value = "more"
    panel = form._panel
    assert panel is not None
    qtbot.addWidget(panel)
    assert panel.fine_tune is not None
    assert form._labelled_planes() is None
    assert desk.controller.image is not None
    target = desk.controller.labels.ready()
    assert target is not None
    layer = desk.controller.target
    assert layer is not None
    corner = (0,) * (layer.ndim - 2)
    layer.data[(*corner, slice(5, 20), slice(5, 20))] = 3
    found = form._labelled_planes()
    assert found is not None
    assert found.name == desk.controller.image.name
    assert len(found.read()) == 1
