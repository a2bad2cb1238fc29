"""Proposals in a real window: looked at, cycled through, folded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QEnterEvent, QMouseEvent
from qtpy.QtWidgets import QApplication, QWidget

from napari_piclick._qt.proposal_strip import ProposalStrip
from napari_piclick.proposals import Proposals
from napari_piclick.region import Region

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot
    from tests.gui.conftest import Desk


def shown(desk: Desk) -> int:
    return int(desk.viewer.layers["PiClick preview"].data.sum())


def move_onto(tile: QWidget) -> None:
    middle = QPointF(5, 5)
    none, held = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(tile, QEnterEvent(middle, middle, middle))
    move = QMouseEvent(QEvent.Type.MouseMove, middle, middle, none, none, held)
    QApplication.sendEvent(tile, move)


def test_the_first_click_shows_the_proposal_that_was_chosen(desk: Desk, blocks: np.ndarray) -> None:
    desk.click(5, 10, 10)
    desk.answered()
    preview = desk.viewer.layers["PiClick preview"].data[0]
    np.testing.assert_array_equal(preview == 1, blocks[5] == 60)


def test_a_proposal_under_the_mouse_shows_without_being_chosen(desk: Desk) -> None:
    desk.click(5, 10, 10)
    desk.answered()
    proposals = desk.controller.session.proposals
    areas = [int(proposals.mask(k).sum()) for k in range(7)]
    tile = desk.panel._strip.tiles[3]
    move_onto(tile)
    assert shown(desk) == areas[tile.index]
    assert desk.controller.session.proposals is proposals
    QApplication.sendEvent(tile, QEvent(QEvent.Type.Leave))
    assert shown(desk) == areas[0]
    move_onto(tile)
    desk.press("2")
    assert shown(desk) == areas[1]


def test_a_picture_that_comes_to_a_resting_mouse_is_not_looked_at(desk: Desk) -> None:
    desk.click(5, 10, 10)
    desk.answered()
    before = shown(desk)
    middle = QPointF(5, 5)
    tile = desk.panel._strip.tiles[3]
    QApplication.sendEvent(tile, QEnterEvent(middle, middle, middle))
    assert shown(desk) == before


def test_tab_takes_the_next_that_looks_different(desk: Desk) -> None:
    session = desk.controller.session
    desk.click(5, 10, 10)
    desk.answered()
    distinct = session.proposals.distinct
    for expected in (*distinct[1:], distinct[0]):
        desk.press("Tab")
        assert session.proposals.chosen == expected
    desk.press("Tab", "Shift")
    assert session.proposals.chosen == distinct[-1]


def test_the_area_is_in_the_units_of_the_image(
    open_desk: Callable[..., Desk], blocks: np.ndarray
) -> None:
    desk = open_desk(blocks[5], scale=(0.5, 0.5), units=("um", "um"))
    desk.click(10, 10)
    desk.answered()
    area = int(desk.controller.session.proposals.mask(0).sum()) / 4
    assert f"Area {area:.3g} µm²" in desk.panel._strip.tiles[0].toolTip()


def test_near_duplicates_fold_away_but_never_the_chosen_one(qtbot: QtBot) -> None:
    strip = ProposalStrip()
    qtbot.addWidget(strip)
    masks = np.zeros((3, 20, 20), np.float32)
    masks[:2, 5:15, 5:15] = 1
    masks[1, 5, 5] = 0
    masks[2, :4, :4] = 1
    scores = np.array([0.9, 0.8, 0.7], np.float32)
    proposals = Proposals(masks, Region.whole((20, 20)), (20, 20), scores, scores)
    strip.draw(proposals, None)
    assert [tile.index for tile in strip.tiles] == [0, 2]
    assert "1 more that looks the same" in strip.fold.text()
    qtbot.mouseClick(strip.fold, Qt.MouseButton.LeftButton)
    assert [tile.index for tile in strip.tiles] == [0, 1, 2]
    qtbot.mouseClick(strip.fold, Qt.MouseButton.LeftButton)
    strip.draw(proposals.choose(1), None)
    assert 1 in [tile.index for tile in strip.tiles]
