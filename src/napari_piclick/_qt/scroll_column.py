"""The scroll column: the panel scrolls where the window is low, and is not cut off at its side."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QWidget


class ScrollColumn(QScrollArea):
    """Shows a widget as wide as it needs to be, and scrolls up and down.

    A change of size within it also ends at its border: napari's window would otherwise arrange
    all its docks anew with every sentence that comes out longer than the last.

    Parameters
    ----------
    content : QWidget
    """

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.fit_width()

    def fit_width(self) -> None:
        """Take the width that the content needs now: fonts and margins depend on the window."""
        content, bar = self.widget(), self.verticalScrollBar()
        if content is not None and bar is not None:
            needed = max(content.sizeHint().width(), content.minimumSizeHint().width())
            self.setMinimumWidth(needed + bar.sizeHint().width())
