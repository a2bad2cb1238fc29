"""What a prediction starts from: clicks on the plane, and perhaps a previous mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import distance_transform_edt

from napari_piclick.clicks import Click
from napari_piclick.proposals import Proposals
from napari_piclick.region import Region

if TYPE_CHECKING:
    from collections.abc import Sequence


def previous_mask(
    previous: Proposals | np.ndarray | None, shape: tuple[int, int]
) -> tuple[np.ndarray | None, Region | None]:
    """The previous mask as (h, w) float32 probabilities, and where they lie; None if empty."""
    if previous is None:
        return None, None
    if isinstance(previous, Proposals):
        plane_shape, region = previous.plane_shape, previous.region
        mask = previous.masks[previous.chosen]
    else:
        plane_shape = previous.shape
        occupied = Region.of_mask(previous > 0)
        if occupied is None:
            return None, None
        # one zero pixel about it, so that the mask ends where it ends
        region = Region.around(
            occupied.center, (occupied.shape[0] + 2, occupied.shape[1] + 2), shape
        ).union(occupied)
        mask = np.ascontiguousarray(previous[region.slices], dtype=np.float32)
    if plane_shape != shape:
        raise ValueError(
            f"The previous mask has {plane_shape} pixels but the image {shape}; "
            "both must show the same plane."
        )
    return mask, region


def extent(mask: np.ndarray | None, region: Region | None) -> Region | None:
    """Where a previous mask itself lies; the region it came with holds other proposals too."""
    inside = None if mask is None else Region.of_mask(mask > mask.max() / 2)
    if inside is None or region is None:
        return None
    return inside.moved(region.row0, region.col0)


def check_clicks(clicks: Sequence[Click], start: np.ndarray | None, shape: tuple[int, int]) -> None:
    """Check that a plane of this shape can be answered from these clicks and previous mask.

    Raises
    ------
    ValueError
        If there is nothing to start from, or a click lies outside.
    """
    if start is None and not any(click.positive for click in clicks):
        raise ValueError("Nothing to segment yet: click on the object first (a positive click).")
    for click in clicks:
        if not click.inside(shape):
            raise ValueError(
                f"The click at row {click.row:.0f}, column {click.col:.0f} lies outside the "
                f"image of {shape[0]} x {shape[1]} pixels."
            )


def anchor(mask: np.ndarray, region: Region) -> Click:
    """A positive click at the deepest point of a previous mask that came without one."""
    depth = distance_transform_edt(np.pad(mask > mask.max() / 2, 1))[1:-1, 1:-1]
    row, col = np.unravel_index(int(depth.argmax()), depth.shape)
    return Click(float(region.row0 + row), float(region.col0 + col))
