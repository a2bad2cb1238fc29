"""The slices of one object: its mask on each, and who labelled it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.region import Region

if TYPE_CHECKING:
    from collections.abc import Iterator


class LabelledBy(Enum):
    """Where the mask of a slice comes from."""

    HAND = "hand"
    PROPAGATED = "propagated"
    INTERPOLATED = "interpolated"


@dataclass(frozen=True, eq=False)
class SliceMask:
    """An object's mask on one slice.

    Parameters
    ----------
    index : int
        Number of the slice along the axis that is sliced.
    region : Region, optional
        Where the mask lies on the plane; None if the object is not on this slice.
    mask : (h, w) bool
        On the pixels of ``region``.
    plane_shape : (H, W)
    by : LabelledBy
    predicted : float
        What the model thinks of it: predicted IoU times confidence; 1 for slices labelled by hand.
    agreement : float
        IoU with what the neighbours let expect; 1 for slices labelled by hand.
    """

    index: int
    region: Region | None
    mask: np.ndarray
    plane_shape: tuple[int, int]
    by: LabelledBy = LabelledBy.HAND
    predicted: float = 1.0
    agreement: float = 1.0

    @classmethod
    def of(
        cls,
        index: int,
        plane_mask: np.ndarray,
        by: LabelledBy = LabelledBy.HAND,
        predicted: float = 1.0,
        agreement: float = 1.0,
    ) -> SliceMask:
        """The mask of a slice from an (H, W) bool array; empty where the object is not."""
        region = Region.of_mask(plane_mask)
        cut = plane_mask[region.slices].astype(bool) if region else np.zeros((0, 0), bool)
        height, width = plane_mask.shape
        return cls(index, region, cut, (height, width), by, predicted, agreement)

    @property
    def area(self) -> int:
        """Number of pixels."""
        return int(self.mask.sum())

    def on(self, region: Region) -> np.ndarray:
        """(h, w) bool: the part of the mask that lies in a region."""
        cut = np.zeros(region.shape, bool)
        if self.region is None:
            return cut
        rows = slice(max(self.region.row0, region.row0), min(self.region.row1, region.row1))
        cols = slice(max(self.region.col0, region.col0), min(self.region.col1, region.col1))
        if rows.start < rows.stop and cols.start < cols.stop:
            here, there = (region.row0, region.col0), (self.region.row0, self.region.col0)
            cut[_moved(rows, here[0]), _moved(cols, here[1])] = self.mask[
                _moved(rows, there[0]), _moved(cols, there[1])
            ]
        return cut

    def plane_mask(self) -> np.ndarray:
        """(H, W) bool: the mask on the whole plane."""
        return self.on(Region.whole(self.plane_shape))

    def iou(self, other: SliceMask) -> float:
        """IoU with the mask of another slice; 1 if both are empty."""
        if self.region is None or other.region is None:
            return float(self.region is other.region)
        both = self.region.union(other.region)
        one, two = self.on(both), other.on(both)
        return float((one & two).sum() / (one | two).sum())


class ObjectSlices:
    """One object in a volume: its mask on every slice that was labelled.

    Parameters
    ----------
    count : int
        Number of slices of the volume.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._slices: dict[int, SliceMask] = {}

    def __iter__(self) -> Iterator[SliceMask]:
        """The labelled slices, in order."""
        return (self._slices[index] for index in sorted(self._slices))

    def __len__(self) -> int:
        return len(self._slices)

    def __contains__(self, index: object) -> bool:
        """Whether a slice was labelled, be it that the object is not there."""
        return index in self._slices

    def get(self, index: int) -> SliceMask | None:
        """The mask of a slice, or None where nobody has labelled it."""
        return self._slices.get(index)

    def put(self, labelled: SliceMask) -> bool:
        """Take the mask of a slice; False if it would replace one that was made by hand."""
        if not 0 <= labelled.index < self.count:
            raise IndexError(f"There is no slice {labelled.index} among {self.count}.")
        if labelled.by is not LabelledBy.HAND and self.by_hand(labelled.index):
            return False
        self._slices[labelled.index] = labelled
        return True

    def replace(self, labelled: SliceMask) -> None:
        """Take the mask of a slice, whoever made the one before."""
        self.drop(labelled.index)
        self.put(labelled)

    def drop(self, index: int) -> None:
        """Forget what is on a slice."""
        self._slices.pop(index, None)

    def copy(self) -> ObjectSlices:
        """The same slices, to be changed by somebody else."""
        other = ObjectSlices(self.count)
        other._slices = dict(self._slices)
        return other

    def by_hand(self, index: int) -> bool:
        """Whether a slice was labelled by hand."""
        labelled = self._slices.get(index)
        return labelled is not None and labelled.by is LabelledBy.HAND

    def next_by_hand(self, index: int, step: int) -> SliceMask | None:
        """The next slice labelled by hand beyond a slice, upwards (step 1) or downwards (-1)."""
        beyond = [s for s in self if s.by is LabelledBy.HAND and (s.index - index) * step > 0]
        return min(beyond, key=lambda s: abs(s.index - index), default=None)

    def beyond(self, index: int, step: int) -> list[int]:
        """The slices not labelled by hand, from beyond one to the next that was."""
        end = self.next_by_hand(index, step)
        last = end.index if end is not None else (self.count if step > 0 else -1)
        return [k for k in range(index + step, last, step) if k in self._slices]

    def run_from(self, index: int, step: int) -> SliceMask:
        """The last of the labelled slices that follow one without a gap; not beyond by hand."""
        last = self._slices[index]
        while True:
            beside = self._slices.get(last.index + step)
            if beside is None or beside.region is None or self.by_hand(beside.index):
                return last
            last = beside


def _moved(part: slice, start: int) -> slice:
    return slice(part.start - start, part.stop - start)
