"""Target Reasoning Module (TRM): which of the proposals the user most likely means (Eq. 5)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from napari_piclick.models.evidence import EvidenceWeighing
from napari_piclick.models.layers import MultilayerPerceptron

#: What an untrained confidence head says of every proposal, as a logit.
CONFIDENCE = 2.0


class TargetReasoning(nn.Module):
    """An IoU head and a confidence head on every mask query.

    The IoU head corrects a prior that the decoder reads off its IoU token. Both
    heads begin as constants, so an untrained module ranks by that prior alone.

    Parameters
    ----------
    width : int
        Channels of a query.
    evidence : int
        Length of the evidence for one proposal; 0 if the queries alone are to be judged.
    """

    def __init__(self, width: int = 256, evidence: int = 0) -> None:
        super().__init__()
        self.iou_head = MultilayerPerceptron(width, width, width, 1)
        self.confidence_head = MultilayerPerceptron(width, width, width, 1)
        for head, value in ((self.iou_head, 0.0), (self.confidence_head, CONFIDENCE)):
            _make_constant(head, value)
        self.weighing = EvidenceWeighing(width, evidence) if evidence else None

    def forget_confidence(self) -> None:
        """Make the confidence head constant again, so that the IoU score alone ranks."""
        _make_constant(self.confidence_head, CONFIDENCE)
        if self.weighing is not None:
            with torch.no_grad():
                self.weighing.score.last.weight[1] = 0
                self.weighing.score.last.bias[1] = 0

    def forward(
        self, queries: Tensor, iou_prior: Tensor, evidence: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Score (B, Q, C) queries given the (B, Q) prior and, if it is read, the evidence.

        Returns
        -------
        iou : (B, Q) predicted IoU with the object meant; not clipped, so that a loss can pull it.
        confidence : (B, Q) logits of the probability that the mask is an object.
        """
        iou = iou_prior + self.iou_head(queries).squeeze(-1)
        confidence = self.confidence_head(queries).squeeze(-1)
        if self.weighing is not None and evidence is not None:
            more_iou, more_confidence = self.weighing(queries, evidence).unbind(-1)
            return iou + more_iou, confidence + more_confidence
        return iou, confidence


def choose(iou: Tensor, confidence: Tensor) -> Tensor:
    """(B,) index of the proposal with the highest product of IoU and confidence score."""
    return torch.argmax(iou * confidence, dim=-1)


def _make_constant(head: MultilayerPerceptron, value: float) -> None:
    nn.init.zeros_(head.last.weight)
    nn.init.constant_(head.last.bias, value)
