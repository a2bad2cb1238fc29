"""One predictor for several who each have a plane of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.conftest import FloodPredictor

from napari_piclick.clicks import Click
from napari_piclick.session.shared_predictor import SharedPredictor


class HalfWay(FloodPredictor):
    """Takes a plane, and may fail at encoding it."""

    fails = False

    def set_image(self, image: Any, **how: Any) -> None:
        super().set_image(image, **how)
        if self.fails:
            raise OSError("The disk is gone.")


def test_answers_are_about_the_plane_before_if_one_could_not_be_set(blocks: np.ndarray) -> None:
    inner = HalfWay()
    one = SharedPredictor(inner)
    one.set_image(blocks[5])
    inner.fails = True
    with pytest.raises(OSError, match="disk"):
        one.set_image(blocks[10])
    inner.fails = False
    mask = one.predict([Click(10, 10)]).plane_mask()
    np.testing.assert_array_equal(mask, blocks[5] == 60)


def test_each_is_answered_about_their_own_plane(blocks: np.ndarray) -> None:
    one = SharedPredictor(FloodPredictor())
    other = one.again()
    one.set_image(blocks[5])
    other.set_image(blocks[10])
    for shared, mask in ((one, blocks[5] == 60), (other, blocks[10] == 0), (one, blocks[5] == 60)):
        np.testing.assert_array_equal(shared.predict([Click(10, 10)]).plane_mask(), mask)
