"""The pick rule: which proposal is taken first, before the user says anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from napari_piclick.proposals import Proposals

PickRule = Literal["score", "iou", "largest", "smallest"]

#: A proposal counts for "largest" and "smallest" from this share of the best score on.
NEAR = 0.8


def pick(proposals: Proposals, rule: PickRule) -> Proposals:
    """The same proposals, with the one chosen that a rule prefers.

    Parameters
    ----------
    proposals : Proposals
    rule : {"score", "iou", "largest", "smallest"}
        By IoU score times confidence score, as the paper; by IoU score alone; or by size among
        those whose score comes near the best.
    """
    if rule == "score":
        return proposals
    if rule == "iou":
        best = int(np.argmax(proposals.iou))
    else:
        near = np.flatnonzero(proposals.score >= NEAR * proposals.score.max())
        areas = proposals.areas[near]
        # a proposal without a pixel is nobody's smallest object
        near, areas = (near[areas > 0], areas[areas > 0]) if areas.any() else (near, areas)
        best = int(near[np.argmax(areas) if rule == "largest" else np.argmin(areas)])
    return proposals if best == proposals.chosen else proposals.choose(best, by="trm")
