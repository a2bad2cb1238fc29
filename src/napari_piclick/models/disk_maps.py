"""Disk maps: clicks drawn as filled disks, one map per sign."""

from __future__ import annotations

import torch
from torch import Tensor

#: Radius of a disk in pixels on the paper's grid of 448 pixels; other grids scale it.
RADIUS = 5.0
GRID = 448


def draw_points(points: Tensor, shape: tuple[int, int], radius: float) -> Tensor:
    """Draw the point rows of the published networks as (B, 2, h, w) disks.

    Parameters
    ----------
    points : (B, 2P, 3) float
        P rows of positive, then P of negative clicks, each (row, col, order). One is absent if
        both of its coordinates are negative: a click beyond the image still draws the part that
        reaches in.
    shape, radius : see `draw_disks`.
    """
    half = points.shape[1] // 2
    signs = torch.ones(points.shape[:2], device=points.device)
    signs[:, half:] = 0
    signs[points[..., :2].amax(-1) < 0] = -1
    return draw_disks(points[..., :2], signs, shape, radius)


def draw_disks(points: Tensor, signs: Tensor, shape: tuple[int, int], radius: float) -> Tensor:
    """Draw clicks as disks.

    Parameters
    ----------
    points : (B, N, 2) float
        (row, col) in pixels of the map.
    signs : (B, N) float or int
        1 positive, 0 negative, below 0 absent.
    shape : (h, w) of the map.
    radius : float
        In pixels of the map; a pixel belongs to a disk if its centre is at most this far.

    Returns
    -------
    (B, 2, h, w) float: the positive, then the negative disks, each 0 or 1.
    """
    rows = torch.arange(shape[0], device=points.device, dtype=points.dtype)
    cols = torch.arange(shape[1], device=points.device, dtype=points.dtype)
    squared = (rows[:, None] - points[..., 0, None, None]).square() + (
        cols - points[..., 1, None, None]
    ).square()
    inside = squared <= radius * radius
    maps = [(inside & (signs == sign)[..., None, None]).any(1) for sign in (1, 0)]
    return torch.stack(maps, 1).to(points.dtype)
