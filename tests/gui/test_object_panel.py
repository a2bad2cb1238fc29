from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QPushButton

from napari_piclick._qt import object_strings as strings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.gui.conftest import Desk


@pytest.fixture
def busy_desk(open_desk: Callable[..., Desk], blocks: np.ndarray) -> Desk:
    """A window with labels from elsewhere, the objects' section open."""
    desk = open_desk(blocks, name="blocks", scale=(2, 0.5, 0.5), units=("um", "um", "um"))
    data = np.zeros(blocks.shape, np.uint16)
    data[3:8, 5:15, 6:22] = 3
    data[6:8, 25:30, 12:18] = 8
    data[5, 36:38, 40:44] = 8
    how = {"scale": (2, 0.5, 0.5), "units": ("um", "um", "um")}
    desk.controller.labels.set_target(desk.viewer.add_labels(data, name="cells", **how))
    desk.controller.start()
    desk.show(5, 0, 0)
    desk.panel.sections.findChildren(QPushButton)[0].click()
    desk.until(lambda: desk.panel.objects.table.rowCount() == 2)
    return desk


def texts(desk: Desk) -> list[list[str]]:
    table = desk.panel.objects.table
    return [
        [table.item(row, column).text() for column in range(table.columnCount())]
        for row in range(table.rowCount())
    ]


def press(desk: Desk, text: str) -> None:
    buttons = desk.panel.objects.findChildren(QPushButton)
    button = next(button for button in buttons if button.text() == text)
    desk.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_the_table_tells_measures_and_jumps(busy_desk: Desk) -> None:
    desk = busy_desk
    table = desk.panel.objects.table
    assert texts(desk) == [["3", "", "400", "5", "", ""], ["8", "", "34", "3", "", ""]]
    assert table.horizontalHeaderItem(2).text() == "Volume\n(µm³)"
    place = table.visualItemRect(table.item(1, 0)).center()
    view = table.viewport()
    desk.qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=place)
    desk.qtbot.mouseDClick(view, Qt.MouseButton.LeftButton, pos=place)
    assert desk.controller.plane.index == (6,)
    assert desk.panel.objects.selected == [8]


def test_refine_classify_reshape_merge_delete_and_undo(
    busy_desk: Desk, said: list[str], blocks: np.ndarray
) -> None:
    desk, panel = busy_desk, busy_desk.panel.objects
    before = desk.controller.target.data.copy()
    press(desk, strings.DELETE)
    press(desk, strings.MERGE)
    assert said == [strings.SELECT_FIRST, strings.SELECT_TWO]
    panel.table.selectRow(0)
    press(desk, strings.REFINE)
    desk.click(5, 12, 12)
    desk.answered()
    desk.press("Return")
    desk.until(lambda: texts(desk)[0][4:] == ["0.90", "1"])
    assert (desk.controller.target.data[5] == 3).sum() == (blocks[5] == 60).sum()
    panel.kind.setEditText("cell")
    desk.qtbot.keyClick(panel.kind.lineEdit(), Qt.Key.Key_Return)
    desk.until(lambda: texts(desk)[0][1] == "cell")
    folder = os.environ.get("PICLICK_SCREENSHOTS")
    if folder:
        from skimage.io import imsave

        imsave(f"{folder}/objects.png", desk.viewer.screenshot(canvas_only=False, flash=False))
    panel.table.selectRow(1)
    press(desk, strings.LARGEST)
    desk.until(lambda: texts(desk)[1][3] == "2")
    panel.table.selectAll()
    press(desk, strings.MERGE)
    desk.until(lambda: panel.table.rowCount() == 1)
    press(desk, strings.DELETE)
    desk.until(lambda: panel.table.rowCount() == 0)
    while desk.controller.session.can_undo:
        desk.controller.undo()
    np.testing.assert_array_equal(desk.controller.target.data, before)
    desk.until(lambda: panel.table.rowCount() == 2)


def test_save_and_open(busy_desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, path = busy_desk, tmp_path / "mine.piclick"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "mine"), ""))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    press(desk, strings.SAVE)
    assert path.exists()
    press(desk, strings.OPEN)
    assert desk.controller.target.name == "mine"
    np.testing.assert_array_equal(desk.controller.target.data, desk.viewer.layers["cells"].data)


def test_a_file_that_nobody_was_asked_about_is_not_replaced(
    busy_desk: Desk, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the dialog leaves the ending out, it asks about another name than the file's."""
    desk, path = busy_desk, tmp_path / "mine.piclick"
    path.write_bytes(b"a day's work")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "mine"), ""))
    press(desk, strings.SAVE)
    assert path.read_bytes() == b"a day's work"
    assert len(said) == 1
    assert "mine.piclick is there already" in said[0]
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    press(desk, strings.SAVE)
    assert len(said) == 1
    assert path.read_bytes() != b"a day's work", "here the dialog asked"


def test_large_labels_are_saved_and_opened_while_the_busy_line_moves(
    busy_desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, path, gate = busy_desk, tmp_path / "mine.piclick", threading.Event()
    monkeypatch.setattr("napari_piclick._napari.saver.LARGE", 1000)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    desk.controller.saver._thread.submit(gate.wait, 20)
    press(desk, strings.SAVE)
    desk.until(lambda: desk.panel._status.text().startswith("Saving…"))
    gate.set()
    desk.until(lambda: not desk.panel._busy.moving)
    assert path.exists()
    assert desk.panel._status.text().startswith("Ready")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    gate.clear()
    desk.controller.saver._thread.submit(gate.wait, 20)
    press(desk, strings.OPEN)
    desk.until(lambda: desk.panel._status.text().startswith("Opening…"))
    gate.set()
    desk.until(lambda: desk.controller.target.name == "mine")
    desk.until(lambda: not desk.panel._busy.moving)


def test_a_session_that_was_cut_short_is_offered_and_comes_back(
    open_desk: Callable[..., Desk], blocks: np.ndarray
) -> None:
    first = open_desk(blocks, name="blocks")
    first.show(5, 0, 0)
    first.click(5, 10, 10)
    first.answered()
    first.press("Return")
    first.until(lambda: first.controller.written is not None)
    first.click(5, 30, 12)
    keeper = first.controller.keeper
    (journal,) = keeper._journals.values()
    pid = f'"pid":{os.getpid()}'
    crashed = journal.path.with_name("99999999-crashed.jsonl")
    crashed.write_text(journal.path.read_text().replace(pid, '"pid":0'))
    kept = first.controller.target.data.copy()
    first.controller.close()

    desk = open_desk(blocks, name="blocks")
    desk.show(5, 0, 0)
    assert desk.panel._banner.isVisible()
    desk.qtbot.mouseClick(desk.panel._banner.accept, Qt.MouseButton.LeftButton)
    np.testing.assert_array_equal(desk.controller.target.data, kept)
    assert len(desk.controller.session.clicks) == 1
    desk.answered()
    assert not desk.panel._banner.isVisible()
    assert crashed.with_suffix(".done").exists()


def test_the_autosave_timer_saves(busy_desk: Desk, tmp_path: Path) -> None:
    desk = busy_desk
    desk.controller.saver.files.folder = tmp_path
    desk.panel.objects.table.selectRow(0)
    press(desk, strings.SMOOTH)
    desk.panel.autosave.set_minutes(0.0005)
    desk.until(lambda: list(tmp_path.glob("*.autosave.piclick")))
    desk.panel.autosave.set_minutes(0)
    assert not desk.panel.autosave.isActive()
