"""The question: clicks on one object, the view they are answered from, and the answer so far."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.models.mask_decoder import MaskPrediction
from napari_piclick.predict.ranking import rank
from napari_piclick.predict.specks import without_specks
from napari_piclick.proposals import Proposals
from napari_piclick.region import Region

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_piclick.clicks import Click
    from napari_piclick.predict.view import View

#: Proposals are kept where any of them is more probable than this.
KEPT_PROBABILITY = 0.05


@dataclass(eq=False)
class Question:
    """What is asked about one object, and how far its answer is."""

    clicks: Sequence[Click]
    start: np.ndarray | None
    region: Region | None
    held: Region | None
    view: View
    prediction: MaskPrediction | None = None

    def seen(self, view: View) -> Question:
        """The same question, asked of another view."""
        return replace(self, view=view, prediction=None)

    def average(self, other: Question) -> None:
        """Take the mean of this answer and that of the view's mirror image, query by query.

        The network's queries show the same in both far more often than not; to match them first
        gains nothing.
        """
        mine, theirs = self.prediction, other.prediction
        assert mine is not None
        assert theirs is not None
        self.prediction = MaskPrediction(
            (mine.masks + other.view.straight(theirs.masks)) / 2,
            (mine.iou + theirs.iou) / 2,
            (mine.confidence + theirs.confidence) / 2,
        )

    def proposals(self, shape: tuple[int, int]) -> Proposals:
        """The answer, ranked, on a plane of (height, width)."""
        found, view, clicks = self.prediction, self.view, self.clicks
        assert found is not None
        logits = without_specks(found.masks[0].float(), view, clicks)
        threshold = float(np.log(KEPT_PROBABILITY / (1 - KEPT_PROBABILITY)))
        region = view.occupied(logits, threshold)
        if region is None:  # nothing at all: keep the pixels of the clicks, empty
            row, col = clicks[0].pixel if clicks else (view.region.row0, view.region.col0)
            region = Region(row, row + 1, col, col + 1)
        iou = found.iou[0].float().clamp(0, 1)
        confidence = found.confidence[0].float().sigmoid()
        masks = view.masks(logits, region).sigmoid()
        order = rank(iou * confidence, masks, region, clicks)
        return Proposals(
            masks=masks[order].cpu().numpy(),
            region=region,
            plane_shape=shape,
            iou=iou[order].cpu().numpy(),
            confidence=confidence[order].cpu().numpy(),
            view=view.region,
        )
