"""The busy line: it moves while the worker is busy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import QRectF, QTimer
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import QWidget

from napari_piclick._qt import strings
from napari_piclick.session.thumbnails import TINT

if TYPE_CHECKING:
    from qtpy.QtGui import QPaintEvent

HEIGHT = 3
#: Work shorter than this is over before anybody wonders, in milliseconds.
PATIENCE = 200
#: Each step has the whole window painted again, so there are few of them.
STEP = 250
STEPS = 8


class BusyLine(QWidget):
    """A thin line that takes the same room whether it shows or not.

    Qt's own progress bar moves sixty times a second, and each time the window with napari's
    canvas is composed anew, which slows down the very work that is waited for.

    Attributes
    ----------
    began : psygnal.Signal
        Emitted when it begins to move: the work takes long enough to be told of.
    """

    began = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(HEIGHT)
        self.setToolTip(strings.BUSY_TIP)
        self.setAccessibleName(strings.BUSY)
        self._at: int | None = None
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._on_step)

    @property
    def moving(self) -> bool:
        """Whether the user sees it move."""
        return self._at is not None

    def show_busy(self, busy: bool) -> None:
        """Begin to move, after a moment, or stop at once."""
        if busy and not self._timer.isActive():
            self._timer.start(PATIENCE)
        elif not busy and self._timer.isActive():
            self._timer.stop()
            if self.moving:
                self._at = None
                self.update()

    def _on_step(self) -> None:
        self._timer.setInterval(STEP)
        began = self._at is None
        self._at = 0 if self._at is None else (self._at + 1) % STEPS
        self.update()
        if began:
            self.began.emit()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802 - Qt's name
        """Paint the part of the line that is lit."""
        if self._at is None:
            return
        painter = QPainter(self)
        part = self.width() / STEPS
        painter.fillRect(QRectF(0, 0, self.width(), HEIGHT), QColor(128, 128, 128, 90))
        painter.fillRect(QRectF(self._at * part, 0, part, HEIGHT), QColor(*TINT))
        painter.end()
