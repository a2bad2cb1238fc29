"""The neck of the published PiClick: one feature map becomes a pyramid of four."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from napari_piclick.models.matrix_conv import Double, Halve, Pointwise

if TYPE_CHECKING:
    from collections.abc import Sequence


class FeaturePyramid(nn.Module):
    """Maps at four, two, one times and half the size of the map that comes in.

    Parameters
    ----------
    width : int
        Channels that come in.
    out : four int
        Channels of the four maps, finest first.
    """

    def __init__(self, width: int, out: Sequence[int]) -> None:
        super().__init__()
        c4, c8, c32 = max(2 * out[0], width // 2), max(out[1], width // 2), max(out[3], 2 * width)
        self.down_4 = nn.Sequential(
            Double(width, c4),
            nn.GroupNorm(1, c4),
            nn.GELU(),
            Double(c4, c4 // 2),
            nn.GroupNorm(1, c4 // 2),
            Pointwise(c4 // 2, out[0]),
            nn.GroupNorm(1, out[0]),
            nn.GELU(),
        )
        self.down_8 = nn.Sequential(
            Double(width, c8),
            nn.GroupNorm(1, c8),
            Pointwise(c8, out[1]),
            nn.GroupNorm(1, out[1]),
            nn.GELU(),
        )
        self.down_16 = nn.Sequential(Pointwise(width, out[2]), nn.GroupNorm(1, out[2]), nn.GELU())
        self.down_32 = nn.Sequential(
            Halve(width, c32),
            nn.GroupNorm(1, c32),
            Pointwise(c32, out[3]),
            nn.GroupNorm(1, out[3]),
            nn.GELU(),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Make of (B, C, h, w) the maps of 4h x 4w, 2h x 2w, h x w and h/2 x w/2."""
        return self.down_4(x), self.down_8(x), self.down_16(x), self.down_32(x)
