"""Convolutions whose windows do not overlap, done as matrix products over channels-last maps.

On CPUs they are faster so, above all the transposed ones; the weights are those of the usual
layers.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class Pointwise(nn.Conv2d):
    """A convolution of single pixels."""

    def __init__(self, inner: int, outer: int, bias: bool = True) -> None:
        super().__init__(inner, outer, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Transform the channels of (B, C, h, w)."""
        y = F.linear(x.permute(0, 2, 3, 1), self.weight.flatten(1), self.bias)
        return y.permute(0, 3, 1, 2)


class Halve(nn.Conv2d):
    """A convolution of 2 x 2 pixels in steps of two."""

    def __init__(self, inner: int, outer: int) -> None:
        super().__init__(inner, outer, 2, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Make (B, C, h, w) half as large; an odd last row or column is left out."""
        h, w = x.shape[2] // 2, x.shape[3] // 2
        cells = x[..., : 2 * h, : 2 * w].permute(0, 2, 3, 1).unflatten(2, (w, 2))
        cells = cells.unflatten(1, (h, 2)).transpose(2, 3).flatten(3)
        weight = self.weight.permute(0, 2, 3, 1).flatten(1)
        return F.linear(cells, weight, self.bias).permute(0, 3, 1, 2)


class Double(nn.ConvTranspose2d):
    """A transposed convolution of 2 x 2 pixels in steps of two."""

    def __init__(self, inner: int, outer: int) -> None:
        super().__init__(inner, outer, 2, 2)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:  # noqa: ARG002
        """Make (B, C, h, w) twice as large."""
        weight = self.weight.permute(2, 3, 1, 0).flatten(0, 2)
        bias = None if self.bias is None else self.bias.repeat(4)
        cells = F.linear(x.permute(0, 2, 3, 1), weight, bias).unflatten(-1, (2, 2, -1))
        return cells.transpose(2, 3).flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2)
