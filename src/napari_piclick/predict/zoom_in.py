"""Zoom-in: from the second click on, the published network looks at the object and some margin.

Introduced by Sofiiuk et al. (RITM, 2021), used by SimpleClick and PiClick.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_piclick.region import Region

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from napari_piclick.clicks import Click


@dataclass(frozen=True)
class ZoomIn:
    """The sizes that decide.

    Parameters
    ----------
    expansion : float
        Side of the region, in sides of the object's bounding box.
    minimum : float
        Smallest side of a region, in pixels.
    kept_above : float
        The region stays while it overlaps with the one wanted more than this
        (product of the overlaps of rows and of columns).
    """

    expansion: float = 1.4
    minimum: float = 200.0
    kept_above: float = 0.5

    def wanted(
        self,
        mask: np.ndarray | None,
        offset: Region,
        clicks: Sequence[Click],
        shape: tuple[int, int],
    ) -> Region:
        """The region to look at.

        Parameters
        ----------
        mask : (h, w) bool, the object so far, or None.
        offset : Region
            Where ``mask`` lies on the plane.
        clicks : sequence of Click
            Positive ones are part of the object.
        shape : (height, width) of the plane.

        Returns
        -------
        Region
            The object and some margin, cut at the plane's edge; the whole plane without one.
        """
        found = None if mask is None else Region.of_mask(mask)
        if found is None:
            return Region.whole(shape)
        box = found.moved(offset.row0, offset.col0)
        box = box.including(click.pixel for click in clicks if click.positive)
        rows = self._expand(box.row0, box.row1 - 1, shape[0])
        cols = self._expand(box.col0, box.col1 - 1, shape[1])
        return Region(*rows, *cols)

    def _expand(self, first: int, last: int, limit: int) -> tuple[int, int]:
        """Half-open bounds of a side; Python rounds halves to even, as the authors' code does."""
        centre = 0.5 * (first + last)
        half = 0.5 * max(self.expansion * (last - first + 1), self.minimum)
        return max(0, round(centre - half)), min(limit - 1, round(centre + half)) + 1

    def follow(self, stored: Region | None, wanted: Region, clicks: Sequence[Click]) -> Region:
        """The region to use: the stored one as long as it will do.

        A positive click on its last row or column counts as outside, as in the authors' code.
        """
        if stored is None or overlap(wanted, stored) < self.kept_above:
            return wanted
        for click in clicks:
            row, col = click.pixel
            inside = stored.row0 <= row < stored.row1 - 1 and stored.col0 <= col < stored.col1 - 1
            if click.positive and not inside:
                return wanted
        return stored


def overlap(a: Region, b: Region) -> float:
    """IoU of the rows times IoU of the columns of two regions."""
    return _interval_iou(a.row0, a.row1, b.row0, b.row1) * _interval_iou(
        a.col0, a.col1, b.col0, b.col1
    )


def _interval_iou(a0: int, a1: int, b0: int, b1: int) -> float:
    return max(0, min(a1, b1) - max(a0, b0)) / max(1e-6, max(a1, b1) - min(a0, b0))


def square(region: Region, shape: tuple[int, int]) -> Region:
    """The smallest square about a region, moved and cut to lie on a plane of ``shape``."""
    side = max(region.shape)
    return Region.around(region.center, (side, side), shape).union(region)
