"""What all predictors do with planes, whatever their network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_piclick import Click, Proposals
from napari_piclick.predict.plane_predictor import PlanePredictor
from napari_piclick.region import Region

if TYPE_CHECKING:
    from napari_piclick.predict.plane_image import PlaneImage


class WholePlane(PlanePredictor):
    """Proposes the whole plane."""

    fails = False

    def _prepare(self, plane: PlaneImage) -> None:
        if self.fails:
            raise OSError("The disk is gone.")

    def _answer(self, image: PlaneImage, clicks: Any, *_: Any) -> Proposals:
        whole = Region.whole(image.shape)
        return Proposals(
            np.ones((1, *image.shape), np.float32), whole, image.shape, np.ones(1), np.ones(1)
        )


def test_a_plane_that_cannot_be_read_is_not_taken() -> None:
    predictor = WholePlane("whole", "0" * 64)
    predictor.set_image(np.zeros((20, 30), np.uint8))
    predictor.fails = True
    with pytest.raises(OSError, match="disk"):
        predictor.set_image(np.zeros((50, 60), np.uint8))
    assert predictor.predict([Click(3, 4)]).plane_shape == (20, 30)
