"""The ranking: which proposal comes first, and is the model's own pick."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_piclick.clicks import Click
    from napari_piclick.region import Region

#: What each click on the wrong side costs. A whole point had many late clicks, which lie close
#: to outlines, turn a good mask down for one that shares nothing with it.
WRONG_SIDE = 0.2


def rank(score: Tensor, masks: Tensor, region: Region, clicks: Sequence[Click]) -> Tensor:
    """Order proposals by their score, less something for each click on the wrong side.

    The TRM knows the clicks, but at times prefers a proposal that leaves one of them on the
    wrong side. Whoever clicked there has just said that this is not what they mean. But a click
    may miss its side by a pixel, and a mask that is far better otherwise is not turned down for it.

    Parameters
    ----------
    score : (Q,) in [0, 1]
        IoU score times confidence score, by which the paper ranks.
    masks : (Q, h, w) probabilities on the pixels of ``region``; outside it they are zero
    region : Region
    clicks : sequence of Click

    Returns
    -------
    (Q,) int
        Indices, the first proposal first.
    """
    wrong = wrong_sides(masks, region, clicks)
    return torch.argsort(score - WRONG_SIDE * wrong, descending=True, stable=True)


def wrong_sides(masks: Tensor, region: Region, clicks: Sequence[Click]) -> Tensor:
    """(Q,) how many clicks each mask has on the wrong side; parameters as for `rank`."""
    wrong = masks.new_zeros(len(masks))
    for click in clicks:
        row, col = click.pixel
        if region.contains(row, col):
            held = masks[:, row - region.row0, col - region.col0] > 0.5
            wrong += held != click.positive
        else:  # no mask reaches there
            wrong += click.positive
    return wrong
