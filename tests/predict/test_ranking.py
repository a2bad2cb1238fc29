"""The ranking: scores, and clicks that are missed."""

from __future__ import annotations

import torch

from napari_piclick.clicks import Click
from napari_piclick.predict.ranking import rank
from napari_piclick.region import Region

REGION = Region(10, 14, 20, 24)


def _masks() -> torch.Tensor:
    """Whole region, its left half, its top row, nothing."""
    masks = torch.zeros(4, 4, 4)
    masks[0] = 0.9
    masks[1, :, :2] = 0.9
    masks[2, 0] = 0.9
    return masks


def test_without_clicks_the_score_ranks() -> None:
    assert rank(torch.tensor([0.2, 0.9, 0.5, 0.9]), _masks(), REGION, ()).tolist() == [1, 3, 2, 0]


def test_what_leaves_a_click_on_the_wrong_side_comes_later() -> None:
    score = torch.tensor([0.5, 0.45, 0.3, 0.55])
    clicks = [Click(10, 20, positive=True), Click(10, 23, positive=False)]
    # the left half keeps to both, the next two break one each, and so does the empty one
    assert rank(score, _masks(), REGION, clicks).tolist() == [1, 3, 0, 2]


def test_a_far_better_mask_may_miss_a_click() -> None:
    score = torch.tensor([0.9, 0.5, 0.6, 0.1])
    clicks = [Click(10, 20, positive=True), Click(10, 23, positive=False)]
    assert rank(score, _masks(), REGION, clicks).tolist() == [0, 1, 2, 3]


def test_a_click_outside_the_region_is_in_no_mask() -> None:
    score = torch.tensor([0.4, 0.3, 0.2, 0.1])
    assert rank(score, _masks(), REGION, [Click(0, 0, positive=False)]).tolist() == [0, 1, 2, 3]
    assert rank(score, _masks(), REGION, [Click(0, 0, positive=True)]).tolist() == [0, 1, 2, 3]
