from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QScrollArea

from napari_piclick._qt.busy_line import BusyLine

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot
    from tests.gui.conftest import Desk


def test_a_section_opens_and_closes_by_mouse_and_by_key(desk: Desk) -> None:
    content = QLabel("cells")
    section = desk.panel.sections.add("Objects", content)
    desk.until(content.isVisible)
    assert section.heading.accessibleName() == "Objects, open"
    assert "Objects" in section.heading.toolTip()
    desk.qtbot.mouseClick(section.heading, Qt.MouseButton.LeftButton)
    assert not content.isVisible()
    assert section.heading.accessibleName() == "Objects, closed"
    desk.qtbot.keyClick(section.heading, Qt.Key.Key_Space)
    desk.until(content.isVisible)
    assert content.height() >= content.sizeHint().height()


def test_a_closed_section_takes_no_room_for_its_content(desk: Desk) -> None:
    content = QLabel("\n".join("cells" * 3))
    section = desk.panel.sections.add("Objects", content, opened=False)
    desk.until(section.isVisible)
    assert not content.isVisible()
    assert section.sizeHint().height() < content.sizeHint().height()


def test_sections_that_do_not_fit_scroll_and_the_window_keeps_its_size(desk: Desk) -> None:
    before = desk.panel.window().height()
    for title in ("Objects", "Volume", "Preferences"):
        desk.panel.sections.add(title, QLabel("\n" * 40))
    desk.qtbot.wait(50)
    area = desk.panel.findChild(QScrollArea)
    assert desk.panel.window().height() == before
    assert area.verticalScrollBar().maximum() > 0


class TestTheBusyLine:
    def test_it_moves_only_when_work_takes_long(self, qtbot: QtBot) -> None:
        line = BusyLine()
        qtbot.addWidget(line)
        line.show_busy(True)
        assert not line.moving
        qtbot.waitUntil(lambda: line.moving)
        line.show_busy(False)
        assert not line.moving

    def test_the_status_tells_of_work_that_takes_long(self, desk: Desk) -> None:
        desk.predictor.gate.clear()
        desk.click(5, 10, 10)
        desk.until(lambda: desk.panel._status.text().startswith("Predicting"))
        desk.predictor.gate.set()
        desk.answered()
        assert desk.panel._status.text().startswith("1 click")
