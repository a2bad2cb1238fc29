"""Everything in the panel says what it is, and can be reached without a mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QListWidget,
    QTableWidget,
)

if TYPE_CHECKING:
    from tests.gui.conftest import Desk

CONTROLS = (QAbstractButton, QComboBox, QLineEdit, QAbstractSpinBox, QListWidget, QTableWidget)


def controls(desk: Desk) -> list:
    """Every control of the panel that is not an inner part of another one."""
    found = [control for kind in CONTROLS for control in desk.panel.findChildren(kind)]
    return [one for one in found if not isinstance(one.parentWidget(), CONTROLS)]


def test_every_control_has_a_tooltip_and_a_name(desk: Desk) -> None:
    desk.click(5, 10, 10)
    desk.answered()
    assert len(controls(desk)) > 15
    for control in controls(desk):
        assert control.toolTip(), control
        text = control.text() if isinstance(control, QAbstractButton) else ""
        assert control.accessibleName() or text, control


def test_every_control_takes_the_focus_by_key(desk: Desk) -> None:
    desk.click(5, 10, 10)
    desk.answered()
    reachable = [c for c in controls(desk) if c.isVisible() and c.isEnabled()]
    for control in reachable:
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, control
