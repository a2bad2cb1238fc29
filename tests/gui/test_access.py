"""Everything in the panel says what it is, and can be reached and used without a mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QListWidget,
    QTableWidget,
    QWidget,
)

from napari_piclick._qt.proposal_strip import ProposalStrip
from napari_piclick._qt.quality_strip import QualityStrip
from napari_piclick._qt.section import Section
from napari_piclick._qt.strings import LINK

if TYPE_CHECKING:
    from tests.gui.conftest import Desk

CONTROLS = (
    QAbstractButton, QComboBox, QLineEdit, QAbstractSpinBox, QListWidget, QTableWidget,
    QualityStrip,
)  # fmt: skip


def controls(panel: QWidget) -> list[QWidget]:
    """Every control of a panel that is not an inner part of another one."""
    found = [control for kind in CONTROLS for control in panel.findChildren(kind)]
    return [one for one in found if not isinstance(one.parentWidget(), CONTROLS)]


@pytest.fixture
def full_desk(desk: Desk) -> Desk:
    """A window with everything open: an object kept, and proposals for the next."""
    desk.click(5, 10, 10)
    desk.answered()
    desk.press("Return")
    desk.until(lambda: desk.controller.written is not None)
    for section in desk.panel.sections.children():
        if hasattr(section, "heading"):
            section.expand()
    desk.click(5, 30, 15)
    desk.answered()
    desk.until(lambda: desk.panel.objects.table.rowCount() == 1)
    desk.viewer.window.activate()
    desk.until(lambda: QApplication.activeWindow() is not None)
    return desk


@pytest.fixture
def models(full_desk: Desk) -> QWidget:
    """The window of models, with fine-tuning open."""
    form = full_desk.panel._form
    form._show_models()
    panel = form._panel
    panel.findChild(Section).expand()
    full_desk.until(panel.isActiveWindow)
    return panel


def check_named(panel: QWidget) -> None:
    for control in controls(panel):
        text = control.text() if isinstance(control, QAbstractButton) else ""
        assert control.toolTip(), (control, text, control.accessibleName())
        assert control.accessibleName() or text, control


def check_reached(desk: Desk, panel: QWidget, first: QWidget) -> None:
    """Press Tab, from the first control on, as often as there are controls."""
    wanted = {c for c in controls(panel) if c.isVisible() and c.isEnabled()}
    first.setFocus()
    reached = set()
    for _ in range(len(wanted) + 5):
        reached.add(QApplication.focusWidget())
        desk.qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    assert not [(control, control.toolTip()) for control in wanted - reached]


def test_every_control_of_the_panel_has_a_tooltip_and_a_name(full_desk: Desk) -> None:
    assert len(controls(full_desk.panel)) > 30
    assert full_desk.panel.findChild(ProposalStrip).findChildren(QAbstractButton)
    check_named(full_desk.panel)


def test_every_control_of_the_window_of_models_has_a_tooltip_and_a_name(models: QWidget) -> None:
    assert len(controls(models)) >= 7
    check_named(models)


def test_tab_comes_to_every_control_of_the_panel(full_desk: Desk) -> None:
    check_reached(full_desk, full_desk.panel, full_desk.panel._form.image.native)


def test_tab_comes_to_every_control_of_the_window_of_models(
    full_desk: Desk, models: QWidget
) -> None:
    check_reached(full_desk, models, models.list)


def test_enter_in_a_field_ends_the_typing_and_keeps_no_object(full_desk: Desk) -> None:
    desk, panel = full_desk, full_desk.panel
    panel.objects.table.selectRow(0)
    panel.objects.kind.setFocus()
    desk.qtbot.keyClicks(QApplication.focusWidget(), "cell 1")
    desk.qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    desk.until(lambda: desk.controller.session.objects.records[1].kind == "cell 1")
    for spin in panel.volume.findChildren(QAbstractSpinBox):
        spin.setFocus()
        desk.qtbot.keyClick(spin, Qt.Key.Key_Return)
    assert desk.controller.session.proposals is not None
    assert set(desk.controller.session.objects.records) == {1}
    panel._accept.setFocus()
    desk.qtbot.keyClick(panel._accept, Qt.Key.Key_Return)
    assert set(desk.controller.session.objects.records) == {1, 2}


def test_enter_on_an_object_goes_to_it(full_desk: Desk) -> None:
    full_desk.show(1, 0, 0)
    table = full_desk.panel.objects.table
    table.setFocus()
    table.setCurrentCell(0, 0)
    full_desk.qtbot.keyClick(table, Qt.Key.Key_Return)
    assert full_desk.controller.plane.index == (5,)
    assert set(full_desk.controller.session.objects.records) == {1}


def test_enter_on_a_model_uses_it(full_desk: Desk, models: QWidget) -> None:
    chosen: list[str] = []
    models.add = chosen.append
    models.list.setFocus()
    (item,) = models.list.findItems("piclick-base448", Qt.MatchFlag.MatchStartsWith)
    models.list.setCurrentItem(item)
    full_desk.qtbot.keyClick(models.list, Qt.Key.Key_Return)
    assert chosen == ["piclick-base448"]


def test_the_window_of_models_looks_like_napari(full_desk: Desk, models: QWidget) -> None:
    full_desk.viewer.theme = "light"
    full_desk.qtbot.wait(100)
    light = corner(models)
    full_desk.viewer.theme = "dark"
    full_desk.qtbot.wait(100)
    assert light > 180
    assert corner(models) < 80


def corner(widget: QWidget) -> int:
    """How light a window is in its corner."""
    return widget.grab().toImage().pixelColor(2, 2).lightness()


def test_all_columns_of_the_table_show_whatever_a_class_is_called(full_desk: Desk) -> None:
    table = full_desk.panel.objects.table
    full_desk.controller.labels.classify(1, "a class with quite a long name of its own")
    full_desk.until(lambda: table.item(0, 1).text())
    full_desk.qtbot.wait(50)
    assert table.horizontalScrollBar().maximum() == 0
    assert table.item(0, 1).toolTip() == "a class with quite a long name of its own"


def test_links_can_be_read_on_dark_and_light(models: QWidget) -> None:
    link = QColor(LINK)
    assert f"color: {LINK}" in models.text.text()
    for background in ("#262930", "#efebe9"):  # of napari's two themes
        assert contrast(link, QColor(background)) >= 3


def contrast(one: QColor, other: QColor) -> float:
    """The contrast ratio of two colours, as the WCAG define it."""

    def luminance(color: QColor) -> float:
        parts = [color.redF(), color.greenF(), color.blueF()]
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
