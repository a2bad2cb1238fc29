"""Continuity: which of the proposals on a slice goes on with the object of its neighbours.

One click fits several objects, and so the model proposes several masks; the slice next door
tells which of them is meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.session.slice_mask import LabelledBy, SliceMask

if TYPE_CHECKING:
    from napari_piclick.proposals import Proposals


@dataclass(frozen=True)
class Continuity:
    """How much each sign weighs: exponents of a product of values between 0 and 1.

    The defaults were chosen on training data; see ``docs/volumes.md``.

    Parameters
    ----------
    score : float
        Predicted IoU times confidence, from the model.
    overlap : float
        IoU with the expected mask, up to ``enough``.
    enough : float
        A mask with this IoU goes on with the object as well as one can tell: objects change from
        slice to slice, and beyond it the score alone decides.
    area : float
        The smaller area over the larger.
    position : float
        1 where the centroids coincide, less the farther they lie apart for their size.
    """

    score: float = 1.0
    overlap: float = 1.0
    enough: float = 0.5
    area: float = 0.5
    position: float = 0.5

    def worth(self, score: np.ndarray, overlap: np.ndarray) -> np.ndarray:
        """How well masks with these scores and overlaps go on with the object."""
        reached: np.ndarray = np.minimum(overlap / self.enough, 1)
        return np.clip(score, 0, 1) ** self.score * reached**self.overlap


@dataclass(frozen=True, eq=False)
class Continued:
    """A proposal that goes on with the object.

    Parameters
    ----------
    labelled : SliceMask
    proposal : int
        Its number among the proposals.
    predicted_iou : float
    area_ratio : float
        Its area over the expected one.
    """

    labelled: SliceMask
    proposal: int
    predicted_iou: float
    area_ratio: float


def continue_object(
    index: int, proposals: Proposals, expected: SliceMask, weights: Continuity | None = None
) -> Continued:
    """The proposal that continues an object best.

    Parameters
    ----------
    index : int
        Number of the slice.
    proposals : Proposals
    expected : SliceMask
        What the neighbours let expect on this slice; not empty.
    weights : Continuity, optional
        None for the model's own choice.
    """
    assert expected.region is not None
    region = proposals.region.union(expected.region)
    wanted = expected.on(region)
    masks = np.zeros((len(proposals), *region.shape), bool)
    row, col = proposals.region.row0 - region.row0, proposals.region.col0 - region.col0
    height, width = proposals.region.shape
    masks[:, row : row + height, col : col + width] = proposals.masks > proposals.threshold

    areas = masks.sum(axis=(1, 2)).astype(float)
    area = float(wanted.sum())
    overlaps = (masks & wanted).sum(axis=(1, 2))
    ious = overlaps / (areas + area - overlaps)
    best = proposals.chosen
    if weights is not None:
        ratios = np.minimum(areas, area) / np.maximum(areas, area)
        signs = (
            weights.worth(proposals.score, ious),
            ratios**weights.area,
            _closeness(masks, areas, wanted) ** weights.position,
        )
        product = np.prod(signs, axis=0)
        if product.any():
            best = int(product.argmax())
    plane = region.paste(masks[best], proposals.plane_shape)
    labelled = SliceMask.of(
        index, plane, LabelledBy.PROPAGATED, float(proposals.score[best]), float(ious[best])
    )
    return Continued(labelled, best, float(proposals.iou[best]), float(areas[best] / area))


def _closeness(masks: np.ndarray, areas: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(Q,) 1 where the centroid of a mask is that of the expected one, and less farther away.

    At a distance of the expected object's radius it is 0.37.
    """
    rows, cols = (np.arange(n) for n in wanted.shape)
    safe = np.maximum(areas, 1)
    row = (masks.sum(axis=2) @ rows) / safe
    col = (masks.sum(axis=1) @ cols) / safe
    here = np.mean(np.nonzero(wanted), axis=1)
    radius = np.sqrt(wanted.sum() / np.pi) + 1
    distance = np.hypot(row - here[0], col - here[1]) / radius
    closeness: np.ndarray = np.exp(-(distance**2))
    return closeness
