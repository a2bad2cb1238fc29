"""The loss of Eq. 6: dice and focal on masks, L1 on the IoU score, BCE on the confidence score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from napari_piclick.models.mask_decoder import MaskPrediction
    from napari_piclick.train.recipe import Recipe

ALPHA, GAMMA = 0.25, 2.0
#: Parts of the loss, in the order in which they are reported.
PARTS = ("focal", "dice", "iou", "confidence")


def focal(logits: Tensor, targets: Tensor) -> Tensor:
    """Sigmoid focal loss per pixel (Lin et al., ICCV 2017); targets may be fractions."""
    probability = logits.sigmoid()
    error = (probability - targets).abs()
    weight = ALPHA * targets + (1 - ALPHA) * (1 - targets)
    entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return weight * error.pow(GAMMA) * entropy


def dice(logits: Tensor, targets: Tensor, smooth: float = 1.0) -> Tensor:
    """One minus the Dice overlap of (..., N) probabilities and targets, per leading index."""
    probability = logits.sigmoid()
    overlap = (probability * targets).sum(-1)
    return 1 - (2 * overlap + smooth) / (probability.sum(-1) + targets.sum(-1) + smooth)


def pairwise_focal(logits: Tensor, targets: Tensor) -> Tensor:
    """(Q, K) mean focal loss of each of (Q, N) logits against each of (K, N) targets."""
    probability = logits.sigmoid()
    positive = ALPHA * (1 - probability).pow(GAMMA) * -F.logsigmoid(logits)
    negative = (1 - ALPHA) * probability.pow(GAMMA) * -F.logsigmoid(-logits)
    return (positive @ targets.T + negative @ (1 - targets).T) / logits.shape[1]


def pairwise_dice(logits: Tensor, targets: Tensor, smooth: float = 1.0) -> Tensor:
    """(Q, K) Dice loss of each of (Q, N) logits against each of (K, N) targets."""
    probability = logits.sigmoid()
    total = probability.sum(1)[:, None] + targets.sum(1)[None]
    return 1 - (2 * probability @ targets.T + smooth) / (total + smooth)


def mask_iou(logits: Tensor, target: Tensor) -> Tensor:
    """(Q,) IoU of (Q, h, w) logits above zero with one (h, w) target above a half."""
    found, wanted = (logits > 0).flatten(1), (target > 0.5).flatten()
    overlap = (found & wanted).sum(1)
    union = (found | wanted).sum(1)
    return overlap / union.clamp(min=1)


def prompt_loss(
    prediction: MaskPrediction,
    targets: Sequence[Tensor],
    matches: Sequence[tuple[np.ndarray, np.ndarray]],
    recipe: Recipe,
) -> tuple[Tensor, Tensor]:
    """The loss of B prompts.

    Parameters
    ----------
    prediction : MaskPrediction
        Of B prompts with Q proposals each.
    targets : B tensors (K, h, w) in [0, 1]
        Feasible targets, the primary one first.
    matches : B pairs from `match`.
    recipe : Recipe
        Weights of the parts.

    Returns
    -------
    total : scalar, weighted mean over the prompts
    parts : (4,) unweighted parts, see `PARTS`, without gradient
    """
    masks, wanted, weights, owners = [], [], [], []
    iou_true, object_true = [], torch.zeros_like(prediction.confidence)
    for b, (target, (queries, matched)) in enumerate(zip(targets, matches, strict=True)):
        masks.append(prediction.masks[b, queries].flatten(1))
        wanted.append(target[matched].flatten(1))
        weight = torch.ones(len(queries), device=target.device)
        weight[torch.as_tensor(matched) == 0] = recipe.primary
        weights.append(weight / weight.sum())
        owners.append(len(queries))
        object_true[b, queries] = 1
        iou_true.append(mask_iou(prediction.masks[b].detach(), target[0]))
    logits, goal = torch.cat(masks).float(), torch.cat(wanted).float()
    weight = torch.cat(weights) / len(targets)
    focal_part = (focal(logits, goal).mean(1) * weight).sum()
    dice_part = (dice(logits, goal) * weight).sum()
    iou_part = (prediction.iou.float() - torch.stack(iou_true)).abs().mean()
    balance = torch.where(object_true == 1, 1.0, recipe.unmatched)
    confidence_part = (
        F.binary_cross_entropy_with_logits(
            prediction.confidence.float(), object_true, balance, reduction="sum"
        )
        / balance.sum()
    )
    parts = torch.stack([focal_part, dice_part, iou_part, confidence_part])
    scale = torch.tensor([recipe.focal, recipe.dice, recipe.iou, recipe.confidence])
    return (parts * scale.to(parts.device)).sum(), parts.detach()
