"""Stopping: when propagation comes to an end, and how the user is told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_piclick.session.continuity import Continued
    from napari_piclick.session.slice_mask import SliceMask

#: So many slices tell what a good score is.
FIRST = 5
#: A mask with a lower IoU lies elsewhere.
FITS = 0.3


class Reason(Enum):
    """Why propagation stopped, in words that follow "Stopped at slice 12: "."""

    UNSURE = "the model is no longer sure that the object is there"
    AREA = "the object would suddenly be much larger or smaller"
    LOST = "nothing that was found there continues the object"
    EMPTY = "the object ends"
    COUNT = "as many slices as you asked for"
    RANGE = "the end of the range"
    END = "the end of the volume"
    HAND = "the next slice is labelled by hand"
    STAYED = "the slices before it were better as they were"


@dataclass(frozen=True)
class Rules:
    """When to stop; the defaults were chosen on training data with those of `Continuity`.

    Parameters
    ----------
    min_iou : float
        Stop where the predicted IoU is lower.
    min_share : float
        Stop where predicted IoU times confidence is less than this share of what it was on the
        first slices of the way: what is a good score differs from image to image.
    max_area_jump : float
        Stop where an area is so many times larger, or smaller, than on the slice before.
    min_overlap : float
        Stop where the IoU with the slice before is lower.
    min_area : int
        An object of fewer pixels has ended.
    max_slices : int, optional
        Stop after so many slices in each direction.
    first, last : int, optional
        Keep to these slices, both included.
    agree : float
        Between two slices labelled by hand, the proposal is taken where its IoU with the
        interpolation is at least this, and the interpolation elsewhere.
    """

    min_iou: float = 0.4
    min_share: float = 0.5
    max_area_jump: float = 2.0
    min_overlap: float = 0.0
    min_area: int = 12
    max_slices: int | None = None
    first: int | None = None
    last: int | None = None
    agree: float = 0.5

    def fit(self, held: SliceMask, expected: SliceMask) -> bool:
        """Whether a mask goes on with what is expected: it neither jumps nor lies elsewhere."""
        ratio = held.area / max(expected.area, 1)
        jumps = not 1 / self.max_area_jump <= ratio <= self.max_area_jump
        return not jumps and held.iou(expected) >= FITS


@dataclass(frozen=True, eq=False)
class Stopped:
    """Propagation came to an end in one direction.

    Parameters
    ----------
    index : int
        The first slice that was not labelled any more; one beyond the volume at its end.
    step : int
        1 upwards, -1 downwards.
    reason : Reason
    rejected : SliceMask, optional
        What was found there but not taken.
    lost : tuple of int
        Slices from there on that had the object before, and have it no more.
    """

    index: int
    step: int
    reason: Reason
    rejected: SliceMask | None = None
    lost: tuple[int, ...] = ()

    @property
    def early(self) -> bool:
        """Whether the object may go on beyond: somebody should look."""
        return self.reason in {Reason.UNSURE, Reason.AREA, Reason.LOST}

    @property
    def inside(self) -> bool:
        """Whether it ended among slices that have the object: its ends are where they were."""
        return self.reason in {Reason.HAND, Reason.STAYED}


def end_of_the_way(
    index: int, number: int, count: int, end: SliceMask | None, rules: Rules
) -> Reason | None:
    """Why a slice is not even looked at, or None."""
    if not 0 <= index < count:
        return Reason.END
    if end is not None and index == end.index:
        return Reason.EMPTY if end.region is None else Reason.HAND
    if rules.max_slices is not None and number >= rules.max_slices:
        return Reason.COUNT
    if (rules.first is not None and index < rules.first) or (
        rules.last is not None and index > rules.last
    ):
        return Reason.RANGE
    return None


def doubt(found: Continued, usual: Sequence[float], rules: Rules) -> Reason | None:
    """Why what was found is not taken, after slices with these scores, or None."""
    if found.labelled.area < rules.min_area:
        return Reason.EMPTY
    first = usual[:FIRST]
    expected = float(np.median(first)) if len(first) >= FIRST // 2 else 0.0
    if found.predicted_iou < rules.min_iou or found.labelled.predicted < rules.min_share * expected:
        return Reason.UNSURE
    if not 1 / rules.max_area_jump <= found.area_ratio <= rules.max_area_jump:
        return Reason.AREA
    if found.labelled.agreement < rules.min_overlap:
        return Reason.LOST
    return None
