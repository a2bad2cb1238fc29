"""The simulated annotator of volumes: clicks on slices as somebody would who knows the object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_piclick.eval.clicker import next_click
from napari_piclick.eval.metrics import intersection_over_union
from napari_piclick.session.slice_mask import SliceMask

if TYPE_CHECKING:
    from volume_cases import Case

    from napari_piclick import Predictor

#: A slice that is at least this good is left as it is.
GOOD_SLICE = 0.85


class Annotator:
    """Clicks on the slices of one object, and counts the clicks.

    Parameters
    ----------
    predictor : Predictor
    case : Case
    """

    def __init__(self, predictor: Predictor, case: Case) -> None:
        self.predictor = predictor
        self.case = case
        self.stack = case.stack()
        self.clicks = 0

    def goes_to(self, index: int) -> int:
        """The slice to correct: beyond the object, the first one on which it is not."""
        on = self.case.extent()
        return int(min(max(index, on[0] - 1), on[-1] + 1))

    def label(self, index: int, before: SliceMask | None, most: int) -> SliceMask:
        """Click on a slice until it is good, at most so many times, from what is there."""
        truth = self.case.plane(index)
        mask = np.zeros_like(truth) if before is None else before.plane_mask()
        previous: Any = mask.astype(np.float32) if mask.any() else None
        source = self.stack.source(index)
        self.predictor.set_image(source.pixels, contrast_limits=source.window, key=source.key)
        clicks: list[Any] = []
        while len(clicks) < most and intersection_over_union(truth, mask) < GOOD_SLICE:
            if not truth.any():
                return SliceMask.of(index, truth)  # wiped away: one key, counted as a click
            clicks.append(next_click(truth, mask, clicks))
            self.clicks += 1
            previous = self.predictor.predict(clicks, previous)
            mask = previous.plane_mask()
        return SliceMask.of(index, mask)
