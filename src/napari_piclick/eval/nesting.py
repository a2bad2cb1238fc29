"""Nested objects: which ones lie inside others, so that one click may mean either."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_piclick.eval.metrics import Truth
from napari_piclick.region import Region

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_piclick.eval.datasets.dataset import Sample

#: An object is inside another one if that one covers at least this share of its pixels ...
INSIDE = 0.95
#: ... and is so much larger that no single mask is good for both: their IoU is below this.
TOLD_APART = 0.75
#: Both are answered if some proposal has at least this IoU with each.
ANSWERED = 0.75


class Surrounding(NamedTuple):
    """An object around another one: its name, and its pixels to compare proposals with."""

    name: str
    truth: Truth


class _Cut(NamedTuple):
    """An object, cut to its bounding box."""

    name: str
    region: Region
    mask: np.ndarray
    ignore: np.ndarray | None


class NestedObjects:
    """The objects of one image, each known to lie inside others or not.

    Parameters
    ----------
    samples : iterable of Sample
        All objects of the image. Of each only its bounding box is kept.
    """

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._objects = [_cut(sample) for sample in samples]

    def around(self, sample: Sample) -> Sequence[Surrounding]:
        """The objects around one of the image's, in their order."""
        inner = _cut(sample)
        height, width = sample.mask.shape
        return [
            Surrounding(
                other.name, Truth(other.region.paste(other.mask, (height, width)), other.ignore)
            )
            for other in self._objects
            if is_inside(inner.mask, inner.region, other.mask, other.region)
        ]


def is_inside(inner: np.ndarray, at: Region, outer: np.ndarray, around: Region) -> bool:
    """Tell whether an object lies inside another, each a (h, w) bool mask on its region."""
    area, larger = np.count_nonzero(inner), np.count_nonzero(outer)
    if area >= larger:
        return False
    both = at.union(around)
    one, two = (
        np.pad(
            mask,
            (
                (where.row0 - both.row0, both.row1 - where.row1),
                (where.col0 - both.col0, both.col1 - where.col1),
            ),
        )
        for mask, where in ((inner, at), (outer, around))
    )
    common = np.count_nonzero(one & two)
    return bool(common >= INSIDE * area and common < TOLD_APART * (area + larger - common))


def _cut(sample: Sample) -> _Cut:
    region = Region.of_mask(sample.mask)
    assert region is not None, "a sample's mask is never empty"
    return _Cut(sample.object_name, region, sample.mask[region.slices].copy(), sample.ignore)
