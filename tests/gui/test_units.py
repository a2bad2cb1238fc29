"""A real mouse on an image in other units than the viewer's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from qtpy.QtCore import Qt

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.gui.conftest import Desk

NANOMETRES = 1e6


@pytest.mark.parametrize("selected", ["clicks", "image"])
def test_clicks_lie_under_the_mouse(
    open_desk: Callable[..., Desk], blocks: np.ndarray, selected: str
) -> None:
    desk = open_desk(np.zeros((4, 20, 20)), scale=(50, 4, 4), units=("nm",) * 3, name="neurons")
    image = desk.viewer.add_image(blocks, units=("mm",) * 3, name="brain")
    desk.controller.set_image(image)
    desk.viewer.dims.set_point(0, 5 * NANOMETRES)
    desk.qtbot.wait(50)
    desk.viewer.reset_view()
    desk.qtbot.wait(50)
    if selected == "image":
        desk.viewer.layers.selection.active = image
    # the script that has the mouse knows nothing of units: for it the viewer's are the image's
    seen = SimpleNamespace(data_to_world=lambda place: np.array(place) * NANOMETRES)
    held = Qt.KeyboardModifier.NoModifier
    desk.first_light.click(desk.viewer, seen, (5, 10, 12), Qt.MouseButton.LeftButton, held)
    desk.answered()
    (click,) = desk.controller.session.clicks
    assert (click.row, click.col) == pytest.approx((10, 12), abs=0.5)
    shown = desk.viewer.layers["PiClick preview"].data[0]
    np.testing.assert_array_equal(shown == 1, blocks[5] == 60)
    np.testing.assert_allclose(desk.viewer.layers["PiClick clicks"].data[0], (5, 10, 12), atol=0.5)
