"""Feasible targets, and which proposal answers which of them (Hungarian matching)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from napari_piclick.train.losses import pairwise_dice, pairwise_focal

if TYPE_CHECKING:
    from collections.abc import Sequence


def feasible_targets(inside: np.ndarray, positive: Sequence[bool], primary: int) -> np.ndarray:
    """Which masks a user may mean by their clicks.

    Parameters
    ----------
    inside : (N, M) bool
        Whether each of N clicks lies in each of M masks.
    positive : N signs of the clicks
    primary : index of the mask the simulated user has in mind, which always counts

    Returns
    -------
    (K,) int
        The primary target first, then every mask with all positive and no negative click.
    """
    agrees = (inside == np.asarray(positive, bool)[:, None]).all(0)
    agrees[primary] = False
    return np.concatenate([[primary], np.flatnonzero(agrees)])


def match(
    logits: Tensor,
    confidence: Tensor,
    targets: Tensor,
    focal_weight: float = 20.0,
    dice_weight: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Assign the proposals of one prompt to targets at the lowest total cost.

    Parameters
    ----------
    logits : (Q, h, w) mask logits
    confidence : (Q,) logits
    targets : (K, h, w) in [0, 1]

    Returns
    -------
    queries, matched : (min(Q, K),) int
        Query ``queries[i]`` answers target ``matched[i]``.
    """
    (found,) = match_all(logits[None], confidence[None], [targets], focal_weight, dice_weight)
    return found


def match_all(
    logits: Tensor,
    confidence: Tensor,
    targets: Sequence[Tensor],
    focal_weight: float = 20.0,
    dice_weight: float = 1.0,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Assign the proposals of B prompts, (B, Q, h, w) and (B, Q), each to its own targets.

    See `match`, of which this is the same for every prompt; a GPU is waited for only once.
    """
    with torch.no_grad():
        wanted = pad_sequence(list(targets), batch_first=True).flatten(2).float()
        flat = logits.flatten(2).float()
        cost = focal_weight * pairwise_focal(flat, wanted) + dice_weight * pairwise_dice(
            flat, wanted
        )
        cost = (cost - confidence.float().sigmoid()[..., None]).cpu()
    return [
        linear_sum_assignment(one[:, : len(target)].numpy())
        for one, target in zip(cost, targets, strict=True)
    ]
