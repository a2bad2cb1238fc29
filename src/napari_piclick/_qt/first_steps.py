"""The first steps: what to do, for those who open the panel for the first time."""

from __future__ import annotations

from psygnal import Signal
from qtpy.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout

from napari_piclick._qt import strings


class FirstSteps(QFrame):
    """A few sentences, and a button that takes them away for good.

    Attributes
    ----------
    dismissed : psygnal.Signal
        Emitted when the user has read enough.
    """

    dismissed = Signal()

    def __init__(self) -> None:
        super().__init__()
        text = QLabel(strings.FIRST_STEPS)
        text.setWordWrap(True)
        self.button = QPushButton(strings.DISMISS)
        self.button.setToolTip(strings.DISMISS_TIP)
        self.button.clicked.connect(lambda: self.dismissed.emit())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(text)
        column.addWidget(self.button)
