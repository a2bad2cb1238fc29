"""The picture: what the preview shows of proposals, one number for each pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import minimum_filter

if TYPE_CHECKING:
    from napari_piclick.proposals import Proposals
    from napari_piclick.region import Region


def picture(
    chosen: Proposals | None, foreseen: Proposals | None, width: int = 1
) -> tuple[Region, np.ndarray]:
    """What to show: the chosen proposal, and faintly, with an outline, what a click would give.

    Parameters
    ----------
    chosen, foreseen : Proposals, optional
        At least one of them.
    width : int
        Of the outline, in pixels of the plane.

    Returns
    -------
    region : Region
        The pixels of the plane that the picture covers.
    values : (h, w) uint8
        0 for nothing, 1 for the chosen proposal, 2 and 3 for the inside and the outline of what
        a click would give.
    """
    if foreseen is None:
        assert chosen is not None
        return chosen.region, chosen.mask().astype(np.uint8)
    region = foreseen.region if chosen is None else foreseen.region.union(chosen.region)
    values = np.zeros(region.shape, np.uint8)
    if chosen is not None:
        _part(values, chosen.region, region)[chosen.mask()] = 1
    inner = _part(values, foreseen.region, region)
    mask = foreseen.mask()
    inner[mask & (inner == 0)] = 2
    inner[mask & ~_inside(mask, width)] = 3
    return region, values


def on_larger(whole: Region, region: Region, values: np.ndarray) -> np.ndarray:
    """Values of a region on a larger one that is zero elsewhere."""
    all_values = np.zeros(whole.shape, values.dtype)
    _part(all_values, region, whole)[...] = values
    return all_values


def _part(values: np.ndarray, region: Region, whole: Region) -> np.ndarray:
    """The part of values on a region that lies on another region within it."""
    row, col = region.row0 - whole.row0, region.col0 - whole.col0
    height, width = region.shape
    return values[row : row + height, col : col + width]


def _inside(mask: np.ndarray, width: int) -> np.ndarray:
    """The mask without its rim; the edge of the array makes none."""
    size = 2 * width + 1
    inside: np.ndarray = minimum_filter(mask.view(np.uint8), size, mode="nearest").view(bool)
    return inside
