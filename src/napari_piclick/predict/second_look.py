"""The second look: what is seen from nearer, in the place of proposals that show the same object.

Of seven proposals two or three are often near-duplicates of better ones. Looked at from nearer, an
object shows parts that the first look had no room for, or drew too coarsely, while what lies around
it is seen from farther away only. So all that the first look tells apart stays, the model's own
pick before all, and the closer look fills the rest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_piclick.predict.parts import TWIN
from napari_piclick.predict.ranking import rank, wrong_sides
from napari_piclick.proposals import overlaps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_piclick.clicks import Click
    from napari_piclick.proposals import Proposals
    from napari_piclick.region import Region

#: A mask stands for another in so far as their IoU exceeds this.
STANDS_FOR = 0.7
#: What a mask on the wrong side of a click says counts so much less.
WRONG = 0.2
#: Masks are compared on a grid of at most so many pixels in each direction.
GRID = 256


def with_closer(proposals: Proposals, closer: Proposals, clicks: Sequence[Click]) -> Proposals:
    """Fill the places of near-duplicates from a closer look.

    Parameters
    ----------
    proposals, closer : Proposals
        Of the same clicks on the same plane, best first.
    clicks : sequence of Click

    Returns
    -------
    Proposals
        As many, the first one unchanged; the same ones if all of them are different.
    """
    region = proposals.region.union(closer.region)
    masks = np.concatenate([_on(region, proposals), _on(region, closer)])
    score = np.concatenate([proposals.score, closer.score])
    count, step = len(proposals), -(-max(region.shape) // GRID)
    alike = overlaps(masks[:, ::step, ::step] > proposals.threshold)
    chosen = _different(alike[:count, :count])
    if len(chosen) == count:
        return proposals
    wrong = wrong_sides(torch.from_numpy(masks), region, clicks).numpy()
    weights = score * np.where(wrong > 0, WRONG, 1)
    stands = np.maximum(alike - STANDS_FOR, 0) / (1 - STANDS_FOR)
    shown = stands[:, chosen].max(1)
    while len(chosen) < count:
        said = weights @ np.maximum(stands - shown[:, None], 0)
        said[chosen] = -1
        chosen.append(int(said.argmax()))
        shown = np.maximum(shown, stands[:, chosen[-1]])
    return _offered(proposals, closer, chosen, region, masks, clicks)


def _on(region: Region, proposals: Proposals) -> np.ndarray:
    """The masks of proposals on the pixels of a region that covers their own."""
    inside = proposals.region.moved(-region.row0, -region.col0)
    return np.stack([inside.paste(mask, region.shape) for mask in proposals.masks])


def _different(alike: np.ndarray) -> list[int]:
    """The proposals, best first, that are like no better one which is kept."""
    kept = [0]
    for index in range(1, len(alike)):
        if alike[index, kept].max() < TWIN:
            kept.append(index)
    return kept


def _offered(
    proposals: Proposals,
    closer: Proposals,
    chosen: Sequence[int],
    region: Region,
    masks: np.ndarray,
    clicks: Sequence[Click],
) -> Proposals:
    """Chosen masks of both looks, the pick first, then in the order of their scores."""
    iou = np.concatenate([proposals.iou, closer.iou])
    confidence = np.concatenate([proposals.confidence, closer.confidence])
    rest = np.array(chosen[1:])
    score = torch.from_numpy(iou[rest] * confidence[rest])
    order = rank(score, torch.from_numpy(masks[rest]), region, clicks).numpy()
    taken = [chosen[0], *rest[order].tolist()]
    return replace(
        proposals,
        masks=masks[taken],
        region=region,
        iou=iou[taken],
        confidence=confidence[taken],
        part=taken.index(proposals.part) if proposals.part in taken else None,
    )
