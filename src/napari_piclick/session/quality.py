"""Quality by slice: how good each mask probably is, and which slice most needs a look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_piclick.session.slice_mask import LabelledBy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_piclick.session.slice_mask import ObjectSlices, SliceMask
    from napari_piclick.session.stopping import Stopped


#: Power of the predicted score in the quality; the agreement has the rest. Chosen, as `AREA`, on
#: training data (``benchmarks/choose_propagation.py``).
PREDICTED = 0.5
#: A mask of four times the area is worth twice the look.
AREA = 0.5


@dataclass(frozen=True, slots=True)
class SliceQuality:
    """What is known of the mask on one slice.

    Parameters
    ----------
    index : int
    quality : float
        Between 0 and 1; 1 for slices labelled by hand. It ranks slices; it is no IoU.
    predicted : float
        What the model thinks: predicted IoU times confidence.
    agreement : float
        Mean IoU with the slices on both sides.
    by : LabelledBy, optional
        None where propagation stopped and the object may go on.
    area : int
        Number of pixels of the mask.
    """

    index: int
    quality: float
    predicted: float
    agreement: float
    by: LabelledBy | None
    area: int

    @property
    def need(self) -> float:
        """How much a look is worth: how doubtful the mask is, and, less than in proportion, large.

        By doubt alone, the tips of an object would come first, where little is to be gained.
        """
        return (1 - self.quality) * self.area**AREA


def rate_slices(slices: ObjectSlices, stopped: Iterable[Stopped] = ()) -> list[SliceQuality]:
    """Rate every labelled slice of an object, and those where propagation stopped early.

    Parameters
    ----------
    slices : ObjectSlices
    stopped : iterable of Stopped
        How propagation ended; what has changed since at such an end is not rated any more.

    Returns
    -------
    list of SliceQuality
        In order of the slices.
    """
    rated = [_rate(labelled, slices) for labelled in slices]
    for stop in stopped:
        found, before = stop.rejected, slices.get(stop.index - stop.step)
        still = before is not None and before.region is not None and stop.index not in slices
        if stop.early and found is not None and still:
            quality = _combine(found.predicted, found.agreement)
            rated.append(
                SliceQuality(
                    stop.index, quality, found.predicted, found.agreement, None, found.area
                )
            )
    return sorted(rated, key=lambda rating: rating.index)


def most_doubtful(rated: Iterable[SliceQuality]) -> SliceQuality | None:
    """The slice that most needs a look; None if all were labelled by hand."""
    doubtful = [rating for rating in rated if rating.by is not LabelledBy.HAND]
    return max(doubtful, key=lambda rating: rating.need, default=None)


def _rate(labelled: SliceMask, slices: ObjectSlices) -> SliceQuality:
    if labelled.by is LabelledBy.HAND:
        return SliceQuality(labelled.index, 1.0, 1.0, 1.0, labelled.by, labelled.area)
    beside = [slices.get(labelled.index + step) for step in (-1, 1)]
    # Where the object ends it is small and hard to see: no neighbour, no agreement.
    overlaps = [0.0 if other is None else labelled.iou(other) for other in beside]
    agreement = sum(overlaps) / len(overlaps)
    quality = _combine(labelled.predicted, agreement)
    return SliceQuality(
        labelled.index, quality, labelled.predicted, agreement, labelled.by, labelled.area
    )


def _combine(predicted: float, agreement: float) -> float:
    """The weighted geometric mean: a slice is as doubtful as both signs together say."""
    return float(max(predicted, 0.0) ** PREDICTED * max(agreement, 0.0) ** (1 - PREDICTED))
