"""The loss of Eq. 6: dice and focal on masks, L1 on the IoU score, BCE on the confidence score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_piclick.models.mask_decoder import MaskPrediction
    from napari_piclick.train.recipe import Recipe

ALPHA, GAMMA = 0.25, 2.0
#: Parts of the loss, in the order in which they are reported.
PARTS = ("focal", "dice", "iou", "confidence", "regret")
#: Differences of scores below this hardly count in the regret.
TEMPERATURE = 0.05
#: A mask is no object at all up to this IoU with every object, and wholly one from that on.
OBJECT_FROM, OBJECT_TO = 0.5, 0.9


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
    """(..., Q, K) mean focal loss of each of (..., Q, N) logits against each of (..., K, N)."""
    probability = logits.sigmoid()
    positive = ALPHA * (1 - probability).pow(GAMMA) * -F.logsigmoid(logits)
    negative = (1 - ALPHA) * probability.pow(GAMMA) * -F.logsigmoid(-logits)
    return (positive @ targets.mT + negative @ (1 - targets).mT) / logits.shape[-1]


def pairwise_dice(logits: Tensor, targets: Tensor, smooth: float = 1.0) -> Tensor:
    """(..., Q, K) Dice loss of each of (..., Q, N) logits against each of (..., K, N) targets."""
    probability = logits.sigmoid()
    total = probability.sum(-1)[..., :, None] + targets.sum(-1)[..., None, :]
    return 1 - (2 * probability @ targets.mT + smooth) / (total + smooth)


def mask_iou(logits: Tensor, target: Tensor) -> Tensor:
    """(..., Q) IoU of (..., Q, h, w) logits above zero with one (..., h, w) above a half."""
    return pairwise_iou(logits, target[..., None, :, :])[..., 0]


def pairwise_iou(logits: Tensor, targets: Tensor) -> Tensor:
    """(..., Q, K) IoU of (..., Q, h, w) logits above zero with (..., K, h, w) above a half."""
    found = (logits > 0).flatten(-2).float()
    wanted = (targets > 0.5).flatten(-2).float()
    overlap = found @ wanted.mT
    union = found.sum(-1)[..., :, None] + wanted.sum(-1)[..., None, :] - overlap
    return overlap / union.clamp(min=1)


def expected_regret(score: Tensor, iou: Tensor) -> Tensor:
    """What a pick by score loses against the best proposal, in IoU.

    Parameters
    ----------
    score : (B, Q) that ranks, about 0 to 1.
    iou : (B, Q) true IoU of each proposal with the object meant.

    Returns
    -------
    scalar, mean over B; the pick is softened, so that it can be learned.
    """
    picked = (F.softmax(score / TEMPERATURE, -1) * iou).sum(-1)
    return (iou.amax(-1) - picked).mean()


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
    parts : (5,) unweighted parts, see `PARTS`, without gradient
    """
    device = prediction.masks.device
    # one index for all prompts: a GPU is slow at many small things
    counts = [len(queries) for queries, _ in matches]
    owner = torch.arange(len(targets)).repeat_interleave(torch.tensor(counts)).to(device)
    query = torch.from_numpy(np.concatenate([queries for queries, _ in matches])).to(device)
    first = np.cumsum([0, *(len(target) for target in targets)])
    chosen = [start + matched for start, (_, matched) in zip(first, matches, strict=False)]
    shares = []
    for _, matched in matches:
        wanted = np.where(matched == 0, recipe.primary, 1.0)
        shares.append(wanted / wanted.sum() / len(targets))
    weight = torch.from_numpy(np.concatenate(shares).astype(np.float32)).to(device)
    logits = prediction.masks[owner, query].flatten(1).float()
    goal = torch.cat(list(targets))[torch.from_numpy(np.concatenate(chosen)).to(device)]
    goal = goal.flatten(1).float()
    overlaps = pairwise_iou(prediction.masks.detach(), pad_sequence(list(targets), True))
    iou_true = overlaps[..., 0]
    if recipe.confidence_of == "object":
        nearness = (overlaps.amax(-1) - OBJECT_FROM) / (OBJECT_TO - OBJECT_FROM)
        object_true = nearness.clamp(0, 1)
    else:
        object_true = torch.zeros_like(prediction.confidence, dtype=torch.float32)
        object_true[owner, query] = 1
    focal_part = (focal(logits, goal).mean(1) * weight).sum()
    dice_part = (dice(logits, goal) * weight).sum()
    iou, confidence = prediction.iou.float(), prediction.confidence.float()
    error = iou - iou_true
    iou_part = (error.abs() if recipe.iou_error == "l1" else error.square()).mean()
    matched_only = recipe.confidence_of == "matched"
    balance = torch.where((object_true == 0) & matched_only, recipe.unmatched, 1.0)
    confidence_part = (
        F.binary_cross_entropy_with_logits(confidence, object_true, balance, reduction="sum")
        / balance.sum()
    )
    regret_part = expected_regret(iou * confidence.sigmoid(), iou_true)
    parts = torch.stack([focal_part, dice_part, iou_part, confidence_part, regret_part])
    scale = torch.tensor([recipe.focal, recipe.dice, recipe.iou, recipe.confidence, recipe.regret])
    return (parts * scale.to(parts.device)).sum(), parts.detach()
