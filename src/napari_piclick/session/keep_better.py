"""Keeping the better mask: on a slice that is followed again, what it held and what is found now.

A correction says something of the slice that was corrected, and less and less of those farther
away. Where they were good already, another look at them can only replace what is good.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_piclick.session.slice_mask import LabelledBy

if TYPE_CHECKING:
    from napari_piclick.session.slice_mask import ObjectSlices, SliceMask


@dataclass(frozen=True)
class Keep:
    """When a slice that is followed again keeps what it held.

    The defaults were chosen on training data; see ``docs/volumes.md``.

    Parameters
    ----------
    overlap : float
        Power of the IoU with what is expected, in what a mask is worth; its score counts once.
    more : float
        What is found now is taken where it is worth more than so many times what was held.
    in_a_row : int
        After so many slices that kept what they held, those beyond are left as they are too.
    """

    overlap: float = 2.0
    more: float = 1.0
    in_a_row: int = 2

    def better(
        self, held: SliceMask, found: SliceMask, expected: SliceMask, agree: float
    ) -> SliceMask | None:
        """The mask that a slice held, if it keeps it; None if what was found is worth more.

        Parameters
        ----------
        held, found : SliceMask
            What the slice has, and what was found there now.
        expected : SliceMask
            What the neighbour that was settled last lets expect there.
        agree : float
            An interpolation gives way to a mask whose IoU with it is at least this, as it does
            to proposals (`Rules`): that says nothing of its own.
        """
        if found.by is LabelledBy.INTERPOLATED:
            stays = held.iou(expected) >= agree
        else:
            stays = self.worth(found, expected) <= self.more * self.worth(held, expected)
        return held if stays else None

    def worth(self, mask: SliceMask, expected: SliceMask) -> float:
        """How well a mask goes on with what is expected, and how sure the model is of it."""
        return float(max(mask.predicted, 0.0) * mask.iou(expected) ** self.overlap)


def held_on(slices: ObjectSlices, index: int) -> SliceMask | None:
    """What a slice has that was not labelled by hand; None where the object is not."""
    held = slices.get(index)
    return None if held is None or held.region is None or slices.by_hand(index) else held
