"""PiClick-Tiny, the embedded model: an encoder that runs once per plane and a light decoder."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from napari_piclick.models.mask_decoder import ImageEmbedding, MaskDecoder, MaskPrediction
from napari_piclick.models.tiny_vit import EncoderFeatures, TinyVit

#: Grey values 0..255 are brought to zero mean and unit variance with these (ImageNet's).
MEAN = (123.675, 116.28, 103.53)
DEVIATION = (58.395, 57.12, 57.375)
#: Input sides are multiples of this many pixels.
STRIDE = 16


@dataclass(frozen=True)
class TinyConfig:
    """All that is needed to build the network for a file of weights."""

    num_queries: int = 7
    click_tokens: bool = True
    disks: bool = True
    evidence: bool = False

    def as_dict(self) -> dict[str, int | bool]:
        """The configuration as plain values."""
        return asdict(self)


class PiClickTiny(nn.Module):
    """Seven proposals per click from a TinyViT-5M image embedding."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: TinyConfig | None = None) -> None:
        super().__init__()
        self.config = config or TinyConfig()
        self.encoder = TinyVit()
        self.decoder = MaskDecoder(**asdict(self.config))
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(3, 1, 1), persistent=False)

    def features(self, image: Tensor) -> EncoderFeatures:
        """Encode (B, 3, H, W) RGB in 0..255, H and W multiples of 16."""
        return self.encoder((image - self.mean) / self.deviation)

    def embed(self, features: EncoderFeatures) -> ImageEmbedding:
        """Bring the encoder's features to the decoder's widths."""
        return self.decoder.embed(self.encoder.neck(features.sixteenth), features)

    def encode(self, image: Tensor) -> ImageEmbedding:
        """The embedding to keep of (B, 3, H, W) RGB in 0..255."""
        return self.embed(self.features(image))

    def decode(
        self,
        embedding: ImageEmbedding,
        points: Tensor,
        signs: Tensor,
        previous: Tensor | None = None,
    ) -> MaskPrediction:
        """Answer prompts on a kept embedding; see `MaskDecoder.forward`."""
        prediction: MaskPrediction = self.decoder(embedding, points, signs, previous)
        return prediction
