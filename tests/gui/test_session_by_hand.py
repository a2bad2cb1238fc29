"""A whole session by mouse and keys, in each of the three planes of a stack."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from skimage.io import imsave

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.gui.conftest import Desk

FIRST, SECOND = (5, 15, 35), (5, 30, 15)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1)])
def test_two_objects_one_mistake_and_everything_undone(
    open_desk: Callable[..., Desk], blocks: np.ndarray, order: tuple[int, ...]
) -> None:
    desk = open_desk(blocks, name="blocks", scale=(2, 1, 1))
    session = desk.controller.session
    desk.viewer.dims.order = order

    def go_to(place: tuple[int, int, int]) -> None:
        desk.show(*place)
        desk.viewer.reset_view()
        desk.qtbot.wait(20)

    def expected(place: tuple[int, int, int]) -> np.ndarray:
        """The object there, in the plane that is in view."""
        elsewhere = np.arange(blocks.shape[order[0]]) != place[order[0]]
        one = blocks == blocks[place]
        one.swapaxes(0, order[0])[elsewhere] = False
        return one

    go_to(FIRST)
    desk.click(*FIRST)
    desk.answered()
    desk.press("Tab")
    assert session.proposals.chosen == session.proposals.distinct[1]
    desk.press("1")
    desk.press("Return")
    desk.until(lambda: desk.controller.target is not None and desk.controller.target.data.any())
    target = desk.controller.target
    np.testing.assert_array_equal(target.data == 1, expected(FIRST))

    go_to(SECOND)
    desk.click(*SECOND)
    desk.answered()
    desk.click(*FIRST, button="Right")  # a mistake: it lies in another plane, or another object
    desk.press("Z", "Control")
    desk.answered()
    assert len(session.clicks) == 1
    desk.press("Return")
    desk.until(lambda: (target.data == 2).any())
    np.testing.assert_array_equal(target.data == 2, expected(SECOND))

    picture = desk.viewer.screenshot(canvas_only=False, flash=False)
    assert len(np.unique(picture[..., :3].reshape(-1, 3), axis=0)) > 50
    if "PICLICK_SCREENSHOTS" in os.environ:  # to be looked at
        name = "-".join(map(str, order))
        imsave(Path(os.environ["PICLICK_SCREENSHOTS"], f"planes-{name}.png"), picture)

    desk.press("Z", "Control")
    assert not (target.data == 2).any()
    desk.press("Z", "Control Shift")
    np.testing.assert_array_equal(target.data == 2, expected(SECOND))
    while session.can_undo:
        desk.press("Z", "Control")
    assert not target.data.any()
    assert session.clicks == ()
