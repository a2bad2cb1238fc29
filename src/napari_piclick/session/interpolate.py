"""Interpolation between labelled slices, by signed distance."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_piclick.region import Region
from napari_piclick.session.slice_mask import LabelledBy, SliceMask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_piclick.session.slice_mask import ObjectSlices

Spacing = tuple[float, float]


def interpolate(
    below: SliceMask, above: SliceMask, index: int, spacing: Spacing = (1.0, 1.0)
) -> SliceMask:
    """The mask on a slice between two others.

    The signed distances to the two outlines are averaged, nearer slices weighing more, and
    the mask is where the average is positive (Raya and Udupa, 1990). Both outlines are first
    moved so that their middles coincide on the way from one to the other; so a slanting vessel
    does not vanish between slices on which its outlines do not meet.

    Parameters
    ----------
    below, above : SliceMask
        On either side of ``index``. Towards a slice without the object it shrinks to nothing.
    index : int
    spacing : (height, width)
        Size of a pixel: distances are measured in the world, where pixels need not be square.
    """
    if below.region is None or above.region is None:
        return _shrunk(below, above, index, spacing)
    share = (index - below.index) / (above.index - below.index)
    ends = np.array([_middle(below), _middle(above)])
    middle = (1 - share) * ends[0] + share * ends[1]
    region = below.region.union(above.region)
    distances = [
        ndimage.shift(
            signed_distance(end.on(region), spacing), middle - start, order=1, mode="nearest"
        )
        for end, start in zip((below, above), ends, strict=True)
    ]
    between = (1 - share) * distances[0] + share * distances[1] > 0
    return _cut(index, between, region, below)


def interpolate_gaps(slices: ObjectSlices, spacing: Spacing = (1.0, 1.0)) -> Iterator[SliceMask]:
    """The masks of all slices between those labelled by hand, in order; nothing is written."""
    by_hand = [labelled for labelled in slices if labelled.by is LabelledBy.HAND]
    for below, above in pairwise(by_hand):
        for index in range(below.index + 1, above.index):
            yield interpolate(below, above, index, spacing)


def signed_distance(mask: np.ndarray, spacing: Spacing = (1.0, 1.0)) -> np.ndarray:
    """Distance to the outline of a mask, positive inside.

    Parameters
    ----------
    mask : (h, w) bool, not empty
        Beyond its edges lies background.
    spacing : (height, width) of a pixel.

    Returns
    -------
    (h, w) float64 in the unit of ``spacing``
    """
    padded = np.pad(mask, 1)
    signed = _distance(padded, spacing) - _distance(~padded, spacing)
    return signed[1:-1, 1:-1]


def _distance(mask: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Distance from the centre of each pixel of a mask to the outline; 0 outside it.

    An outline runs along the edges of pixels, not through their centres; between pixels that are
    not square that makes a difference.
    """
    nearest = ndimage.distance_transform_edt(
        mask, sampling=spacing, return_distances=False, return_indices=True
    )
    steps = np.abs(nearest - np.indices(mask.shape))
    to_edge = np.maximum(steps - 0.5, 0) * np.reshape(spacing, (2, 1, 1))
    distance: np.ndarray = np.hypot(*to_edge)
    return distance


def _shrunk(below: SliceMask, above: SliceMask, index: int, spacing: Spacing) -> SliceMask:
    """The object on its way to a slice where it is not."""
    there, empty = (above, below) if below.region is None else (below, above)
    if there.region is None:
        return _cut(index, np.zeros((1, 1), bool), Region(0, 1, 0, 1), below)
    depth = signed_distance(there.mask, spacing)
    share = abs(index - there.index) / abs(empty.index - there.index)
    return _cut(index, depth > share * depth.max(), there.region, there)


def _cut(index: int, mask: np.ndarray, region: Region, like: SliceMask) -> SliceMask:
    occupied = Region.of_mask(mask)
    if occupied is None:
        none = np.zeros((0, 0), bool)
        return SliceMask(index, None, none, like.plane_shape, LabelledBy.INTERPOLATED)
    row, col = region.row0, region.col0
    moved = Region(
        occupied.row0 + row, occupied.row1 + row, occupied.col0 + col, occupied.col1 + col
    )
    cut = mask[occupied.slices]
    return SliceMask(index, moved, cut, like.plane_shape, LabelledBy.INTERPOLATED)


def _middle(labelled: SliceMask) -> np.ndarray:
    """(row, col) of the centroid on the plane."""
    assert labelled.region is not None
    start = np.array([labelled.region.row0, labelled.region.col0])
    middle: np.ndarray = np.mean(np.nonzero(labelled.mask), axis=1) + start
    return middle
