"""The live preview in a real window, under a real mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Qt

if TYPE_CHECKING:
    from tests.gui.conftest import Desk


def foreseen(desk: Desk) -> np.ndarray:
    return desk.viewer.layers["PiClick preview"].data[0] > 1


def test_what_a_click_would_give_follows_the_mouse(
    desk: Desk, blocks: np.ndarray, settings: Any
) -> None:
    desk.move(5, 10, 10)
    desk.qtbot.wait(100)
    assert desk.predictor.glances == [], "it is off at first"
    desk.qtbot.mouseClick(desk.panel._form.live.native, Qt.MouseButton.LeftButton)
    assert settings.labelling.live_preview
    desk.move(5, 10, 11)
    desk.until(lambda: foreseen(desk).any())
    np.testing.assert_array_equal(foreseen(desk), blocks[5] == 60)
    desk.move(5, 28, 14)
    desk.until(lambda: foreseen(desk)[28, 14])
    np.testing.assert_array_equal(foreseen(desk), blocks[5] == 120)
    desk.leave()
    assert not foreseen(desk).any()

    desk.move(5, 10, 10)
    desk.until(lambda: foreseen(desk)[10, 10])
    desk.click(5, 10, 10)
    desk.answered()
    preview = desk.viewer.layers["PiClick preview"].data[0]
    np.testing.assert_array_equal(preview == 1, blocks[5] == 60)
    assert len(desk.controller.session.clicks) == 1

    desk.press("H")
    assert not settings.labelling.live_preview
    assert not desk.panel._form.live.value
    asked = len(desk.predictor.glances)
    desk.move(5, 12, 40)
    desk.qtbot.wait(100)
    assert len(desk.predictor.glances) == asked
    settings.labelling.live_preview = True
    assert desk.controller.live.on
