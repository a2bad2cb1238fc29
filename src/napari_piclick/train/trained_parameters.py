"""The parameters that are trained, and how fast each learns."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from napari_piclick.models.piclick_tiny import PiClickTiny


def trained_parameters(
    model: PiClickTiny, *, encoder: bool = False, neck: bool = False, scores_only: bool = False
) -> dict[str, nn.Parameter]:
    """What is trained, by name; all else is frozen.

    It is the decoder and perhaps the encoder's stages and neck, or only what scores the proposals.
    """
    model.requires_grad_(requires_grad=False)
    if scores_only:
        model.decoder.target_reasoning.requires_grad_(requires_grad=True)
        model.decoder.iou_prediction_head.requires_grad_(requires_grad=True)
    else:
        model.decoder.requires_grad_(requires_grad=True)
        model.encoder.requires_grad_(requires_grad=encoder)
        model.encoder.neck.requires_grad_(requires_grad=neck)
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def relative_rate(name: str, *, encoder: float, neck: float) -> float:
    """How fast a parameter learns: what is new learns faster than what came with the weights."""
    if name.startswith("encoder."):
        return neck if name.startswith("encoder.neck.") else encoder
    return 3.0 if ".target_reasoning." in name else 1.0
