"""The object index: which objects there are, how large, and on which slices.

It looks through the labels once, and then follows every edit, so that a large volume is never
searched again. A slice is a plane along the last two axes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING
from weakref import ref

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_piclick.session.label_edit import LabelEdit
    from napari_piclick.session.label_map import LabelMap

#: Labels of up to so many voxels are looked through without being asked.
SEARCHED = 2**25
#: Ids up to this are counted in a table, which is much faster than sorting them.
DENSE = 2**17


@dataclass
class Extent:
    """Where an object is.

    Parameters
    ----------
    slices : dict of int to int
        How many voxels it has on each slice, by the number of the slice in C order.
    low, high : list of int
        A box along the last two axes that holds it; high is not included.
    """

    slices: dict[int, int] = field(default_factory=dict)
    low: list[int] = field(default_factory=lambda: [2**62, 2**62])
    high: list[int] = field(default_factory=lambda: [0, 0])

    @property
    def voxels(self) -> int:
        """How many voxels it has."""
        return sum(self.slices.values())

    def add(self, number: int, count: int, box: tuple[slice, ...] | None = None) -> None:
        """Take note of voxels on a slice that came, or, if ``count`` is negative, went."""
        left = self.slices.get(number, 0) + count
        if left > 0:
            self.slices[number] = left
        else:
            self.slices.pop(number, None)
        for axis, part in enumerate(box or ()):
            self.low[axis] = min(self.low[axis], part.start)
            self.high[axis] = max(self.high[axis], part.stop)


class ObjectIndex:
    """Finds objects in labels.

    Parameters
    ----------
    labels : LabelMap
    empty : bool
        Whether the labels are known to be empty, so that huge ones need not be looked through.

    Attributes
    ----------
    complete : bool
        Whether all of every object is known. If not, only what was edited is, of objects that
        were there before a part alone; `scan` would find the rest.
    """

    def __init__(self, labels: LabelMap, *, empty: bool = False) -> None:
        # Not kept alive: who keeps an index for each of the labels may let go of them.
        self._held = ref(labels)
        self._extents: dict[int, Extent] = {}
        self.complete = empty
        if not empty and labels.data.size <= SEARCHED:
            self.scan()

    def __contains__(self, label: int) -> bool:
        return label in self._extents

    def __iter__(self) -> Iterator[int]:
        """The ids in use, in order."""
        return iter(sorted(self._extents))

    def __getitem__(self, label: int) -> Extent:
        return self._extents[label]

    @property
    def _labels(self) -> LabelMap:
        labels = self._held()
        if labels is None:
            raise ReferenceError("The labels of this index are gone.")
        return labels

    def scan(self) -> None:
        """Look through all of the labels, a slice at a time."""
        self._extents = {}
        data = self._labels.data
        for number, place in enumerate(np.ndindex(data.shape[:-2])):
            self._see(number, np.asarray(data[place]))
        self.complete = True

    def follow(self, edit: LabelEdit) -> None:
        """Take note of a change of the labels."""
        for values, sign in ((edit.before, -1), (edit.after, 1)):
            for label, number, count, box in _groups(edit, values):
                extent = self._extents.setdefault(label, Extent())
                extent.add(number, sign * count, box if sign > 0 else None)
                if not extent.slices:
                    del self._extents[label]

    def box(self, label: int) -> tuple[slice, ...] | None:
        """A part of the labels that holds the whole object; None if it is not known."""
        extent = self._extents.get(label) if self.complete else None
        if extent is None:
            return None
        lead = self._labels.data.shape[:-2]
        places = np.array(np.unravel_index(sorted(extent.slices), lead)) if lead else np.empty((0,))
        ranges = [slice(int(axis.min()), int(axis.max()) + 1) for axis in places]
        return (*ranges, *map(slice, extent.low, extent.high))

    def voxel(self, label: int) -> tuple[int, ...] | None:
        """A place to look at an object: its largest slice, and the middle of its box."""
        extent = self._extents.get(label)
        if extent is None:
            return None
        lead = self._labels.data.shape[:-2]
        number = max(extent.slices, key=lambda k: extent.slices[k])
        place = np.unravel_index(number, lead) if lead else ()
        middle = ((a + b - 1) // 2 for a, b in zip(extent.low, extent.high, strict=True))
        return (*map(int, place), *middle)

    def _see(self, number: int, plane: np.ndarray) -> None:
        if not plane.any():
            return
        if plane.min() >= 0 and plane.max() <= DENSE:
            counts = np.bincount(plane.ravel())
            labels = np.flatnonzero(counts)
            counts = counts[labels]
            found = ndimage.find_objects(plane.astype(np.intp, copy=False))
            boxes = [found[label - 1] if label else () for label in labels.tolist()]
        else:
            labels, inverse, counts = np.unique(plane, return_inverse=True, return_counts=True)
            boxes = ndimage.find_objects(inverse.reshape(plane.shape) + 1)
        for label, count, box in zip(labels.tolist(), counts.tolist(), boxes, strict=True):
            if label:
                self._extents.setdefault(label, Extent()).add(number, count, box)


def box_of(mask: np.ndarray) -> tuple[slice, ...] | None:
    """The smallest box that holds all of a bool mask of any dimension; None if it is empty."""
    boxes = ndimage.find_objects(mask.view(np.uint8), max_label=1)
    box: tuple[slice, ...] | None = boxes[0]
    return box


def _groups(
    edit: LabelEdit, values: np.ndarray
) -> Iterator[tuple[int, int, int, tuple[slice, slice]]]:
    """Each object on each slice among voxels of an edit: its id, the slice, how many, and a box."""
    # Sorted once, because another program may set thousands of objects in a single edit.
    order = np.argsort(values, kind="stable")
    order = order[values[order] != 0]
    if not len(order):
        return
    labels, index = values[order], edit.index[order].astype(np.int64)
    width = edit.shape[-1]
    numbers, inner = np.divmod(index, prod(edit.shape[-2:]))
    rows, cols = np.divmod(inner, width)
    # The voxels are in C order, so those of an object come slice by slice.
    new = (labels[1:] != labels[:-1]) | (numbers[1:] != numbers[:-1])
    starts = np.concatenate([[0], np.flatnonzero(new) + 1])
    counts = np.diff(starts, append=len(order))
    lows = [np.minimum.reduceat(axis, starts).tolist() for axis in (rows, cols)]
    highs = [(np.maximum.reduceat(axis, starts) + 1).tolist() for axis in (rows, cols)]
    for label, number, count, row0, row1, col0, col1 in zip(
        labels[starts].tolist(), numbers[starts].tolist(), counts.tolist(),
        lows[0], highs[0], lows[1], highs[1], strict=True,
    ):  # fmt: skip
        yield label, number, count, (slice(row0, row1), slice(col0, col1))
