"""The published PiClick: clicks enter with the image, so every click is a full pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from napari_piclick.models.disk_maps import draw_points
from napari_piclick.models.feature_pyramid import FeaturePyramid
from napari_piclick.models.piclick_config import PiClickConfig
from napari_piclick.models.piclick_head import PiClickHead, PredictionSet
from napari_piclick.models.sine_encoding import encode_positions
from napari_piclick.models.vit import PatchEmbedding, VisionTransformer

if TYPE_CHECKING:
    from collections.abc import Iterable

#: RGB in 0..1 is brought to zero mean and unit variance with these (ImageNet's).
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)


class PiClick(nn.Module):
    """Seven proposals for an image, clicks and a previous mask.

    Parameters
    ----------
    config : PiClickConfig
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: PiClickConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or PiClickConfig()
        self.patch_embed_coords = PatchEmbedding(config.patch, config.width)
        self.backbone = VisionTransformer(
            config.image,
            config.patch,
            config.width,
            config.depth,
            config.heads,
            config.mlp_ratio,
            config.qkv_bias,
        )
        self.neck = FeaturePyramid(config.width, config.neck_widths)
        self.head = PiClickHead(config)
        self.positive_positional_embed = nn.Embedding(1, config.decoder_width)
        self.negative_positional_embed = nn.Embedding(1, config.decoder_width)
        for name, values in (("mean", MEAN), ("deviation", DEVIATION)):
            constant = torch.tensor(values, device="cpu").view(3, 1, 1)
            self.register_buffer(name, constant, persistent=False)

    def forward(self, picture: Tensor, points: Tensor) -> PredictionSet:
        """Answer clicks with the last layer's prediction set.

        Parameters
        ----------
        picture : (B, 4, H, W) float32
            RGB in 0..1 and the previous mask's probabilities; H and W multiples of the patch.
        points : (B, 2P, 3) float
            P rows of positive, then P of negative clicks, each (row, col, order);
            absent ones are (-1, -1, -1).
        """
        features, states = self._look(picture, points)
        return self.head.predict(states[-1], features)

    @property
    def convolutions(self) -> tuple[nn.Module, ...]:
        """The parts that are faster with channels last."""
        return self.neck, self.head.pixel_decoder

    def all_sets(self, picture: Tensor, points: Tensor) -> list[PredictionSet]:
        """The prediction sets before the first and after each layer, for training."""
        features, states = self._look(picture, points)
        return [self.head.predict(state, features) for state in states]

    def _look(self, picture: Tensor, points: Tensor) -> tuple[Tensor, list[Tensor]]:
        image = (picture[:, :3] - self.mean) / self.deviation
        shape = (picture.shape[2], picture.shape[3])
        disks = draw_points(points, shape, float(self.config.click_radius))
        added = self.patch_embed_coords(torch.cat([picture[:, 3:], disks.to(picture.dtype)], 1))
        pyramid = self.neck(self.backbone(image, added))
        clicks = self.click_embeddings(points, shape)
        features, states = self.head(pyramid, clicks)
        return features, states

    def click_embeddings(self, points: Tensor, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Click embeddings (Eq. 1), only for the clicks.

        Returns
        -------
        embeddings : (B, 2P, C), zero for absent clicks
        absent : (B, 2P) bool
            True also for clicks outside the image; coordinates are truncated toward zero.
        """
        half = points.shape[1] // 2
        rows, cols = points[..., 0].trunc(), points[..., 1].trunc()
        present = (points[..., 2] != -1) & (rows >= 0) & (rows < shape[0])
        present &= (cols >= 0) & (cols < shape[1])
        place = encode_positions(rows, cols, shape, self.config.decoder_width // 2)
        sign = torch.cat(
            [
                self.positive_positional_embed.weight.expand(half, -1),
                self.negative_positional_embed.weight.expand(points.shape[1] - half, -1),
            ]
        )
        return (place + sign) * present[..., None], ~present


def make_points(
    positive: Iterable[tuple[float, float, int]],
    negative: Iterable[tuple[float, float, int]],
    at_least: int = 1,
) -> list[tuple[float, float, float]]:
    """The rows of ``points`` for clicks (row, col, order): positive ones first, both padded.

    With ``at_least``, both have that many rows at least, as prompts of one batch need.
    """
    groups = [
        [(float(r), float(c), float(k)) for r, c, k in group] for group in (positive, negative)
    ]
    length = max(at_least, *(len(group) for group in groups))
    absent = (-1.0, -1.0, -1.0)
    return [row for group in groups for row in [*group, *[absent] * (length - len(group))]]
