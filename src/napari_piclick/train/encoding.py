"""Encoding: a training sample's picture as the features that training keeps of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from napari_piclick.models.tiny_vit import EncoderFeatures
from napari_piclick.predict.intensity import robust_window, to_rgb
from napari_piclick.train.precision import mixed_precision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_piclick.models.piclick_tiny import PiClickTiny


def encode_picture(model: PiClickTiny, image: np.ndarray) -> EncoderFeatures:
    """What a model's encoder sees in a picture, to be kept.

    Parameters
    ----------
    model : PiClickTiny
    image : (H, W, 3) uint8, H and W multiples of 16

    Returns
    -------
    EncoderFeatures
        Of one picture, without the batch axis, in half precision, on the CPU.
    """
    device = next(model.parameters()).device
    batch = stack_pixels([picture_pixels(image)], device)
    with torch.inference_mode(), mixed_precision(device):
        features = model.features(batch)
    return EncoderFeatures(*(f[0].to("cpu", torch.float16).contiguous() for f in features))


def picture_pixels(image: np.ndarray) -> Tensor:
    """(3, H, W) float32 in 0..255: a picture (H, W, 3) as the predictor would show it."""
    pixels = to_rgb(image, robust_window(image)).transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(pixels))


def stack_pixels(pictures: Sequence[Tensor], device: torch.device) -> Tensor:
    """Several pictures as one batch (B, 3, H, W) float32."""
    batch = torch.stack(list(pictures)).to(device).float()  # whole numbers travel sooner
    return batch.to(memory_format=torch.channels_last)


def stack_features(kept: Sequence[EncoderFeatures], device: torch.device) -> EncoderFeatures:
    """Kept features of several pictures as one batch, in full precision."""
    # a processor's autocast refuses to stack half precision, which is how pictures are kept
    with torch.autocast("cpu", enabled=False):
        parts = [torch.stack(maps) for maps in zip(*kept, strict=True)]
    return EncoderFeatures(
        *(x.to(device, torch.float32, memory_format=torch.channels_last) for x in parts)
    )
