"""The prompt of a slice: what a predictor is asked where an object is expected, not clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_piclick.clicks import Click
from napari_piclick.proposals import Proposals
from napari_piclick.region import Region

if TYPE_CHECKING:
    from napari_piclick.session.slice_mask import SliceMask

#: Parts of an object smaller than this share of its largest part get no click of their own.
PART = 0.25
#: At most so many parts get a click.
PARTS = 3


def place_clicks(expected: SliceMask) -> tuple[Click, ...]:
    """Clicks inside an expected mask: at the deepest point of each of its larger parts."""
    if expected.region is None:
        return ()
    parts, count = ndimage.label(expected.mask)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:]
    largest = np.argsort(-sizes, kind="stable")[:PARTS]
    clicks = []
    for part in largest[sizes[largest] >= PART * sizes.max()]:
        depth = ndimage.distance_transform_edt(np.pad(parts == part + 1, 1))[1:-1, 1:-1]
        row, col = divmod(int(depth.argmax()), depth.shape[1])
        clicks.append(Click(expected.region.row0 + row, expected.region.col0 + col))
    return tuple(clicks)


def as_previous(expected: SliceMask) -> Proposals:
    """A mask as a predictor takes it, cut to where it lies; one pixel about it says it ends."""
    assert expected.region is not None
    height, width = expected.region.shape
    region = Region.around(
        expected.region.center, (height + 2, width + 2), expected.plane_shape
    ).union(expected.region)
    one = np.ones(1, np.float32)
    return Proposals(
        expected.on(region)[None].astype(np.float32), region, expected.plane_shape, one, one
    )
