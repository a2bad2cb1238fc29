"""Make the pictures of the documentation, in real windows on the sample data.

    xvfb-run -a -s "-screen 0 2600x2100x24" python scripts/make_pictures.py first-steps preferences
    QT_SCALE_FACTOR=2 xvfb-run ... python scripts/make_pictures.py --theme light --output look

makes those that are named, or all. Nothing of it is kept among your own settings.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "examples"))
_own = Path(tempfile.mkdtemp(prefix="piclick-pictures-"))
os.environ["NAPARI_CONFIG"] = str(_own / "settings.yaml")
os.environ["PICLICK_JOURNALS"] = str(_own / "journals")

import napari  # noqa: E402 - it reads where its settings are as soon as it is imported
import numpy as np  # noqa: E402
from first_light import click, move, press, save, wait_until  # noqa: E402
from napari.settings import get_plugin_settings, get_settings  # noqa: E402
from napari.utils import DirectLabelColormap  # noqa: E402
from qtpy.QtCore import QPoint, Qt  # noqa: E402
from qtpy.QtWidgets import QApplication, QDialog, QListWidget, QWidget  # noqa: E402

from napari_piclick._qt.section import Section  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton


class Stage:
    """A window on a sample, with the panel, and hands to use it."""

    def __init__(self, sample: str, size: tuple[int, int], *, steps: bool = False) -> None:
        settings = get_plugin_settings("napari-piclick").labelling
        settings.show_help, settings.live_preview = steps, False
        self.viewer = napari.Viewer()
        self.viewer.open_sample("napari-piclick", sample)
        self.window.resize(*size)
        _, self.panel = self.viewer.window.add_plugin_dock_widget("napari-piclick", "PiClick")
        self.controller = self.panel.controller
        self.settle()
        self.viewer.reset_view()
        wait_until(lambda: self.controller.listening)
        self.settle()

    @property
    def window(self) -> QWidget:
        """The whole window: the one that holds the panel, once that is docked."""
        windows = [w for w in QApplication.topLevelWidgets() if hasattr(w, "menuBar")]
        return next(w for w in windows if not w.isHidden())

    def click(self, *voxel: float, button: Qt.MouseButton = LEFT) -> None:
        """Click on a voxel, and wait for the proposals."""
        session = self.controller.session
        before = session.proposals
        click(self.viewer, self.controller.image, np.array(voxel), button)
        wait_until(lambda: session.proposals not in (None, before))
        self.settle()

    def move(self, *voxel: float) -> None:
        """Move the mouse over a voxel."""
        move(self.viewer, self.controller.image, np.array(voxel))
        self.settle()

    def keep(self) -> None:
        """Keep the object by its key."""
        before = self.controller.written
        press(Qt.Key.Key_Return)
        wait_until(lambda: self.controller.written is not before)
        self.settle()

    def settle(self) -> None:
        """Let the window come to rest."""
        wait_until(lambda: False, 0.4)
        wait_until(lambda: self.controller.answers.stage is None)
        wait_until(lambda: False, 0.4)

    def close(self) -> None:
        """Close the window."""
        self.viewer.close()
        QApplication.processEvents()


def first_steps() -> np.ndarray:
    """The panel as it opens for the first time."""
    stage = Stage("nuclei", (1280, 900), steps=True)
    picture = pixels_of(stage.window)
    stage.close()
    return picture


def one_kept(size: tuple[int, int]) -> Stage:
    """The neurons, with one object kept."""
    stage = Stage("neurons", size)
    stage.viewer.dims.set_current_step(0, 12)
    stage.settle()
    stage.click(12, 128, 207)
    stage.keep()
    return stage


def labelling() -> np.ndarray:
    """One object kept, and two clicks on the next."""
    stage = one_kept((1280, 1000))
    stage.click(12, 135, 104)
    stage.click(12, 150, 140, button=RIGHT)
    picture = pixels_of(stage.window)
    stage.close()
    return picture


def live_preview() -> np.ndarray:
    """A click, and under the mouse what a further one would give."""
    stage = one_kept((1280, 960))
    stage.click(12, 150, 140)
    stage.panel._form.live.value = True
    stage.move(12, 110, 108)
    picture = pixels_of(stage.window)
    stage.close()
    return picture


def objects() -> np.ndarray:
    """The table of objects, coloured by class."""
    stage = one_kept((1280, 1000))
    for place in ((135, 104), (50, 70), (60, 185)):
        stage.click(12, *place)
        stage.keep()
    for label, kind in ((1, "mitochondrion"), (2, "vesicle"), (3, "mitochondrion")):
        stage.controller.labels.classify(label, kind)
    stage.controller.class_colors.switch(True)
    target = stage.controller.target
    wait_until(lambda: isinstance(target.colormap, DirectLabelColormap))
    for section in stage.panel.findChildren(Section):
        (section.expand if section.content() is stage.panel.objects else section.collapse)()
    stage.settle()
    picture = pixels_of(stage.window)
    stage.close()
    return picture


def planes() -> np.ndarray:
    """An object followed through a stack, in another plane than it was clicked in."""
    stage = Stage("brain", (1280, 1000))
    stage.viewer.dims.order = (1, 0, 2)
    stage.viewer.reset_view()
    stage.settle()
    shape = stage.controller.image.data.shape
    middle = [n // 2 for n in shape]
    stage.viewer.dims.set_current_step(1, middle[1])
    stage.settle()
    stage.click(shape[0] // 2, middle[1], shape[2] // 3)
    stage.keep()
    stage.controller.volume.propagate((1, -1))
    wait_until(lambda: not stage.controller.volume.running)
    stage.settle()
    picture = pixels_of(stage.window)
    stage.close()
    return picture


def preferences() -> np.ndarray:
    """The page of the preferences dialog."""
    stage = Stage("nuclei", (1280, 900))
    actions = stage.viewer.window.file_menu.actions()
    next(action for action in actions if "Preferences" in action.text()).trigger()
    dialogs = [w for w in QApplication.topLevelWidgets() if isinstance(w, QDialog)]
    dialog = next(w for w in dialogs if w.isVisible())
    dialog.resize(1065, 640)
    pages = dialog.findChild(QListWidget)
    names = [pages.item(row).text() for row in range(pages.count())]
    pages.setCurrentRow(next(k for k, name in enumerate(names) if "piclick" in name.lower()))
    stage.settle()
    picture = pixels_of(dialog)
    dialog.reject()
    stage.close()
    return picture


def models() -> np.ndarray:
    """The window of models."""
    stage = Stage("nuclei", (1280, 900))
    stage.panel._form._show_models()
    stage.settle()
    panel = stage.panel._form._panel
    picture = pixels_of(panel)
    panel.close()
    stage.close()
    return picture


def pixels_of(widget: QWidget) -> np.ndarray:
    """(H, W, 3) uint8: a window as it is on the screen, its canvas included."""
    QApplication.processEvents()
    screen = QApplication.primaryScreen()
    corner = widget.mapToGlobal(QPoint(0, 0))
    grabbed = screen.grabWindow(0, corner.x(), corner.y(), widget.width(), widget.height())
    image = grabbed.toImage()
    image = image.convertToFormat(image.Format.Format_RGB888)
    bits = image.constBits()
    bits.setsize(image.sizeInBytes())
    rows = np.frombuffer(bits, np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


PICTURES: dict[str, Callable[[], np.ndarray]] = {
    "first-steps": first_steps,
    "labelling": labelling,
    "live-preview": live_preview,
    "objects": objects,
    "planes": planes,
    "preferences": preferences,
    "models": models,
}


def main() -> None:
    """Make the pictures that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PICTURES))
    parser.add_argument("--theme", default="dark", choices=["dark", "light"])
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "images")
    arguments = parser.parse_args()
    get_settings().appearance.theme = arguments.theme
    for name in arguments.names or PICTURES:
        save(arguments.output / f"{name}.png", PICTURES[name]())


if __name__ == "__main__":
    main()
