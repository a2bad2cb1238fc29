"""Linear layers in 8-bit integers, for CPUs: faster, and nearly the same."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from napari_piclick.models.piclick import PiClick


class Int8Linear(nn.Module):
    """A linear layer with 8-bit weights, one scale per output, and 8-bit inputs scaled per call.

    Parameters
    ----------
    linear : nn.Linear
        The layer to copy, float32 on the CPU.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach()
        scales = (weight.abs().amax(1) / 127).clamp(min=1e-9).double()
        zeros = torch.zeros(len(weight), dtype=torch.long)
        with warnings.catch_warnings():  # about tensors of such types; only the product is used
            warnings.simplefilter("ignore")
            packed = torch.quantize_per_channel(weight, scales, zeros, 0, torch.qint8)
        self._packed = torch.ops.quantized.linear_prepack(packed, linear.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Transform the last axis of (..., C) float32."""
        y: Tensor = torch.ops.quantized.linear_dynamic(x, self._packed, reduce_range=False)
        return y


def to_int8(model: PiClick) -> PiClick:
    """Replace, in place, the linear layers in which nearly all the time goes.

    These are the vision transformer's blocks and the feed-forward layers of the pixel
    decoder; the heads and all that decides where to look stay in float32.

    Raises
    ------
    ValueError
        If this machine's processor or PyTorch has no 8-bit arithmetic.
    """
    parts = [*model.backbone.blocks, *model.head.pixel_decoder.encoder.layers]
    for part in parts:
        for parent in list(part.modules()):
            for name, child in list(parent.named_children()):
                if isinstance(child, nn.Linear) and name in _REPLACED:
                    try:
                        setattr(parent, name, Int8Linear(child))
                    except (RuntimeError, AttributeError) as error:
                        raise ValueError(
                            "The fast mode does not work with this processor or PyTorch "
                            f"({error}); use the model without it."
                        ) from error
    return model


#: Names of the layers to replace: attention and both halves of feed-forward layers.
_REPLACED = {"qkv", "proj", "fc1", "fc2", "0", "1", "value_proj", "output_proj"}
