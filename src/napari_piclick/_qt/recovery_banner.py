"""The recovery banner: offers to bring back a session that was cut short; it blocks nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFrame, QGridLayout, QLabel, QPushButton

from napari_piclick._qt import object_strings as strings

if TYPE_CHECKING:
    from napari_piclick._napari.controller import Controller


class RecoveryBanner(QFrame):
    """Shows a controller's offer, as long as there is one.

    Parameters
    ----------
    controller : Controller
    """

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self._controller = controller
        self.setFrameShape(QFrame.Shape.StyledPanel)
        text = QLabel(strings.OFFER)
        text.setWordWrap(True)
        self.accept = QPushButton(strings.RECOVER)
        self.accept.setToolTip(strings.RECOVER_TIP)
        self.accept.clicked.connect(lambda: controller.keeper.recover())
        self.decline = QPushButton(strings.DECLINE)
        self.decline.setToolTip(strings.DECLINE_TIP)
        self.decline.clicked.connect(lambda: controller.keeper.decline())
        layout = QGridLayout(self)
        layout.addWidget(text, 0, 0, 1, 2)
        layout.addWidget(self.accept, 1, 0)
        layout.addWidget(self.decline, 1, 1)
        controller.changed.connect(self._draw)
        self._draw()

    def _draw(self) -> None:
        self.setHidden(self._controller.keeper.offer is None)
