"""Real windows, and the mouse and keys that the example uses on them."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from napari.settings import get_plugin_settings
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QCursor
from qtpy.QtWidgets import QApplication

from napari_piclick._qt.widget import PiClickWidget
from napari_piclick.session.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    import napari
    from pytestqt.qtbot import QtBot
    from tests.conftest import FloodPredictor

EXAMPLE = Path(__file__).parents[2] / "examples" / "first_light.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.gui)


@pytest.fixture(scope="session")
def first_light() -> ModuleType:
    spec = importlib.util.spec_from_file_location("first_light", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass
class Desk:
    """A window with the panel, and hands to use it."""

    viewer: napari.Viewer
    panel: PiClickWidget
    predictor: FloodPredictor
    qtbot: QtBot
    first_light: ModuleType

    @property
    def controller(self) -> Any:
        return self.panel.controller

    def click(self, *place: float, button: str = "Left", shift: bool = False) -> None:
        modifiers = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
        image = next(layer for layer in self.viewer.layers if layer == self.controller.image)
        kind = getattr(Qt.MouseButton, f"{button}Button")
        self.first_light.click(self.viewer, image, np.array(place), kind, modifiers)

    def move(self, *place: float) -> None:
        """Move the mouse over a place of the image."""
        self.first_light.move(self.viewer, self.controller.image, np.array(place))

    def leave(self) -> None:
        """Move the mouse out of the image."""
        QApplication.sendEvent(self.first_light.find_canvas(), QEvent(QEvent.Type.Leave))

    def press(self, key: str, modifiers: str = "") -> None:
        held = Qt.KeyboardModifier.NoModifier
        for name in modifiers.split():
            held |= getattr(Qt.KeyboardModifier, f"{name}Modifier")
        self.first_light.press(getattr(Qt.Key, f"Key_{key}"), held)

    def until(self, ready: Callable[[], Any]) -> None:
        self.qtbot.waitUntil(lambda: bool(ready()), timeout=20_000)

    def answered(self) -> None:
        """Wait until the last click is answered and drawn."""
        session = self.controller.session
        self.until(lambda: session.proposals is not None and session.question is None)
        self.until(lambda: self.controller.answers.stage is None)

    def show_image(self, name: str) -> None:
        """Look at another image layer."""
        self.controller.set_image(self.viewer.layers[name])
        self.qtbot.wait(20)

    def show(self, *voxel: float) -> None:
        """Move the sliders to a voxel of the image."""
        world = self.controller.image.data_to_world(voxel)
        self.viewer.dims.set_point(range(len(voxel)), world)
        self.qtbot.wait(20)


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Preferences as they are at first, kept in a folder of the test's own."""
    kind = type(get_plugin_settings("napari-piclick"))
    kept = kind(config_path=tmp_path / "napari-piclick.yaml")
    monkeypatch.setattr("napari_piclick._napari.preferences.find_settings", lambda: kept.labelling)
    return kept


@pytest.fixture
def open_desk(
    make_napari_viewer_proxy: Callable[..., napari.Viewer],
    predictor: FloodPredictor,
    qtbot: QtBot,
    first_light: ModuleType,
) -> Callable[..., Desk]:
    def open_desk(image: Any = None, **how: Any) -> Desk:
        viewer = make_napari_viewer_proxy(show=True)
        viewer.window.resize(1000, 700)
        # the screen's own pointer must not rest on what a test is about to look at
        QCursor.setPos(QApplication.primaryScreen().geometry().bottomRight())
        if image is not None:
            viewer.add_image(image, **how)
        panel = PiClickWidget(viewer, Engine(lambda: predictor))
        viewer.window.add_dock_widget(panel, name="PiClick")
        qtbot.wait(50)
        viewer.reset_view()
        return Desk(viewer, panel, predictor, qtbot, first_light)

    return open_desk


@pytest.fixture
def desk(open_desk: Callable[..., Desk], blocks: np.ndarray) -> Desk:
    """A window on the blocks, slice 5 in view."""
    desk = open_desk(blocks, name="blocks")
    desk.show(5, 0, 0)
    return desk
