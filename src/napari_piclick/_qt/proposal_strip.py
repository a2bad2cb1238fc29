"""The proposal strip: a picture of every proposal, to look at and to choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFont, QImage, QPainter, QPen, QPixmap
from qtpy.QtWidgets import QAbstractButton, QSizePolicy, QWidget
from superqt import QFlowLayout

from napari_piclick._qt import strings
from napari_piclick.session.thumbnails import TINT

if TYPE_CHECKING:
    import numpy as np
    from qtpy.QtGui import QPaintEvent

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
    """A picture of each proposal with its scores; the chosen one is framed.

    Attributes
    ----------
    chosen : psygnal.Signal
        Emitted with its index when the user takes a proposal.
    """

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layout = QFlowLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setHorizontalSpacing(GAP)
        self._layout.setVerticalSpacing(4)
        self._tiles: list[ProposalTile] = []
        self._shown: tuple[Proposals | None, bool] = (None, False)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Wide enough for four pictures."""
        tile = SIDE + 2 * FRAME
        width = ABREAST * (tile + GAP)
        return QSize(width, self._layout.heightForWidth(width))

    def draw(self, proposals: Proposals | None, thumbnails: np.ndarray | None) -> None:
        """Show these proposals; None for none.

        Parameters
        ----------
        proposals : Proposals or None
        thumbnails : (Q, size, size, 4) uint8 or None
            RGBA pictures of them.
        """
        # The panel is drawn often, and proposals never change but give way to others.
        if self._shown == (proposals, thumbnails is not None):
            return
        self._shown = (proposals, thumbnails is not None)
        count = 0 if proposals is None else len(proposals)
        while len(self._tiles) < count:
            tile = ProposalTile(len(self._tiles), self)
            tile.clicked.connect(lambda _=False, index=tile.index: self.chosen.emit(index))
            self._layout.addWidget(tile)
            self._tiles.append(tile)
        for tile in self._tiles:
            tile.setVisible(tile.index < count)
            if proposals is not None and tile.index < count:
                picture = None if thumbnails is None else thumbnails[tile.index]
                tile.draw(proposals, picture)

    @property
    def tiles(self) -> list[ProposalTile]:
        """The pictures that are shown."""
        return [tile for tile in self._tiles if not tile.isHidden()]


class ProposalTile(QAbstractButton):
    """The picture of one proposal, a button.

    Parameters
    ----------
    index : int
        Which proposal, counted from zero.
    """

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
        small = QFont(self.font())
        small.setPointSizeF(max(small.pointSizeF() * 0.85, 7))
        self.setFont(small)

    def draw(self, proposals: Proposals, picture: np.ndarray | None) -> None:
        """Show a proposal; ``picture`` is (size, size, 4) uint8, RGBA."""
        index = self.index
        self._picture = QPixmap() if picture is None else _to_pixmap(picture)
        self._scores = (
            f"IoU {proposals.iou[index]:.2f}",
            f"conf {proposals.confidence[index]:.2f}",
        )
        self._folded = proposals.duplicate_of[index] is not None
        self.setChecked(index == proposals.chosen)
        tip = strings.proposal_tip(proposals, index)
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
