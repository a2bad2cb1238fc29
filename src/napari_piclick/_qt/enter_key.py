"""The Enter key: what it means to the control that has the focus, instead of to the panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QAbstractSpinBox, QComboBox, QLineEdit

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class EnterKey(QObject):
    """Gives Enter to a control, although it is a shortcut of the panel around it.

    Parameters
    ----------
    control : QWidget
    taken : bool
        Whether Enter is only told of here; else the control does what it always does.

    Attributes
    ----------
    pressed : Signal
        Emitted when Enter is pressed in the control, if it is taken.
    """

    pressed = Signal()

    def __init__(self, control: QWidget, *, taken: bool) -> None:
        super().__init__(control)
        self._taken = taken
        control.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Claim the key before a shortcut does."""
        kind = None if event is None else event.type()
        if kind not in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
            return False
        if event.key() not in ENTER:  # type: ignore[union-attr]
            return False
        if kind == QEvent.Type.ShortcutOverride:
            event.accept()  # type: ignore[union-attr]
            return True
        if self._taken:
            self.pressed.emit()
        elif watched is not None:
            watched.event(event)
        # what a control leaves of a key, napari hands on to the layer that is selected
        event.accept()  # type: ignore[union-attr]
        return True


def leave_enter_to_editors(panel: QWidget) -> None:
    """In all fields of a panel that are typed into, Enter ends the typing, and nothing else."""
    editors = [*panel.findChildren(QLineEdit), *panel.findChildren(QAbstractSpinBox)]
    editors += [box for box in panel.findChildren(QComboBox) if box.isEditable()]
    for editor in editors:
        EnterKey(editor, taken=False)
