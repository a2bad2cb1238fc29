"""Sine encoding: a position as sines and cosines of fixed frequencies (Carion et al., 2020)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

#: The slowest wave is this many times slower than the fastest.
TEMPERATURE = 10000.0


def encode_positions(rows: Tensor, cols: Tensor, shape: tuple[int, int], count: int) -> Tensor:
    """Encode pixels of a grid.

    Parameters
    ----------
    rows, cols : (...) integers or floats
        Places in pixels of the grid, ``(0, 0)`` the first.
    shape : (h, w) of the grid.
    count : int
        Channels for the row, and as many for the column.

    Returns
    -------
    (..., 2 * count) float32: the row's channels, then the column's; even ones are sines.
    """
    return torch.cat([_waves(rows, shape[0], count), _waves(cols, shape[1], count)], -1)


def encode_grid(shape: tuple[int, int], count: int, device: torch.device) -> Tensor:
    """Encode all pixels of an (h, w) grid, row by row, to (h * w, 2 * count) float32."""
    rows = _waves(torch.arange(shape[0], device=device), shape[0], count)
    cols = _waves(torch.arange(shape[1], device=device), shape[1], count)
    both = rows[:, None].expand(-1, shape[1], -1), cols[None].expand(shape[0], -1, -1)
    return torch.cat(both, -1).flatten(0, 1)


def _waves(place: Tensor, extent: int, count: int) -> Tensor:
    """(..., count) sines and cosines of places on an axis of ``extent`` pixels."""
    angle = (place.float() + 1) / (extent + 1e-6) * (2 * math.pi)
    channel = torch.arange(count, dtype=torch.float32, device=place.device)
    waves = angle[..., None] / TEMPERATURE ** (2 * (channel // 2) / count)
    return torch.where(channel % 2 == 0, waves.sin(), waves.cos())
