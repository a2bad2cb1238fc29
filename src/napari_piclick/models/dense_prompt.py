"""Dense prompt: the previous mask and the disk maps, as maps that join the image's features."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from napari_piclick.models.layers import ChannelNorm


def _zeroed(conv: nn.Conv2d) -> nn.Conv2d:
    for parameter in conv.parameters():
        nn.init.zeros_(parameter)
    return conv


class DensePrompt(nn.Module):
    """Embed previous mask and disks twice: on the image's coarse grid and at a quarter of its size.

    What the starting weights do not have ends in a convolution of zeros, so that
    adding it changes nothing until it is trained.
    """

    def __init__(self, width: int = 256, fine: int = 32, disks: bool = True) -> None:
        super().__init__()
        self.disks = disks
        self.coarse = nn.Sequential(
            nn.Conv2d(3, 8, 2, 2),
            ChannelNorm(8),
            nn.GELU(),
            nn.Conv2d(8, 32, 2, 2),
            ChannelNorm(32),
            nn.GELU(),
            _zeroed(nn.Conv2d(32, width, 1)),
        )
        self.fine = nn.Sequential(
            nn.Conv2d(3, 16, 3, 1, 1), nn.GELU(), _zeroed(nn.Conv2d(16, fine, 3, 1, 1))
        )

    def forward(self, previous: Tensor | None, disks: Tensor) -> tuple[Tensor, Tensor]:
        """Embed a prompt.

        Parameters
        ----------
        previous : (B, 1, H/4, W/4) logits of the previous mask, or None if there is none.
        disks : (B, 2, H/4, W/4) from `draw_disks`.

        Returns
        -------
        (B, width, H/16, W/16) and (B, fine, H/4, W/4), both to be added to features.
        """
        if not self.disks:
            disks = torch.zeros_like(disks)
        mask = torch.zeros_like(disks[:, :1]) if previous is None else previous.sigmoid()
        maps = torch.cat([mask, disks], 1)
        return self.coarse(maps), self.fine(maps)
