"""The head of the published PiClick: queries become masks, and the TRM's heads score them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from torch import Tensor, nn

from napari_piclick.models.masked_decoder import MaskedDecoder
from napari_piclick.models.pixel_decoder import PixelDecoder
from napari_piclick.models.sine_encoding import encode_grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_piclick.models.piclick_config import PiClickConfig


class PredictionSet(NamedTuple):
    """What Q queries say after one layer, as logits.

    ``objects`` is (B, Q, 2), object and nothing; ``masks`` (B, Q, H/4, W/4); ``iou`` and
    ``onehot`` (B, Q).
    """

    objects: Tensor
    masks: Tensor
    iou: Tensor
    onehot: Tensor


@dataclass(frozen=True, eq=False)
class Scores:
    """What the TRM says of (B, Q) proposals, each in [0, 1].

    Parameters
    ----------
    iou : (B, Q) predicted IoU
    confidence : (B, Q) probability that the mask is an object
    onehot : (B, Q) how likely the proposal is the best; the paper does not mention it
    """

    iou: Tensor
    confidence: Tensor
    onehot: Tensor

    @classmethod
    def of(cls, prediction: PredictionSet) -> Scores:
        """The scores of a prediction set."""
        return cls(
            prediction.iou.float().sigmoid(),
            prediction.objects.float().softmax(-1)[..., 0],
            prediction.onehot.float().sigmoid(),
        )


class PiClickHead(nn.Module):
    """Pixel decoder, masked-attention decoder and the Target Reasoning Module's heads (Eq. 5)."""

    def __init__(self, config: PiClickConfig) -> None:
        super().__init__()
        width = config.decoder_width
        self.pixel_decoder = PixelDecoder(
            config.neck_widths,
            width,
            config.pixel_layers,
            config.pixel_hidden,
            config.decoder_heads,
            config.sampling_points,
        )
        self.transformer_decoder = MaskedDecoder(
            width, config.decoder_layers, config.decoder_hidden, config.decoder_heads
        )
        self.query_embed = nn.Embedding(config.num_queries, width)
        self.query_feat = nn.Embedding(config.num_queries, width)
        self.level_embed = nn.Embedding(3, width)
        self.cls_embed = nn.Linear(width, 2)
        self.mask_embed = _three_layers(width, width)
        self.iou_embed = _three_layers(width, 1)
        self.onehot_embed = _three_layers(width, 1)

    def forward(
        self, pyramid: Sequence[Tensor], clicks: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """Let the queries look.

        Parameters
        ----------
        pyramid : four (B, C_k, h_k, w_k), finest first.
        clicks : (B, P, C) click embeddings and (B, P) bool, True for those that do not exist.

        Returns
        -------
        features : (B, C, H/4, W/4)
        states : list of (B, Q, C), the queries before the first and after each layer
        """
        features, memory = self.pixel_decoder(pyramid)
        levels = []
        for k, maps in enumerate(memory):
            shape = (maps.shape[2], maps.shape[3])
            position = encode_grid(shape, maps.shape[1] // 2, maps.device)
            pixels = maps.flatten(2).transpose(1, 2) + self.level_embed.weight[k]
            levels.append((pixels, position, shape))
        queries = self.query_feat.weight.expand(len(features), -1, -1)
        states = self.transformer_decoder(
            queries, self.query_embed.weight, levels, clicks, lambda x: self.masks(x, features)
        )
        return features, states

    def masks(self, state: Tensor, features: Tensor) -> Tensor:
        """(B, Q, h, w) mask logits of (B, Q, C) queries on (B, C, h, w) features."""
        filters = self.mask_embed(state)
        return (filters @ features.flatten(2)).unflatten(2, features.shape[2:])

    def predict(self, state: Tensor, features: Tensor) -> PredictionSet:
        """The prediction set of (B, Q, C) queries."""
        return PredictionSet(
            self.cls_embed(state),
            self.masks(state, features),
            self.iou_embed(state).squeeze(-1),
            self.onehot_embed(state).squeeze(-1),
        )


def _three_layers(width: int, out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(width, width),
        nn.ReLU(),
        nn.Linear(width, width),
        nn.ReLU(),
        nn.Linear(width, out),
    )
