"""Click encoder: each click becomes a token that says where it is and what it means (Eq. 1)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class FourierPosition(nn.Module):
    """Position as sines and cosines of random frequencies (Tancik et al., NeurIPS 2020)."""

    positional_encoding_gaussian_matrix: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("positional_encoding_gaussian_matrix", torch.randn(2, width // 2))

    def forward(self, points: Tensor) -> Tensor:
        """Encode (..., 2) points, (row, col) as fractions of the picture, to (..., width)."""
        xy = 2 * points.flip(-1) - 1  # the frequencies were learned in (x, y) order
        angle = 2 * math.pi * (xy @ self.positional_encoding_gaussian_matrix)
        return torch.cat([angle.sin(), angle.cos()], -1)

    def grid(self, shape: tuple[int, int]) -> Tensor:
        """Encode the centres of the cells of an (h, w) grid, to (h * w, width).

        Positions are fractions of the longer side, as if the picture were padded to a square.
        """
        matrix = self.positional_encoding_gaussian_matrix
        cells = [torch.arange(n, device=matrix.device, dtype=matrix.dtype) + 0.5 for n in shape]
        grid = torch.stack(torch.meshgrid(*cells, indexing="ij"), -1) / max(shape)
        return self(grid.flatten(0, 1))


class ClickEncoder(nn.Module):
    """Position plus a learned vector for the sign; absent clicks get a vector of their own."""

    def __init__(self, width: int = 256) -> None:
        super().__init__()
        self.pe_layer = FourierPosition(width)
        self.point_embeddings = nn.ModuleList(nn.Embedding(1, width) for _ in range(2))
        self.not_a_point_embed = nn.Embedding(1, width)

    def forward(self, points: Tensor, signs: Tensor, extent: int) -> Tensor:
        """Encode clicks.

        Parameters
        ----------
        points : (B, N, 2) float
            (row, col) in pixels of the network's input.
        signs : (B, N)
            1 positive, 0 negative, below 0 absent.
        extent : int
            Longer side of the input in pixels.

        Returns
        -------
        (B, N + 1, width): the clicks, then one absent click, which the decoder expects.
        """
        position = self.pe_layer((points + 0.5) / extent)
        sign = signs[..., None]
        negative, positive = (
            embedding(sign.new_zeros(1).long()) for embedding in self.point_embeddings
        )
        tokens = torch.where(sign == 1, position + positive, 0.0)
        tokens = torch.where(sign == 0, position + negative, tokens)
        tokens = torch.where(sign < 0, self.not_a_point_embed.weight[0], tokens)
        absent = self.not_a_point_embed.weight[None].expand(len(tokens), -1, -1)
        return torch.cat([tokens, absent], 1)
