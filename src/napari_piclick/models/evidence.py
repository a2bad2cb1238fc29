"""Evidence: what the picture says of each proposal, for the Target Reasoning Module.

A mask query knows what it was looking for, not what became of its mask. So the TRM is also
shown the picture's features under each mask and just around it, and how sharply the mask is
drawn, as Mask Scoring R-CNN does (Huang et al., CVPR 2019).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_piclick.models.layers import MultilayerPerceptron
from napari_piclick.models.two_way_transformer import Attention

#: Mask cells to a cell of the coarse map, in each direction.
COARSE = 4
#: Numbers that describe a mask alone.
SHAPE = 4


def evidence_width(coarse: int, fine: int) -> int:
    """Length of the evidence for one proposal, given the channels of both maps."""
    return 2 * coarse + fine + SHAPE


def gather_evidence(masks: Tensor, coarse: Tensor, fine: Tensor) -> Tensor:
    """Describe proposals by what lies under and around them.

    Nothing flows back from here: scores are to judge masks, not to bend them.

    Parameters
    ----------
    masks : (B, Q, h, w) logits.
    coarse : (B, C, h/4, w/4) features of the picture, after the clicks were attended to.
    fine : (B, F, h, w) features that the masks were made from.

    Returns
    -------
    (B, Q, 2 C + F + 4): the mean of ``coarse`` under the mask and in a ring around it, the mean
    of ``fine`` under it, and its size, steadiness, sureness and brightest logit.
    """
    logits, coarse, fine = masks.detach().float(), coarse.detach(), fine.detach()
    mask = logits.sigmoid()
    inside = F.avg_pool2d(mask, COARSE)
    around = (F.max_pool2d(inside, 3, 1, 1) - inside).clamp(min=0)
    area = mask.mean((2, 3))
    wide, narrow = ((logits > limit).float().mean((2, 3)) for limit in (-1.0, 1.0))
    shape = [
        (area + 1e-4).log(),
        narrow / (wide + 1e-4),
        ((2 * mask - 1).abs() * mask).mean((2, 3)) / (area + 1e-4),
        logits.amax((2, 3)) / 10,
    ]
    means = [_mean(coarse, inside), _mean(coarse, around), _mean(fine, mask)]
    return torch.cat([*means, torch.stack(shape, -1)], -1)


def _mean(features: Tensor, weights: Tensor) -> Tensor:
    """(B, Q, C) mean of (B, C, h, w) features, weighted by (B, Q, h, w)."""
    flat = weights.flatten(2)
    total = flat.sum(2, keepdim=True) + 1e-3
    return (flat.to(features.dtype) @ features.flatten(2).transpose(1, 2)).float() / total


class EvidenceWeighing(nn.Module):
    """Compare the proposals with one another in the light of the evidence.

    It ends in zeros, so that an untrained one changes no score.

    Parameters
    ----------
    width : int
        Channels of a query.
    evidence : int
        Length of the evidence for one proposal.
    """

    def __init__(self, width: int, evidence: int) -> None:
        super().__init__()
        self.read = MultilayerPerceptron(evidence, width, width)
        self.norm1 = nn.LayerNorm(width)
        self.compare = Attention(width, width // 2, 4)
        self.norm2 = nn.LayerNorm(width)
        self.score = MultilayerPerceptron(width, width, 2)
        nn.init.zeros_(self.score.last.weight)
        nn.init.zeros_(self.score.last.bias)

    def forward(self, queries: Tensor, evidence: Tensor) -> Tensor:
        """What to add to the IoU and the confidence score of (B, Q, C) queries: (B, Q, 2)."""
        x = self.norm1(queries + self.read(evidence))
        x = self.norm2(x + self.compare(x, x, x))
        scores: Tensor = self.score(x)
        return scores
