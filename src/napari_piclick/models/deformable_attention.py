"""Deformable attention: each pixel reads a few places of each level (Zhu et al., ICLR 2021).

All four neighbours of all places are rows of one table, and one weighted sum of rows (an
embedding bag) does the work of a ``grid_sample`` per level and the sum over their results,
many times as fast on a CPU.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, eq=False)
class SamplingGrid:
    """Where the pixels of several levels lie on each level; the same for every layer.

    S pixels, all levels one after the other; K readings of each: heads x levels x points.

    Parameters
    ----------
    shapes : (h, w) of each level
    heads : int
    rows, cols : (S, K) float32
        Each pixel's own place on the level that is read, in that level's pixels.
    heights, widths : (K,) float32
        Size of the level that is read.
    first : (K,) float32
        Row of the table where the first pixel of that level lies, for that head.
    """

    shapes: tuple[tuple[int, int], ...]
    heads: int
    rows: Tensor
    cols: Tensor
    heights: Tensor
    widths: Tensor
    first: Tensor

    @classmethod
    def of(
        cls, shapes: Sequence[tuple[int, int]], heads: int, points: int, device: torch.device
    ) -> SamplingGrid:
        """The grid of levels of these (h, w), for so many heads and points."""
        starts = accumulate((_padded(shape) for shape in shapes[:-1]), initial=0)
        levels = [
            (h, w, (start + w + 3) * heads) for (h, w), start in zip(shapes, starts, strict=True)
        ]
        read = torch.tensor(levels, dtype=torch.float32, device=device)
        heights, widths, first = (x.repeat_interleave(points).repeat(heads) for x in read.unbind(1))
        head = torch.arange(heads, device=device).repeat_interleave(len(shapes) * points)
        centres = torch.cat([_cell_centres(shape, device) for shape in shapes])
        return cls(
            tuple(shapes),
            heads,
            centres[:, :1] * heights - 0.5,
            centres[:, 1:] * widths - 0.5,
            heights,
            widths,
            first + head,
        )

    def sample(self, values: Tensor, down: Tensor, across: Tensor, weights: Tensor) -> Tensor:
        """Sum bilinear samples of the levels, each with its weight.

        Parameters
        ----------
        values : (B, S, C)
            What there is to read; each head reads its own C / heads channels.
        down, across : (B, S, K)
            Where each pixel reads, in pixels of the level from its own place.
        weights : (B, S, K)

        Returns
        -------
        (B, S, C) float32; what lies outside a level counts as zero.
        """
        batch, count, width = values.shape
        table = self._table(values)
        # just beyond its border a level is zero, and so it is farther out
        y = torch.minimum((down.float() + self.rows).clamp_(min=-1), self.heights)
        x = torch.minimum((across.float() + self.cols).clamp_(min=-1), self.widths)
        row, col = y.floor(), x.floor()
        line = (self.widths + 2) * self.heads
        place = torch.addcmul(self.first + col * self.heads, row, line).int()
        pictures = torch.arange(batch, device=values.device, dtype=torch.int32)
        place = place + (pictures * (len(table) // batch)).view(-1, 1, 1)
        below = place + line.int()
        x, y, weights = x - col, y - row, weights.float()
        lower = y * weights
        upper = weights - lower
        lower_right, upper_right = x * lower, x * upper
        bags = (batch * count * self.heads, -1)
        neighbours = (place, place + self.heads, below, below + self.heads)
        factors = (upper - upper_right, upper_right, lower - lower_right, lower_right)
        read = weighted_sum(
            table, [part.view(bags) for part in neighbours], [part.view(bags) for part in factors]
        )
        return read.view(batch, count, width)

    def _table(self, values: Tensor) -> Tensor:
        """(B * T * heads, C / heads) rows: the levels, each with a border of zeros.

        What follows the last column is the next line's border, so one column serves both
        sides; below there are two lines, because a place on the border has neighbours too.
        """
        sizes = [h * w for h, w in self.shapes]
        parts = [
            F.pad(part.unflatten(1, shape), (0, 0, 1, 1, 1, 2)).flatten(1, 2)
            for part, shape in zip(values.float().split(sizes, 1), self.shapes, strict=True)
        ]
        parts.append(parts[0].new_zeros(len(values), 1, values.shape[2]))
        return torch.cat(parts, 1).view(-1, values.shape[2] // self.heads)


class DeformableAttention(nn.Module):
    """Multi-scale deformable attention in plain PyTorch.

    Parameters
    ----------
    width, heads, levels, points : int
        Every head of every pixel reads ``points`` places on each of ``levels`` maps.
    """

    def __init__(self, width: int, heads: int = 8, levels: int = 3, points: int = 4) -> None:
        super().__init__()
        self.sampling_offsets = nn.Linear(width, heads * levels * points * 2)
        self.attention_weights = nn.Linear(width, heads * levels * points)
        self.value_proj = nn.Linear(width, width)
        self.output_proj = nn.Linear(width, width)

    def forward(self, query: Tensor, value: Tensor, grid: SamplingGrid) -> Tensor:
        """Let (B, S, C) queries read (B, S, C) values, both the pixels of the grid."""
        # (x, y) alternate in the weights; taken apart here, all that follows is contiguous
        weight, bias = self.sampling_offsets.weight, self.sampling_offsets.bias
        across, down = (F.linear(query, weight[k::2], bias[k::2]) for k in (0, 1))
        weights = self.attention_weights(query).unflatten(-1, (grid.heads, -1)).softmax(-1)
        read = grid.sample(self.value_proj(value), down, across, weights.flatten(-2))
        attended: Tensor = self.output_proj(read.to(query.dtype))
        return attended


def weighted_sum(
    table: Tensor, rows: Sequence[Tensor], factors: Sequence[Tensor], bags: bool | None = None
) -> Tensor:
    """Sum rows of a table, each with its factor.

    Parameters
    ----------
    table : (T, C) float32
    rows, factors : sequences of (N, K) int32 and float32
    bags : bool, optional
        Whether to use embedding bags: fastest, but Apple's GPUs have had them only since
        PyTorch 2.10, so there the rows are gathered. By default, as the device needs it.

    Returns
    -------
    (N, C) float32
    """
    if bags if bags is not None else table.device.type != "mps":
        places, weights = torch.cat(list(rows), 1), torch.cat(list(factors), 1)
        return F.embedding_bag(places, table, mode="sum", per_sample_weights=weights)
    total = table.new_zeros(len(rows[0]), table.shape[1])
    for places, each in zip(rows, factors, strict=True):
        for k in range(places.shape[1]):  # one after the other, so that little memory is needed
            total = total + table[places[:, k].long()] * each[:, k : k + 1]
    return total


def _padded(shape: tuple[int, int]) -> int:
    """Pixels of a level with its border."""
    return (shape[0] + 3) * (shape[1] + 2)


def _cell_centres(shape: tuple[int, int], device: torch.device) -> Tensor:
    """(h * w, 2) centres (row, col) of the cells of a grid, as fractions of it."""
    sides = [(torch.arange(n, device=device) + 0.5) / n for n in shape]
    return torch.stack(torch.meshgrid(*sides, indexing="ij"), -1).flatten(0, 1)
