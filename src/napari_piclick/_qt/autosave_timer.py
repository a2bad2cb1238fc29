"""The autosave timer: every few minutes, what is new is saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QTimer

if TYPE_CHECKING:
    from napari_piclick._napari.saver import Saver

#: How often, if nobody says otherwise, in minutes.
MINUTES = 5.0


class AutosaveTimer(QTimer):
    """Asks a saver to save what is new, every so often.

    Parameters
    ----------
    saver : Saver
    parent : QObject
    minutes : float
        How often; 0 for never.
    """

    def __init__(self, saver: Saver, parent: QObject, minutes: float = MINUTES) -> None:
        super().__init__(parent)
        self.timeout.connect(lambda: saver.autosave())
        self.set_minutes(minutes)

    def set_minutes(self, minutes: float) -> None:
        """Save so often from now on; 0 for never."""
        self.stop()
        if minutes > 0:
            self.start(round(minutes * 60_000))
