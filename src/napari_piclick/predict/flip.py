"""Flip: a picture and its mirror image are answered together, and their proposals brought together.

The two views propose the same objects in different orders; the Hungarian method finds which
belong together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from napari_piclick.models.piclick_head import Scores

if TYPE_CHECKING:
    from napari_piclick.models.piclick_head import PredictionSet

#: Weight of the focal part of the cost.
FOCAL = 20.0
#: The published program calls a pixel object above this probability.
THRESHOLD = 0.49


class Merged(NamedTuple):
    """Q proposals of a flip pair.

    Parameters
    ----------
    logits : (Q, H, W)
        Mean of both views.
    iou, confidence, onehot : (Q,)
        Mean of both views.
    """

    logits: Tensor
    iou: Tensor
    confidence: Tensor
    onehot: Tensor

    @property
    def code_score(self) -> Tensor:
        """(Q,) what the authors' program ranks by when it picks itself (``--max_score``)."""
        return 2 * (6 * self.iou + self.onehot)


class Sorted(NamedTuple):
    """Proposals of one view by falling IoU score: (Q, H, W) logits and (Q,) scores."""

    logits: Tensor
    iou: Tensor
    confidence: Tensor
    onehot: Tensor


def flip_columns(points: Tensor, width: int) -> Tensor:
    """Mirror (..., 3) points on a picture of ``width`` columns; absent ones stay as they are."""
    mirrored = points.clone()
    mirrored[..., 1] = torch.where(points[..., 2] == -1, points[..., 1], width - 1 - points[..., 1])
    return mirrored


def sort_by_iou(prediction: PredictionSet, masks: Tensor) -> list[Sorted]:
    """Each view's proposals by falling IoU score; (B, Q, H, W) ``masks`` are the logits."""
    scores = Scores.of(prediction)
    views = []
    for k, order in enumerate(scores.iou.argsort(1, descending=True)):
        values = (masks[k], scores.iou[k], scores.confidence[k], scores.onehot[k])
        views.append(Sorted(*(x[order] for x in values)))
    return views


def merge_published(plain: Sorted, mirrored: Sorted) -> tuple[Merged, Tensor]:
    """Merge two views as the published program does, its slips included.

    The masks are binary where the cost takes logits, and the assignment found is applied
    the wrong way round: unless it is its own inverse, unlike proposals are averaged.

    Returns
    -------
    merged : Merged
    assigned : (Q,) int
        Which of the mirrored view's proposals belongs to each of the plain view's.
    """
    other = mirrored.logits.flip(-1)
    first = (plain.logits.sigmoid() > THRESHOLD).flatten(1).float()
    second = (other.sigmoid() > THRESHOLD).flatten(1).float()
    cost = _cost(first, second, plain.confidence, mirrored.confidence)
    assigned = torch.as_tensor(linear_sum_assignment(cost.cpu().numpy())[1])
    order = assigned.to(other.device)
    return _mean(plain, order, mirrored, other), assigned


def merge(plain: Sorted, mirrored: Sorted) -> Merged:
    """Merge two views, each proposal with the one that shows the same object."""
    other = mirrored.logits.flip(-1)
    first, second = plain.logits.flatten(1).float(), other.flatten(1).float().sigmoid()
    cost = _cost(first, second, plain.confidence, mirrored.confidence)
    order = torch.as_tensor(linear_sum_assignment(cost.cpu().numpy())[1]).argsort()
    return _mean(plain, order.to(other.device), mirrored, other)


def _mean(plain: Sorted, order: Tensor, mirrored: Sorted, other: Tensor) -> Merged:
    return Merged(
        0.5 * (plain.logits[order] + other),
        0.5 * (plain.iou[order] + mirrored.iou),
        0.5 * (plain.confidence[order] + mirrored.confidence),
        0.5 * (plain.onehot[order] + mirrored.onehot),
    )


def _cost(logits: Tensor, targets: Tensor, confidence: Tensor, other: Tensor) -> Tensor:
    """(Q, Q) cost of taking (Q, N) logits and (Q, N) targets for the same object."""
    p = logits.sigmoid()
    positive = -(p + 1e-12).log() * 0.25 * (1 - p).square()
    negative = -(1 - p + 1e-12).log() * 0.75 * p.square()
    focal = (positive @ targets.T + negative @ (1 - targets).T) / targets.shape[1]
    total = p.sum(1)[:, None] + targets.sum(1)[None]
    dice = 1 - (2 * p @ targets.T + 1) / (total + 1)
    return (confidence[:, None] - other[None]).abs() + FOCAL * focal + dice
