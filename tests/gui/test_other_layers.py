"""Mouse and keys while another layer than that of the clicks is selected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from tests.gui.conftest import Desk


@pytest.mark.parametrize("selected", ["image", "labels"])
def test_clicks_and_undo_work_while_it_is_selected(
    desk: Desk, blocks: np.ndarray, selected: str
) -> None:
    labels = desk.viewer.add_labels(np.zeros(blocks.shape, np.uint8), name="mine")
    desk.controller.labels.set_target(labels)
    labels.mode = "pan_zoom"
    layer = labels if selected == "labels" else desk.controller.image
    desk.viewer.layers.selection.active = layer
    session = desk.controller.session
    assert desk.controller.listening
    desk.click(5, 10, 10)
    desk.viewer.layers.selection.active = layer
    desk.click(5, 7, 8, button="Right")
    assert [click.positive for click in session.clicks] == [True, False]
    assert len(desk.viewer.layers["PiClick clicks"].data) == 2
    desk.answered()
    desk.press("Z", "Control")
    assert len(session.clicks) == 1
    desk.press("Z", "Control Shift")
    assert len(session.clicks) == 2
    assert labels.data.max() == 0


@pytest.mark.parametrize("selected", ["image", "labels"])
def test_keys_after_such_a_click_are_ours(desk: Desk, blocks: np.ndarray, selected: str) -> None:
    labels = desk.viewer.add_labels(np.zeros(blocks.shape, np.uint8), name="mine")
    desk.controller.labels.set_target(labels)
    labels.mode = "pan_zoom"
    image = desk.controller.image
    desk.viewer.layers.selection.active = labels if selected == "labels" else image
    desk.click(5, 10, 10)
    desk.answered()
    desk.press("2")
    assert desk.controller.session.proposals.chosen == 1
    assert str(labels.mode) == str(image.mode) == "pan_zoom"
    desk.press("Enter")
    assert labels.data.any()


def test_a_brush_paints_and_its_strokes_are_undone_first(desk: Desk, blocks: np.ndarray) -> None:
    labels = desk.viewer.add_labels(np.zeros(blocks.shape, np.uint8), name="mine")
    desk.controller.labels.set_target(labels)
    desk.click(5, 10, 10)
    desk.answered()
    desk.viewer.layers.selection.active = labels
    labels.mode = "paint"
    labels.brush_size = 3
    assert not desk.controller.listening
    desk.click(5, 30, 15)
    assert labels.data.any()
    assert len(desk.controller.session.clicks) == 1
    desk.press("Z", "Control")
    assert not labels.data.any()
    assert len(desk.controller.session.clicks) == 1
    desk.press("Z", "Control")
    assert desk.controller.session.clicks == ()


def test_a_key_brings_the_clicks_back(desk: Desk) -> None:
    other = desk.viewer.add_points(np.zeros((1, 3)), name="other")
    desk.viewer.layers.selection.active = other
    assert not desk.controller.listening
    desk.press("G")
    assert desk.controller.listening
    assert desk.viewer.layers.selection.active.name == "PiClick clicks"
