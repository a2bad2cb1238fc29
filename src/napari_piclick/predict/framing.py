"""Framing: which part of a plane to look at, and at what size.

A plane of moderate size is looked at whole. Of a larger one only a window about
the clicks is read. Where the objects proposed are small on the encoder's grid,
a closer look follows (zoom-in); where the best of them runs into the edge of the
view, a wider one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_piclick.predict.view import CELL, View
from napari_piclick.region import Region

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_piclick.clicks import Click
    from napari_piclick.models.mask_decoder import MaskPrediction
    from napari_piclick.proposals import Proposals


@dataclass(frozen=True)
class Framing:
    """The sizes that decide.

    Parameters
    ----------
    long_side : int
        Longer side of the network's input, in pixels; what the model was trained at is best.
    whole_limit : int
        Planes whose longer side is at most this are looked at whole.
    window : int
        Side of the window read from a larger plane, in pixels of the plane.
    grid : int
        Windows begin at multiples of this, so that neighbouring clicks share an embedding.
    zoom_below : float
        Look closer if the proposals that count span less than this fraction of the view.
    zoom_margin : float
        Side of a closer look, in sizes of what it is about.
    close_minimum : int
        Smallest side of a closer look, in pixels of the plane.
    hardly_closer : float
        A closer look of more than this fraction of the view is not worth encoding.
    window_limit : int
        Clicks on one object may lie this far apart, in pixels of the plane.
    retries : int
        How often a look may be followed by a better one within one prediction.
    thorough : bool
        Whether the mirror image is looked at too, and after a first click the object from nearer
        (`second_look`). Better proposals, for about three times the time.
    second_margin : float
        Side of that second look, in sizes of what it is about.
    second_minimum : int
        Smallest side of it, in pixels of the plane.
    """

    long_side: int = 512
    whole_limit: int = 640
    window: int = 384
    grid: int = 128
    zoom_below: float = 0.15
    zoom_margin: float = 4.0
    close_minimum: int = 96
    hardly_closer: float = 0.8
    window_limit: int = 3072
    retries: int = 2
    thorough: bool = False
    second_margin: float = 1.6
    second_minimum: int = 48

    def fits(self, shape: tuple[int, int]) -> bool:
        """Tell whether a plane of this (height, width) is looked at whole."""
        return max(shape) <= self.whole_limit

    def whole(self, shape: tuple[int, int]) -> View:
        """The view of a whole plane."""
        return self._view(Region.whole(shape))

    def first(
        self,
        clicks: Sequence[Click],
        last: Region | None,
        previous: Region | None,
        shape: tuple[int, int],
    ) -> View:
        """Where to look for these clicks.

        Parameters
        ----------
        clicks : sequence of Click
        last : Region, optional
            What was looked at for the clicks before.
        previous : Region, optional
            Where the previous mask lies.
        shape : (height, width) of the plane.

        Raises
        ------
        ValueError
            If the clicks lie farther apart than ``window_limit``.
        """
        pixels = [click.pixel for click in clicks]
        if last is not None and all(last.contains(*pixel) for pixel in pixels):
            return self._view(last)
        if self.fits(shape):
            return self.whole(shape)
        rows, cols = zip(*pixels, strict=True) if pixels else ((), ())
        if pixels:
            about = Region(min(rows), max(rows) + 1, min(cols), max(cols) + 1)
            if previous is not None:
                about = about.union(previous)
        elif previous is not None:
            about = previous
        else:
            raise ValueError("There is neither a click nor a previous mask to look at.")
        if max(about.shape) > self.window_limit:
            raise ValueError(
                f"The clicks and mask of this object span {max(about.shape)} pixels, more than the "
                f"{self.window_limit} that are looked at together; finish it and start another."
            )
        side = max(self.window, max(about.shape) + self.grid)
        centre = tuple(round(x / self.grid) * self.grid for x in about.center)
        return self._view(Region.around((centre[0], centre[1]), (side, side), shape).union(about))

    def next(
        self,
        view: View,
        prediction: MaskPrediction,
        clicks: Sequence[Click],
        previous: Region | None,
        shape: tuple[int, int],
    ) -> View | None:
        """A better view for the same prompt, or None if this one will do."""
        score = (prediction.iou.clamp(0, 1) * prediction.confidence.sigmoid())[0]
        logits = prediction.masks[0]
        best = view.occupied(logits[score.argmax()][None], 0.0)
        if best is None:
            return None
        if self._cut(best, view.region, shape):
            side = min(2 * max(view.region.shape), self.window_limit)
            wider = Region.around(best.center, (side, side), shape).union(view.region)
            if self.fits(shape):
                wider = Region.whole(shape)
            return self._view(wider) if wider != view.region else None
        counting = view.occupied(logits[score >= 0.7 * score.max()], 0.0) or best
        counting = counting.including(click.pixel for click in clicks)
        if previous is not None:
            counting = counting.union(previous)
        if max(counting.shape) >= self.zoom_below * max(view.region.shape):
            return None
        side = max(round(self.zoom_margin * max(counting.shape)), self.close_minimum)
        if side > self.hardly_closer * max(view.region.shape):
            return None
        closer = Region.around(counting.center, (side, side), shape).union(counting)
        return self._view(closer)

    def second(
        self, proposals: Proposals, clicks: Sequence[Click], shape: tuple[int, int]
    ) -> View | None:
        """A closer view of the better half of the proposals; None if they fill the view they have.

        Raises
        ------
        ValueError
            If the proposals do not say what was looked at for them.
        """
        if proposals.view is None:
            raise ValueError("These proposals do not say what was looked at for them.")
        good = proposals.score >= 0.5 * proposals.score.max()
        found = Region.of_mask((proposals.masks[good] > proposals.threshold).any(0))
        if found is None:
            return None
        about = found.moved(proposals.region.row0, proposals.region.col0)
        about = about.including(click.pixel for click in clicks)
        side = max(round(self.second_margin * max(about.shape)), self.second_minimum)
        if side > self.hardly_closer * max(proposals.view.shape):
            return None
        return self._view(Region.around(about.center, (side, side), shape).union(about))

    def _cut(self, mask: Region, view: Region, shape: tuple[int, int]) -> bool:
        """Tell whether a mask runs into an edge of the view that is not one of the plane."""
        return (
            (mask.row0 < view.row0 + CELL and view.row0 > 0)
            or (mask.row1 > view.row1 - CELL and view.row1 < shape[0])
            or (mask.col0 < view.col0 + CELL and view.col0 > 0)
            or (mask.col1 > view.col1 - CELL and view.col1 < shape[1])
        )

    def _view(self, region: Region) -> View:
        return View(region, self.long_side)
