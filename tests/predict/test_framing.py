"""Framing: closer looks, and what they are about."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_piclick import Click, Predictor, Proposals, Region
from napari_piclick.models.mask_decoder import MaskPrediction
from napari_piclick.predict.framing import Framing
from napari_piclick.predict.start import extent
from napari_piclick.predict.view import View


def _one_mask(view: View, rows: slice, cols: slice) -> MaskPrediction:
    """An answer of one proposal, which lies at rows and columns of the mask's cells."""
    h, w = view.input_shape
    masks = torch.full((1, 1, h // 4, w // 4), -5.0)
    masks[..., rows, cols] = 5
    return MaskPrediction(masks, torch.tensor([[0.9]]), torch.tensor([[3.0]]))


def test_what_is_small_is_looked_at_more_closely() -> None:
    view = View(Region.whole((256, 256)), 512)
    answer = _one_mask(view, slice(60, 68), slice(30, 38))  # 16 pixels of the plane
    closer = Framing().next(view, answer, [Click(127, 67)], None, (256, 256))
    assert closer is not None
    assert closer.region.shape == (96, 96)
    assert closer.region.contains(127, 67, margin=30)


def test_a_look_that_is_hardly_closer_is_not_taken() -> None:
    view = View(Region(50, 150, 40, 140), 512)
    answer = _one_mask(view, slice(60, 66), slice(60, 66))  # 5 pixels of the plane
    assert Framing().next(view, answer, [Click(99, 89)], None, (256, 256)) is None


def test_the_other_proposals_do_not_hold_back_a_closer_look(tiny: Predictor) -> None:
    rows, cols = np.mgrid[:400, :400]
    disk = (rows - 200) ** 2 + (cols - 150) ** 2 <= 12**2
    tiny.set_image(100.0 + 80 * disk + np.random.default_rng(0).normal(0, 5, disk.shape))
    whole = Region.whole(disk.shape)
    masks = np.stack([disk, np.ones_like(disk)]).astype(np.float32)
    scores = np.array([0.9, 0.8], np.float32)
    before = Proposals(masks, whole, disk.shape, scores, scores, view=whole)
    clicks = [Click(200, 150), Click(200, 170, positive=False)]
    answer = tiny.predict(clicks, before)
    assert answer.view is not None
    assert max(answer.view.shape) < 200
    # what is chosen counts, not what is small
    assert tiny.predict(clicks[:1], before.choose(1)).view == whole


@pytest.mark.parametrize("level", [1.0, 0.3])
def test_the_extent_of_a_mask_is_where_it_is(level: float) -> None:
    mask = np.zeros((20, 30), np.float32)
    mask[4:9, 11:13] = level
    assert extent(mask, Region(100, 120, 200, 230)) == Region(104, 109, 211, 213)
    assert extent(np.zeros_like(mask), Region(100, 120, 200, 230)) is None
    assert extent(None, None) is None


def _offered(region: Region, view: Region | None, scores: list[float]) -> Proposals:
    """Full masks of a region, the second one smaller than the first, the third one wider."""
    masks = np.zeros((3, *region.shape), np.float32)
    masks[0, 20:60, 20:60] = masks[1, 30:40, 30:40] = masks[2] = 1
    values = np.array(scores, np.float32)
    return Proposals(masks, region, (256, 256), values, np.ones_like(values), view=view)


def test_a_second_look_is_about_the_better_proposals() -> None:
    framing, shape, whole = Framing(thorough=True), (256, 256), Region.whole((256, 256))
    region = Region(100, 200, 50, 150)
    closer = framing.second(_offered(region, whole, [0.9, 0.8, 0.2]), [Click(135, 85)], shape)
    assert closer is not None
    assert closer.region == Region(108, 172, 58, 122)  # 40 pixels, and 0.3 of it on each side
    assert not closer.mirrored
    wider = framing.second(_offered(region, whole, [0.9, 0.8, 0.7]), [Click(135, 85)], shape)
    assert wider is not None
    assert wider.region.shape == (160, 160)


def test_there_is_no_second_look_where_it_would_show_no_more() -> None:
    framing, region = Framing(thorough=True), Region(100, 200, 50, 150)
    offered = _offered(region, Region(92, 168, 42, 118), [0.9, 0.8, 0.2])
    assert framing.second(offered, [Click(135, 85)], (256, 256)) is None
    nothing = Proposals(
        np.zeros((1, 1, 1), np.float32), Region(5, 6, 5, 6), (256, 256),
        np.ones(1, np.float32), np.ones(1, np.float32), view=Region.whole((256, 256)),
    )  # fmt: skip
    assert framing.second(nothing, [Click(5, 5)], (256, 256)) is None
    with pytest.raises(ValueError, match="what was looked at"):
        framing.second(_offered(region, None, [0.9, 0.8, 0.2]), [Click(135, 85)], (256, 256))
