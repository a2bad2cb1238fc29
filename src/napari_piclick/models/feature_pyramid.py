"""The neck of the published PiClick: one feature map becomes a pyramid of four."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

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
            nn.ConvTranspose2d(width, c4, 2, 2),
            nn.GroupNorm(1, c4),
            nn.GELU(),
            nn.ConvTranspose2d(c4, c4 // 2, 2, 2),
            nn.GroupNorm(1, c4 // 2),
            nn.Conv2d(c4 // 2, out[0], 1),
            nn.GroupNorm(1, out[0]),
            nn.GELU(),
        )
        self.down_8 = nn.Sequential(
            nn.ConvTranspose2d(width, c8, 2, 2),
            nn.GroupNorm(1, c8),
            nn.Conv2d(c8, out[1], 1),
            nn.GroupNorm(1, out[1]),
            nn.GELU(),
        )
        self.down_16 = nn.Sequential(
            nn.Conv2d(width, out[2], 1), nn.GroupNorm(1, out[2]), nn.GELU()
        )
        self.down_32 = nn.Sequential(
            nn.Conv2d(width, c32, 2, 2),
            nn.GroupNorm(1, c32),
            nn.Conv2d(c32, out[3], 1),
            nn.GroupNorm(1, out[3]),
            nn.GELU(),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Make of (B, C, h, w) the maps of 4h x 4w, 2h x 2w, h x w and h/2 x w/2."""
        return self.down_4(x), self.down_8(x), self.down_16(x), self.down_32(x)
