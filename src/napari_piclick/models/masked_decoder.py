"""The masked-attention decoder: queries look at the clicks and where their own mask is (Eqs. 2-4).

After Mask2Former (Cheng et al., CVPR 2022).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_piclick.models.pixel_decoder import FeedForward

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class ProjectedAttention(nn.Module):
    """Multi-head attention whose three input projections are one matrix."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, blocked: Tensor | None = None
    ) -> Tensor:
        """Attend from (B, N, C) to (B, S, C), except where (B, N, S) ``blocked`` is True."""
        weight, bias = self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3)
        q, k, v = (
            F.linear(x, w, b).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for x, w, b in zip((query, key, value), weight, bias, strict=True)
        )
        mask = None if blocked is None else ~blocked[:, None]
        read = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        attended: Tensor = self.out_proj(read.transpose(1, 2).flatten(2))
        return attended


class ResidualAttention(nn.Module):
    """Attention, added to the queries that asked."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attn = ProjectedAttention(width, heads)

    def forward(
        self, x: Tensor, query: Tensor, key: Tensor, value: Tensor, blocked: Tensor | None = None
    ) -> Tensor:
        """Add to (B, N, C) ``x`` what its ``query`` reads."""
        y: Tensor = x + self.attn(query, key, value, blocked)
        return y


class DecoderLayer(nn.Module):
    """Attention to pixels and clicks, then among the queries, each followed by a norm."""

    def __init__(self, width: int, hidden: int, heads: int) -> None:
        super().__init__()
        self.attentions = nn.ModuleList(ResidualAttention(width, heads) for _ in range(2))
        self.ffns = nn.ModuleList([FeedForward(width, hidden)])
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))

    def forward(
        self, x: Tensor, position: Tensor, key: Tensor, value: Tensor, blocked: Tensor
    ) -> Tensor:
        """Transform (B, Q, C) queries at (Q, C) positions; see `MaskedDecoder`."""
        x = self.norms[0](self.attentions[0](x, x + position, key, value, blocked))
        x = self.norms[1](self.attentions[1](x, x + position, x + position, x))
        y: Tensor = self.norms[2](self.ffns[0](x))
        return y


class MaskedDecoder(nn.Module):
    """A stack of decoder layers that take turns at the levels, coarsest first."""

    def __init__(self, width: int, depth: int = 9, hidden: int = 2048, heads: int = 8) -> None:
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(width, hidden, heads) for _ in range(depth))
        self.post_norm = nn.LayerNorm(width)

    def forward(
        self,
        queries: Tensor,
        query_position: Tensor,
        levels: Sequence[tuple[Tensor, Tensor, tuple[int, int]]],
        clicks: tuple[Tensor, Tensor],
        masks: Callable[[Tensor], Tensor],
    ) -> list[Tensor]:
        """Let queries look for their masks.

        Parameters
        ----------
        queries : (B, Q, C) first content.
        query_position : (Q, C).
        levels : of each level, coarsest first, (B, S, C) pixels, (S, C) positions, (h, w)
        clicks : (B, P, C) click embeddings and (B, P) bool, True for those that do not exist.
        masks : callable
            Gives the (B, Q, H, W) mask logits of (B, Q, C) normalised queries.

        Returns
        -------
        list of (B, Q, C)
            Normalised queries before the first and after each layer.
        """
        tokens, absent = clicks
        off = absent[:, None].expand(-1, queries.shape[1], -1)
        states = [self.post_norm(queries)]
        for number, layer in enumerate(self.layers):
            pixels, position, shape = levels[number % len(levels)]
            with torch.no_grad():
                blocked = torch.cat([_off_mask(masks(states[-1]), shape), off], -1)
            key = torch.cat([pixels + position, tokens], 1)
            value = torch.cat([pixels, tokens], 1)
            queries = layer(queries, query_position, key, value, blocked)
            states.append(self.post_norm(queries))
        return states


def _off_mask(masks: Tensor, shape: tuple[int, int]) -> Tensor:
    """(B, Q, h * w) bool: the pixels of a level off each mask; nothing for an empty mask."""
    logits = F.interpolate(masks.float(), shape, mode="bilinear", align_corners=False)
    off = (logits.sigmoid() < 0.5).flatten(2)
    return off & ~off.all(-1, keepdim=True)
