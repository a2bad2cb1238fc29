"""The vision transformer of the published PiClick: attention in windows, now and then global."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: Windows are about this many pixels wide, as large as the pictures of the pre-training.
WINDOW = 224


class PatchEmbedding(nn.Module):
    """Each patch of a (B, 3, H, W) map becomes a token; tokens run row by row."""

    def __init__(self, patch: int, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, patch, patch)

    def forward(self, maps: Tensor) -> Tensor:
        """Embed to (B, N, width)."""
        # patches of a contiguous map as rows: one matrix product instead of a strided convolution
        patch = self.proj.kernel_size[0]
        batch, channels, height, width = maps.shape
        rows = maps.reshape(batch, channels, height // patch, patch, width // patch, patch)
        rows = rows.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)
        return F.linear(rows, self.proj.weight.flatten(1), self.proj.bias)


class Attention(nn.Module):
    """Multi-head self-attention with one projection for queries, keys and values."""

    def __init__(self, width: int, heads: int, bias: bool) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Attend within each of (B, N, C) sequences."""
        qkv = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(*qkv.unbind(0))
        projected: Tensor = self.proj(y.transpose(1, 2).flatten(2))
        return projected


class FeedForward(nn.Module):
    """Two linear layers with a GELU between them."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """Transform the last axis."""
        y: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return y


class Block(nn.Module):
    """One transformer block, normalised before each half."""

    def __init__(self, width: int, heads: int, hidden: int, qkv_bias: bool) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = Attention(width, heads, qkv_bias)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = FeedForward(width, hidden)

    def forward(self, x: Tensor) -> Tensor:
        """Transform (B, N, C) tokens."""
        x = x + self.attn(self.norm1(x))
        y: Tensor = x + self.mlp(self.norm2(x))
        return y


class VisionTransformer(nn.Module):
    """Blocks on windows of the grid; the last of each group sees the whole grid.

    Parameters
    ----------
    image : (H, W) pixels that the stored position embedding is for.
    patch : int
    width, depth, heads : int
    mlp_ratio : float
    qkv_bias : bool
    """

    def __init__(
        self,
        image: tuple[int, int],
        patch: int,
        width: int,
        depth: int,
        heads: int,
        mlp_ratio: float = 4.0,
        qkv_bias: bool = True,
    ) -> None:
        super().__init__()
        self.patch = patch
        self.grid = (image[0] // patch, image[1] // patch)
        self.group = 6 if depth == 12 else max(1, depth // 4)
        self.patch_embed = PatchEmbedding(patch, width)
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + self.grid[0] * self.grid[1], width))
        hidden = int(width * mlp_ratio)
        self.blocks = nn.ModuleList(Block(width, heads, hidden, qkv_bias) for _ in range(depth))
        # What follows has no effect here, but is in every file of weights.
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.fc_norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, 1000)

    def windows(self, grid: tuple[int, int]) -> tuple[int, int]:
        """How many windows a grid of patches has, in each direction.

        Raises
        ------
        ValueError
            If the grid cannot be divided so.
        """
        unit = WINDOW // self.patch
        rows, cols = grid[0] // unit, grid[1] // unit
        if not rows or not cols or grid[0] % rows or grid[1] % cols:
            raise ValueError(
                f"An input of {grid[0] * self.patch} x {grid[1] * self.patch} pixels cannot be "
                f"divided into windows of about {WINDOW}; use multiples of {unit * self.patch}."
            )
        return rows, cols

    def position(self, grid: tuple[int, int]) -> Tensor:
        """(1, N, C) position embedding for a grid, resized if it is not the stored one."""
        stored = self.pos_embed[:, 1:]
        if grid == self.grid:
            return stored
        maps = stored.transpose(1, 2).unflatten(2, self.grid)
        resized = F.interpolate(maps, grid, mode="bicubic", align_corners=False)
        return resized.flatten(2).transpose(1, 2)

    def forward(self, image: Tensor, added: Tensor) -> Tensor:
        """Encode pictures.

        Parameters
        ----------
        image : (B, 3, H, W) float, normalised.
        added : (B, N, C) tokens of the clicks and the previous mask, added to the image's.

        Returns
        -------
        (B, C, H / patch, W / patch) float.
        """
        gh, gw = image.shape[2] // self.patch, image.shape[3] // self.patch
        rows, cols = self.windows((gh, gw))
        x = self.patch_embed(image) + added + self.position((gh, gw))
        batch, width = len(x), x.shape[-1]
        # Attention alone mixes tokens, so they may stay in windows for a whole group.
        split = (batch, rows, gh // rows, cols, gw // cols, width)
        joined = (batch, rows, cols, gh // rows, gw // cols, width)
        x = x.reshape(split).transpose(2, 3).reshape(batch * rows * cols, -1, width)
        for number, block in enumerate(self.blocks, start=1):
            if number % self.group:
                x = block(x)
            else:  # the order of tokens does not matter to attention
                x = block(x.reshape(batch, -1, width)).reshape(batch * rows * cols, -1, width)
        x = x.reshape(joined).transpose(2, 3).reshape(batch, gh, gw, width)
        return x.permute(0, 3, 1, 2)
