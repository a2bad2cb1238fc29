"""The proposal strip: a picture of every proposal, to look at and to choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFont, QImage, QPainter, QPen, QPixmap
from qtpy.QtWidgets import QAbstractButton, QPushButton, QSizePolicy, QVBoxLayout, QWidget
from superqt import QFlowLayout

from napari_piclick._qt import strings
from napari_piclick.session.area import describe_area
from napari_piclick.session.thumbnails import TINT

if TYPE_CHECKING:
    import numpy as np
    from qtpy.QtCore import QEvent
    from qtpy.QtGui import QFocusEvent, QMouseEvent, QPaintEvent

    from napari_piclick.proposals import Proposals

#: Side of a picture on the screen, and the frame around it.
SIDE = 62
#: So many pictures stand side by side where the panel is as wide as it wants to be.
ABREAST = 4
GAP = 2
FRAME = 2
LINES = 2
#: Opacity of a proposal that shows nearly the same as an earlier one.
FOLDED = 0.35


class ProposalStrip(QWidget):
    """A picture of each proposal with its score and area; the chosen one is framed.

    Near-duplicates of better ones are folded away until a button shows them.

    Attributes
    ----------
    chosen : psygnal.Signal
        Emitted with its index when the user takes a proposal.
    looked_at : psygnal.Signal
        Emitted with its index when the mouse or the focus comes over a proposal, and with None
        when it leaves.
    """

    chosen = Signal(int)
    looked_at = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        self._flow = _Flow()
        self._layout = self._flow.flow
        self.fold = QPushButton()
        self.fold.setFlat(True)
        self.fold.setCheckable(True)
        self.fold.setToolTip(strings.FOLDED_TIP)
        self.fold.toggled.connect(self._on_fold_toggled)
        self.fold.hide()
        column.addWidget(self._flow)
        column.addWidget(self.fold)
        self._tiles: list[ProposalTile] = []
        self._shown: tuple[Proposals | None, bool] = (None, False)

    def draw(
        self,
        proposals: Proposals | None,
        thumbnails: np.ndarray | None,
        pixel: tuple[tuple[float, float], str] = ((1.0, 1.0), "pixel"),
    ) -> None:
        """Show these proposals; None for none.

        Parameters
        ----------
        proposals : Proposals or None
        thumbnails : (Q, size, size, 4) uint8 or None
            RGBA pictures of them.
        pixel : ((height, width), unit)
            The size of a pixel, for areas.
        """
        # The panel is drawn often, and proposals never change but give way to others.
        if self._shown == (proposals, thumbnails is not None):
            return
        self._shown = (proposals, thumbnails is not None)
        count = 0 if proposals is None else len(proposals)
        while len(self._tiles) < count:
            tile = ProposalTile(len(self._tiles), self)
            tile.clicked.connect(lambda _=False, index=tile.index: self.chosen.emit(index))
            tile.looked_at.connect(self._on_looked_at)
            self._layout.addWidget(tile)
            self._tiles.append(tile)
        for tile in self._tiles:
            if proposals is not None and tile.index < count:
                picture = None if thumbnails is None else thumbnails[tile.index]
                tile.draw(proposals, picture, describe_area(proposals, tile.index, *pixel))
        self._unfold()

    def _unfold(self) -> None:
        """Show what is not folded away; the chosen one always is shown."""
        proposals, _ = self._shown
        count = 0 if proposals is None else len(proposals)
        distinct = () if proposals is None else (*proposals.distinct, proposals.chosen)
        for tile in self._tiles:
            tile.setVisible(
                tile.index < count and (self.fold.isChecked() or tile.index in distinct)
            )
        self.fold.setText(strings.folded(count - len(set(distinct)), self.fold.isChecked()))
        self.fold.setVisible(0 < len(set(distinct)) < count)

    def _on_looked_at(self, index: int | None) -> None:
        # not connected to `emit` itself, which psygnal would try out with a number of its own
        self.looked_at.emit(index)

    def _on_fold_toggled(self) -> None:
        self._unfold()

    @property
    def tiles(self) -> list[ProposalTile]:
        """The pictures that are shown."""
        return [tile for tile in self._tiles if not tile.isHidden()]


class _Flow(QWidget):
    """Pictures in rows, as many abreast as there is room for."""

    def __init__(self) -> None:
        super().__init__()
        self.flow = QFlowLayout(self)
        self.flow.setContentsMargins(0, 0, 0, 0)
        self.flow.setHorizontalSpacing(GAP)
        self.flow.setVerticalSpacing(4)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Wide enough for four pictures."""
        tile = SIDE + 2 * FRAME
        width = ABREAST * (tile + GAP)
        return QSize(width, self.flow.heightForWidth(width))


class ProposalTile(QAbstractButton):
    """The picture of one proposal, a button.

    Parameters
    ----------
    index : int
        Which proposal, counted from zero.

    Attributes
    ----------
    looked_at : psygnal.Signal
        Emitted with the index when the mouse or the focus comes, and with None when it leaves.
    """

    looked_at = Signal(object)

    def __init__(self, index: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.index = index
        self.setCheckable(True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)  # a frame under the mouse
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._picture = QPixmap()
        self._scores = ("", "")
        self._folded = False
        self._mouse_here = False
        self.setMouseTracking(True)
        small = QFont(self.font())
        small.setPointSizeF(max(small.pointSizeF() * 0.85, 7))
        self.setFont(small)

    def draw(self, proposals: Proposals, picture: np.ndarray | None, area: str) -> None:
        """Show a proposal of some area; ``picture`` is (size, size, 4) uint8, RGBA."""
        index = self.index
        self._picture = QPixmap() if picture is None else _to_pixmap(picture)
        self._scores = (f"IoU {proposals.iou[index]:.2f}", area)
        self._folded = proposals.duplicate_of[index] is not None
        self.setChecked(index == proposals.chosen)
        tip = strings.proposal_tip(proposals, index, area)
        self.setToolTip(tip)
        self.setAccessibleName(tip.splitlines()[0])
        self.setAccessibleDescription(tip)
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Room for the picture, its frame and the scores below."""
        text = self.fontMetrics().height() * LINES
        return QSize(SIDE + 2 * FRAME, SIDE + 2 * FRAME + text + 1)

    def nextCheckState(self) -> None:  # noqa: N802 - Qt's name
        """Do nothing: the session says which proposal is chosen."""

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Tell that the mouse has come; a picture that comes to a resting mouse is not looked at.

        Pictures move whenever a line above them grows, and the mouse may rest there by chance.
        """
        super().mouseMoveEvent(event)
        if not self._mouse_here:
            self._mouse_here = True
            self.looked_at.emit(self.index)

    def leaveEvent(self, event: QEvent | None) -> None:  # noqa: N802 - Qt's name
        """Tell that the mouse has left."""
        super().leaveEvent(event)
        if self._mouse_here:
            self._mouse_here = False
            self.looked_at.emit(None)

    def focusInEvent(self, event: QFocusEvent | None) -> None:  # noqa: N802 - Qt's name
        """Tell that the focus has come, for those who work with keys alone."""
        super().focusInEvent(event)
        self.looked_at.emit(self.index)

    def focusOutEvent(self, event: QFocusEvent | None) -> None:  # noqa: N802 - Qt's name
        """Tell that the focus has left."""
        super().focusOutEvent(event)
        self.looked_at.emit(None)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802 - Qt's name
        """Paint the picture, its number, its frame and its scores."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        text = self.palette().color(self.foregroundRole())
        picture = QRectF(FRAME, FRAME, SIDE, SIDE)
        seldom = self._folded and not self.isChecked()
        painter.setOpacity(FOLDED if seldom else 1.0)
        painter.fillRect(picture, QColor(0, 0, 0, 60))
        if not self._picture.isNull():
            painter.drawPixmap(picture, self._picture, QRectF(self._picture.rect()))
        self._paint_number(painter)
        painter.setOpacity(0.55 if seldom else 1.0)
        self._paint_scores(painter, text)
        painter.setOpacity(1.0)
        self._paint_frame(painter, text)
        painter.end()

    def _paint_number(self, painter: QPainter) -> None:
        badge = QRectF(FRAME, FRAME, 15, 15)
        painter.fillRect(badge, QColor(0, 0, 0, 170))
        painter.setPen(QColor("white"))
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, str(self.index + 1))

    def _paint_scores(self, painter: QPainter, color: QColor) -> None:
        font = QFont(self.font())
        font.setBold(self.isChecked())
        painter.setFont(font)
        painter.setPen(color)
        height = self.fontMetrics().height()
        for line, score in enumerate(self._scores):
            box = QRectF(0, SIDE + 2 * FRAME + line * height, self.width(), height)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, score)

    def _paint_frame(self, painter: QPainter, color: QColor) -> None:
        if self.isChecked():
            pen = QPen(QColor(*TINT), FRAME)
        elif self.underMouse() or self.hasFocus():
            pen = QPen(color, 1)
        else:
            return
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRectF(FRAME / 2, FRAME / 2, SIDE + FRAME, SIDE + FRAME))


def _to_pixmap(picture: np.ndarray) -> QPixmap:
    height, width = picture.shape[:2]
    data = picture.tobytes()
    image = QImage(data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
    return QPixmap.fromImage(image.copy())  # the copy outlives ``data``
