"""The quality strip: how good each slice of an object probably is, and who labelled it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal
from qtpy.QtCore import QEvent, QPoint, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPolygon
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from napari_piclick._napari.slice_numbers import SliceNumbers
from napari_piclick._qt import volume_strings as strings
from napari_piclick.session.slice_mask import LabelledBy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPaintEvent

    from napari_piclick.session.quality import SliceQuality

#: Heights in pixels: of the mark of the slice in view, of the colours, of who labelled the slice.
MARK, COLORS, WHO = 7, 22, 6
#: From doubtful to good, told apart by those who see no red and green as well.
SCALE = np.array([(150, 20, 70), (235, 120, 40), (250, 205, 90), (90, 190, 175), (20, 125, 160)])
BACKGROUND = QColor(128, 128, 128, 70)
INTERPOLATED = QColor(150, 150, 150)
STOPPED = QColor(220, 40, 40)


class QualityStrip(QWidget):
    """One column for each slice; a click on one asks for it to be shown.

    Attributes
    ----------
    chosen : psygnal.Signal
        Emitted with the number of a slice.
    """

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._ratings: dict[int, SliceQuality] = {}
        self._count = 0
        self._here: int | None = None
        self._numbers = SliceNumbers()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(strings.STRIP)
        self.setToolTip(strings.STRIP_TIP)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As high as its bands."""
        return QSize(200, MARK + COLORS + WHO)

    def draw(
        self,
        ratings: Sequence[SliceQuality],
        count: int,
        here: int | None,
        numbers: SliceNumbers | None = None,
    ) -> None:
        """Show the ratings of the slices of an object.

        Parameters
        ----------
        ratings : sequence of SliceQuality
        count : int
            Number of slices of the volume.
        here : int, optional
            The slice in view.
        numbers : SliceNumbers, optional
            How the slider counts the slices; the strip runs as it does.
        """
        shown = {rating.index: rating for rating in ratings}
        drawn = (shown, count, here, numbers or SliceNumbers())
        if drawn != (self._ratings, self._count, self._here, self._numbers):
            self._ratings, self._count, self._here, self._numbers = drawn
            self.update()

    def slice_at(self, x: float) -> int:
        """The slice under a place, in pixels from the left."""
        place = min(max(int(x * self._count / max(self.width(), 1)), 0), max(self._count - 1, 0))
        return self._place(place)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802 - Qt's name
        """Paint one column for each slice."""
        painter = QPainter(self)
        painter.fillRect(QRectF(0, MARK, self.width(), COLORS), BACKGROUND)
        for rating in self._ratings.values():
            left, width = self._column(rating.index)
            column = QRectF(left, MARK, width, COLORS)
            if rating.by is None:
                painter.fillRect(column, STOPPED)
                painter.fillRect(QRectF(left, MARK + 4, width, COLORS - 8), color(rating.quality))
                continue
            painter.fillRect(column, color(rating.quality))
            who = QRectF(left, MARK + COLORS, width, WHO)
            if rating.by is LabelledBy.HAND:
                painter.fillRect(who, self.palette().windowText())  # seen on light and dark
            elif rating.by is LabelledBy.INTERPOLATED:
                painter.fillRect(who.adjusted(0, 2, 0, -2), INTERPOLATED)
        if self._here is not None and self._count:
            left, width = self._column(self._here)
            middle = int(left + width / 2)
            text = self.palette().windowText()
            painter.setBrush(text)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawPolygon(
                QPolygon([QPoint(middle - 5, 0), QPoint(middle + 5, 0), QPoint(middle, MARK - 1)])
            )
            painter.fillRect(QRectF(middle - 0.5, MARK, 1, COLORS), text)
        if self.hasFocus():
            painter.setPen(self.palette().highlight().color())
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Ask for the slice under the mouse."""
        if event is not None and self._count and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(self.slice_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Follow a drag."""
        if event is not None and self._count and event.buttons() & Qt.MouseButton.LeftButton:
            self.chosen.emit(self.slice_at(event.position().x()))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Go one slice on, or back."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        step = steps.get(Qt.Key(event.key())) if event is not None else None
        if step is not None and self._here is not None:
            place = self._place(self._here) + step + 0.5
            self.chosen.emit(self.slice_at(place * self.width() / self._count))
        elif event is not None:
            super().keyPressEvent(event)

    def event(self, event: QEvent | None) -> bool:
        """Tell about the slice under the mouse."""
        if event is not None and event.type() == QEvent.Type.ToolTip and self._count:
            self._tell(event)  # type: ignore[arg-type]
            return True
        return bool(super().event(event))

    def _tell(self, event: QHelpEvent) -> None:
        index = self.slice_at(event.pos().x())
        QToolTip.showText(
            event.globalPos(),
            strings.slice_tip(self._numbers.shown(index), self._ratings.get(index)),
            self,
        )

    def _column(self, index: int) -> tuple[float, float]:
        """(left, width) in pixels; never thinner than one."""
        place = self._place(index)
        left = place * self.width() / self._count
        return left, max((place + 1) * self.width() / self._count - left, 1.0)

    def _place(self, index: int) -> int:
        """The column of a slice, counted from the left, and the slice of a column."""
        return self._count - 1 - index if self._numbers.reversed and self._count else index


def color(quality: float) -> QColor:
    """The colour of a quality between 0 and 1."""
    places = np.linspace(0, 1, len(SCALE))
    red, green, blue = (int(np.interp(quality, places, SCALE[:, channel])) for channel in range(3))
    return QColor(red, green, blue)
