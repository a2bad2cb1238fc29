"""First light: open napari with real neurons and the PiClick panel, ready to click.

With ``--headless`` nobody needs to click: three clicks go through the window's own mouse
events, two objects are kept, and a screenshot and the labels are written.

    python examples/first_light.py
    xvfb-run -a python examples/first_light.py --headless --output demo
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import napari
import numpy as np
import tifffile
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QEnterEvent, QKeyEvent, QMouseEvent
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QApplication, QWidget
from skimage.io import imsave

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Layer

WINDOW = (1200, 800)
SLICE = 12
#: Where to click on that slice, (row, column), and with which button.
FIRST_OBJECT = [((128.0, 207.0), Qt.MouseButton.LeftButton)]
SECOND_OBJECT = [
    ((135.0, 104.0), Qt.MouseButton.LeftButton),
    ((150.0, 140.0), Qt.MouseButton.RightButton),
]
PATIENCE = 120.0


def open_window() -> tuple[napari.Viewer, QWidget]:
    """Open napari with the sample image and the panel."""
    viewer = napari.Viewer(title="PiClick: first light")
    viewer.open_sample("napari-piclick", "neurons")
    viewer.dims.set_current_step(0, SLICE)
    _, panel = viewer.window.add_plugin_dock_widget("napari-piclick", "PiClick")
    viewer.window.resize(*WINDOW)
    QApplication.processEvents()
    viewer.reset_view()
    return viewer, panel


def find_canvas() -> QWidget:
    """The widget that napari draws images on, and that takes the mouse."""
    canvases = [w for w in QApplication.allWidgets() if isinstance(w, QOpenGLWidget)]
    visible = [widget for widget in canvases if widget.isVisible()]
    if not visible:
        raise RuntimeError("The napari window shows no canvas.")
    return max(visible, key=lambda widget: widget.width() * widget.height())


def canvas_position(viewer: napari.Viewer, layer: Layer, point: np.ndarray) -> QPointF:
    """Where a point, given in the coordinates of a layer's data, is drawn on the canvas."""
    canvas, camera = find_canvas(), viewer.scene.camera
    world = np.array(layer.data_to_world(point))[list(viewer.dims.displayed)]
    down, right = (world - np.array(camera.center)[-2:]) * camera.zoom
    return QPointF(canvas.width() / 2 + right, canvas.height() / 2 + down)


def click(
    viewer: napari.Viewer,
    layer: Layer,
    point: np.ndarray,
    button: Qt.MouseButton = Qt.MouseButton.LeftButton,
    modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    """Press and release a mouse button over a point of a layer's data."""
    canvas = find_canvas()
    position = canvas_position(viewer, layer, point)
    everywhere = QPointF(canvas.mapToGlobal(position.toPoint()))
    none = Qt.MouseButton.NoButton
    for kind, pressed, held in (
        (QEvent.Type.MouseMove, none, none),
        (QEvent.Type.MouseButtonPress, button, button),
        (QEvent.Type.MouseButtonRelease, button, none),
    ):
        event = QMouseEvent(kind, position, everywhere, pressed, held, modifiers)
        QApplication.sendEvent(canvas, event)
        QApplication.processEvents()  # no hand is so quick that the window has no time between


def move(viewer: napari.Viewer, layer: Layer, point: np.ndarray) -> None:
    """Move the mouse over a point of a layer's data."""
    canvas = find_canvas()
    position = canvas_position(viewer, layer, point)
    everywhere = QPointF(canvas.mapToGlobal(position.toPoint()))
    none, held = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    if not viewer.mouse_over_canvas:
        QApplication.sendEvent(canvas, QEnterEvent(position, position, everywhere))
    event = QMouseEvent(QEvent.Type.MouseMove, position, everywhere, none, none, held)
    QApplication.sendEvent(canvas, event)


def press(key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """Press and release a key over the canvas."""
    canvas = find_canvas()
    for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        event = QKeyEvent(kind, key, modifiers)
        QApplication.sendEvent(canvas, event)
    QApplication.processEvents()


def wait_until(ready: Callable[[], object], patience: float = PATIENCE) -> bool:
    """Let the window run until something is so; False if it takes too long."""
    deadline = time.monotonic() + patience
    while not ready():
        if time.monotonic() > deadline:
            return False
        QApplication.processEvents()
        time.sleep(0.005)
    return True


def segment(
    viewer: napari.Viewer, panel: QWidget, clicks: list, patience: float = PATIENCE
) -> bool:
    """Click on an object; True if every click gave a mask."""
    controller = panel.controller
    session = controller.session
    for (row, col), button in clicks:
        before = session.proposals
        click(viewer, controller.image, np.array([SLICE, row, col]), button)
        answered = wait_until(
            lambda before=before: session.proposals not in (None, before), patience
        )
        if not answered or not session.mask().any():
            print(f"The click at row {row:.0f}, column {col:.0f} gave no mask.", file=sys.stderr)
            return False
    return True


def keep(panel: QWidget) -> bool:
    """Keep the object by its key; True if it is in the labels."""
    before = panel.controller.written
    press(Qt.Key.Key_Return)
    return wait_until(lambda: panel.controller.written is not before, patience=10.0)


def run_headless(viewer: napari.Viewer, panel: QWidget, output: Path) -> bool:
    """Segment two objects with three clicks; True if all went well."""
    wait_until(lambda: panel.controller.listening, patience=10.0)
    if not (segment(viewer, panel, FIRST_OBJECT) and keep(panel)):
        return False
    if not segment(viewer, panel, SECOND_OBJECT):
        return False
    wait_until(lambda: panel.controller.answers.stage is None, patience=10.0)
    save(output / "screenshot.png", viewer.screenshot(canvas_only=False, flash=False))
    if not keep(panel):
        return False
    save(output / "labels.tif", panel.controller.target.data)
    return True


def save(path: Path, pixels: np.ndarray) -> None:
    """Write a picture; a file of that name is replaced only once the new one is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part{path.suffix}")
    if path.suffix == ".tif":
        tifffile.imwrite(unfinished, pixels, compression="zlib")
    else:
        imsave(unfinished, pixels, check_contrast=False)
    unfinished.replace(path)
    print(f"Wrote {path}")


def main() -> int:
    """Run the example; the exit status is 0 if all went well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--headless", action="store_true", help="click by itself, then close")
    parser.add_argument("--output", type=Path, default=Path("demo"), help="folder to write to")
    arguments = parser.parse_args()
    viewer, panel = open_window()
    if not arguments.headless:
        napari.run()
        return 0
    done = run_headless(viewer, panel, arguments.output)
    viewer.close()
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main())
