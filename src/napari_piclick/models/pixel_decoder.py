"""The pixel decoder: the pyramid's levels exchange what they see, and give mask features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_piclick.models.deformable_attention import DeformableAttention, SamplingGrid
from napari_piclick.models.matrix_conv import Pointwise
from napari_piclick.models.sine_encoding import encode_grid

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Channels are normalised in this many groups.
GROUPS = 32


class NormalisedConv(nn.Module):
    """A convolution, then a group normalisation."""

    def __init__(self, inner: int, outer: int, kernel: int, bias: bool) -> None:
        super().__init__()
        if kernel == 1:
            self.conv: nn.Conv2d = Pointwise(inner, outer, bias)
        else:
            self.conv = nn.Conv2d(inner, outer, kernel, padding=kernel // 2, bias=bias)
        self.gn = nn.GroupNorm(GROUPS, outer)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve and normalise (B, C, h, w)."""
        y: Tensor = self.gn(self.conv(x))
        return y


class FeedForward(nn.Module):
    """Two linear layers with a ReLU between them, added to what came in."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        first = nn.Sequential(nn.Linear(width, hidden), nn.ReLU())
        self.layers = nn.Sequential(first, nn.Linear(hidden, width))

    def forward(self, x: Tensor) -> Tensor:
        """Transform the last axis."""
        y: Tensor = x + self.layers(x)
        return y


class EncoderLayer(nn.Module):
    """Deformable attention among all pixels of all levels, normalised after each half."""

    def __init__(self, width: int, hidden: int, heads: int, levels: int, points: int) -> None:
        super().__init__()
        self.attentions = nn.ModuleList([DeformableAttention(width, heads, levels, points)])
        self.ffns = nn.ModuleList([FeedForward(width, hidden)])
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))

    def forward(self, x: Tensor, position: Tensor, grid: SamplingGrid) -> Tensor:
        """Transform (B, S, C) pixels at (S, C) positions."""
        x = self.norms[0](x + self.attentions[0](x + position, x, grid))
        y: Tensor = self.norms[1](self.ffns[0](x))
        return y


class Encoder(nn.Module):
    """A stack of encoder layers."""

    def __init__(self, depth: int, *sizes: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(*sizes) for _ in range(depth))


class PixelDecoder(nn.Module):
    """Deformable attention over the three coarser levels, then one step up to the finest.

    Parameters
    ----------
    inner : four int
        Channels of the pyramid's maps, finest first.
    width : int
        Channels within and of everything that comes out.
    depth, hidden, heads, points : int
        Of the encoder.
    """

    def __init__(
        self,
        inner: Sequence[int],
        width: int,
        depth: int = 6,
        hidden: int = 1024,
        heads: int = 8,
        points: int = 4,
    ) -> None:
        super().__init__()
        coarse = list(reversed(inner[1:]))
        self._readings = (heads, points)
        self.input_convs = nn.ModuleList(NormalisedConv(c, width, 1, True) for c in coarse)
        self.encoder = Encoder(depth, width, hidden, heads, len(coarse), points)
        self.level_encoding = nn.Embedding(len(coarse), width)
        self.lateral_convs = nn.ModuleList([NormalisedConv(inner[0], width, 1, False)])
        self.output_convs = nn.ModuleList([NormalisedConv(width, width, 3, False)])
        self.mask_feature = Pointwise(width, width)

    def forward(self, pyramid: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Decode a pyramid.

        Parameters
        ----------
        pyramid : four (B, C_k, h_k, w_k), finest first.

        Returns
        -------
        features : (B, C, h_0, w_0), to compare queries with
        memory : three (B, C, h_k, w_k), coarsest first
        """
        levels = [conv(x) for conv, x in zip(self.input_convs, reversed(pyramid[1:]), strict=True)]
        shapes = [(int(x.shape[2]), int(x.shape[3])) for x in levels]
        device = levels[0].device
        position = torch.cat(
            [
                encode_grid(shape, x.shape[1] // 2, device) + self.level_encoding.weight[k]
                for k, (shape, x) in enumerate(zip(shapes, levels, strict=True))
            ]
        )
        grid = SamplingGrid.of(shapes, *self._readings, device)
        tokens = torch.cat([x.flatten(2).transpose(1, 2) for x in levels], 1)
        for layer in self.encoder.layers:
            tokens = layer(tokens, position, grid)
        parts = tokens.split([h * w for h, w in shapes], 1)
        memory = [
            x.transpose(1, 2).unflatten(2, shape) for x, shape in zip(parts, shapes, strict=True)
        ]
        lateral = self.lateral_convs[0](pyramid[0])
        size = (lateral.shape[2], lateral.shape[3])
        fine = lateral + F.interpolate(memory[-1], size, mode="bilinear", align_corners=False)
        return self.mask_feature(F.relu(self.output_convs[0](fine))), memory
