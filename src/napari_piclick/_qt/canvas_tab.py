"""Tab in the canvas, which Qt would otherwise take to move the focus away from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QMainWindow, QWidget

from napari_piclick._napari import keys

if TYPE_CHECKING:
    from napari_piclick._napari.controller import Controller


class CanvasTab(QObject):
    """Gives Tab and Shift+Tab in napari's canvas to the proposals, as long as there are any.

    Without proposals the focus moves on as everywhere, for those who work with keys alone.

    Parameters
    ----------
    panel : QWidget
        A part of the window whose canvas is meant.
    controller : Controller
    """

    def __init__(self, panel: QWidget, controller: Controller) -> None:
        super().__init__(panel)
        self._controller = controller
        self._canvases: list[QWidget] = []

    def watch(self, panel: QWidget) -> None:
        """Watch the canvases of the window that the panel is docked in, or floats over."""
        parent: QWidget | None = panel
        while parent is not None and not isinstance(parent, QMainWindow):
            parent = parent.parentWidget()
        for canvas in parent.findChildren(QOpenGLWidget) if parent is not None else ():
            if canvas not in self._canvases:
                canvas.installEventFilter(self)
                self._canvases.append(canvas)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: ARG002, N802
        """Take Tab and Backtab."""
        if event is None or event.type() != QEvent.Type.KeyPress:
            return False
        key = event.key()  # type: ignore[attr-defined]
        wanted = {Qt.Key.Key_Tab: keys.NEXT, Qt.Key.Key_Backtab: keys.PREVIOUS}
        back = event.modifiers() & Qt.KeyboardModifier.ShiftModifier  # type: ignore[attr-defined]
        shortcut = keys.PREVIOUS if key == Qt.Key.Key_Tab and back else wanted.get(key)
        controller = self._controller
        if shortcut is None or not controller.listening or controller.session.proposals is None:
            return False
        shortcut.action(controller)
        return True
