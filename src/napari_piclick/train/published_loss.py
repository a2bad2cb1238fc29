"""The loss of the authors' released code, for the published network, at every layer.

It differs from Eq. 6 in these ways: the confidence is a cross entropy between two classes, a third
head is trained to tell the best proposal from the others, and every prediction set counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from napari_piclick.train.losses import dice, focal, mask_iou
from napari_piclick.train.matching import match
from napari_piclick.train.recipe import RECIPES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from napari_piclick.models.piclick_head import PredictionSet
    from napari_piclick.train.recipe import Recipe

#: Parts of the loss of one prediction set, in this order, each times its weight.
PARTS = ("confidence", "focal", "dice", "iou", "onehot")
#: Weight of the head that tells the best proposal.
ONEHOT = 0.05
#: What that head is to say of the best proposals, and of the others.
BEST, OTHER = 0.9, 0.1
#: Keeps the dice loss of empty masks finite.
SMOOTH = 1e-3


def published_loss(
    sets: Sequence[PredictionSet],
    targets: Sequence[Tensor],
    primary: Tensor,
    recipe: Recipe | None = None,
) -> tuple[Tensor, Tensor, list[tuple[np.ndarray, np.ndarray]]]:
    """The loss of B prompts over all prediction sets (deep supervision).

    Parameters
    ----------
    sets : sequence of PredictionSet
        As `PiClick.all_sets` gives them, B prompts with Q proposals each.
    targets : B tensors (K, H, W) in {0, 1}
        Feasible targets, at the size of the pictures.
    primary : (B, H, W) in {0, 1}
        The mask each simulated user has in mind.
    recipe : Recipe, optional
        Weights of the parts; "code" if not given.

    Returns
    -------
    total : scalar, the sum over sets and parts
    parts : (len(sets), 5), see `PARTS`, weighted, without gradient
    matches : B pairs from `match`, those of the last set
    """
    recipe = recipe or RECIPES["code"]
    shape = (int(primary.shape[1]), int(primary.shape[2]))
    rows = []
    matches: list[tuple[np.ndarray, np.ndarray]] = []
    for prediction in sets:
        masks = F.interpolate(prediction.masks.float(), shape, mode="bilinear", align_corners=True)
        objects = prediction.objects.float()
        matches = [
            match(m, o[:, 0] - o[:, 1], t, recipe.focal, recipe.dice)
            for m, o, t in zip(masks, objects, targets, strict=True)
        ]
        rows.append(_parts(prediction, masks, targets, primary, matches, recipe))
    parts = torch.stack(rows)
    return parts.sum(), parts.detach(), matches


def _parts(
    prediction: PredictionSet,
    masks: Tensor,
    targets: Sequence[Tensor],
    primary: Tensor,
    matches: Sequence[tuple[np.ndarray, np.ndarray]],
    recipe: Recipe,
) -> Tensor:
    """(5,) weighted parts of one prediction set with (B, Q, H, W) masks."""
    classes = torch.ones(masks.shape[:2], dtype=torch.long, device=masks.device)
    found, wanted = [], []
    for b, (target, (queries, matched)) in enumerate(zip(targets, matches, strict=True)):
        classes[b, queries] = 0
        found.append(masks[b, queries].flatten(1))
        wanted.append(target[matched].flatten(1).float())
    logits, goal = torch.cat(found), torch.cat(wanted)
    balance = torch.tensor([1.0, recipe.unmatched], device=masks.device)
    objects = prediction.objects.float().flatten(0, 1)
    confidence = F.cross_entropy(objects, classes.flatten(), balance)
    truth = torch.stack([mask_iou(m.detach(), p) for m, p in zip(masks, primary, strict=True)])
    iou = (prediction.iou.float().sigmoid() - truth).abs().mean()
    best = truth == truth.amax(1, keepdim=True)
    said = prediction.onehot.float().log_softmax(1)
    onehot = -(torch.where(best, BEST, OTHER) * said).sum(1).mean()
    return torch.stack(
        [
            recipe.confidence * confidence,
            recipe.focal * focal(logits, goal).mean(),
            recipe.dice * dice(logits, goal, SMOOTH).mean(),
            recipe.iou * iou,
            ONEHOT * onehot,
        ]
    )
