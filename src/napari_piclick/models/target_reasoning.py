"""Target Reasoning Module (TRM): which of the proposals the user most likely means (Eq. 5)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from napari_piclick.models.layers import MultilayerPerceptron

#: What an untrained confidence head says of every proposal, as a logit.
CONFIDENCE = 2.0


class TargetReasoning(nn.Module):
    """An IoU head and a confidence head on every mask query.

    The IoU head corrects a prior that the decoder reads off its IoU token. Both
    heads begin as constants, so an untrained module ranks by that prior alone.
    """

    def __init__(self, width: int = 256) -> None:
        super().__init__()
        self.iou_head = MultilayerPerceptron(width, width, width, 1)
        self.confidence_head = MultilayerPerceptron(width, width, width, 1)
        for head, value in ((self.iou_head, 0.0), (self.confidence_head, CONFIDENCE)):
            _make_constant(head, value)

    def forget_confidence(self) -> None:
        """Make the confidence head constant again, so that the IoU score alone ranks."""
        _make_constant(self.confidence_head, CONFIDENCE)

    def forward(self, queries: Tensor, iou_prior: Tensor) -> tuple[Tensor, Tensor]:
        """Score (B, Q, C) queries given the (B, Q) prior.

        Returns
        -------
        iou : (B, Q) predicted IoU with the object meant; not clipped, so that a loss can pull it.
        confidence : (B, Q) logits of the probability that the mask is an object.
        """
        iou = iou_prior + self.iou_head(queries).squeeze(-1)
        return iou, self.confidence_head(queries).squeeze(-1)


def choose(iou: Tensor, confidence: Tensor) -> Tensor:
    """(B,) index of the proposal with the highest product of IoU and confidence score."""
    return torch.argmax(iou * confidence, dim=-1)


def _make_constant(head: MultilayerPerceptron, value: float) -> None:
    nn.init.zeros_(head.last.weight)
    nn.init.constant_(head.last.bias, value)
