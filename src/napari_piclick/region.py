"""The region: a rectangle of whole pixels on one plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Region:
    """Rows ``row0 .. row1 - 1`` and columns ``col0 .. col1 - 1`` of a plane (half open).

    Raises
    ------
    ValueError
        If the rectangle holds no pixel.
    """

    row0: int
    row1: int
    col0: int
    col1: int

    def __post_init__(self) -> None:
        if self.row1 <= self.row0 or self.col1 <= self.col0:
            raise ValueError(f"A region needs at least one pixel, but {self} has none.")

    @classmethod
    def whole(cls, shape: tuple[int, int]) -> Region:
        """The region that covers a whole plane of this (height, width)."""
        return cls(0, int(shape[0]), 0, int(shape[1]))

    @classmethod
    def around(
        cls, center: tuple[float, float], size: tuple[int, int], shape: tuple[int, int]
    ) -> Region:
        """A rectangle of ``size`` about ``center``, moved (then cut) to lie on the plane.

        Parameters
        ----------
        center : (row, col) in pixels.
        size : (height, width) wanted, in pixels.
        shape : (height, width) of the plane.
        """
        bounds = []
        for middle, extent, limit in zip(center, size, shape, strict=True):
            extent = min(max(int(extent), 1), int(limit))
            start = min(max(round(middle - extent / 2), 0), int(limit) - extent)
            bounds += [start, start + extent]
        return cls(*bounds)

    @classmethod
    def of_mask(cls, mask: np.ndarray) -> Region | None:
        """The bounding box of a (H, W) bool mask, or None if the mask is empty."""
        rows = np.flatnonzero(mask.any(axis=1))
        if not rows.size:
            return None
        cols = np.flatnonzero(mask[rows[0] : rows[-1] + 1].any(axis=0))
        return cls(int(rows[0]), int(rows[-1]) + 1, int(cols[0]), int(cols[-1]) + 1)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.row1 - self.row0, self.col1 - self.col0

    @property
    def center(self) -> tuple[float, float]:
        """(row, col) of the middle, such that ``around(center, shape)`` gives the region back."""
        return (self.row0 + self.row1) / 2, (self.col0 + self.col1) / 2

    @property
    def slices(self) -> tuple[slice, slice]:
        """The index of this region in its plane."""
        return slice(self.row0, self.row1), slice(self.col0, self.col1)

    def contains(self, row: float, col: float, margin: float = 0) -> bool:
        """Tell whether a point lies inside, at least ``margin`` pixels from the edge."""
        return (
            self.row0 + margin <= row <= self.row1 - 1 - margin
            and self.col0 + margin <= col <= self.col1 - 1 - margin
        )

    def covers(self, other: Region) -> bool:
        """Tell whether every pixel of ``other`` lies in this region."""
        return (
            self.row0 <= other.row0
            and other.row1 <= self.row1
            and self.col0 <= other.col0
            and other.col1 <= self.col1
        )

    def union(self, other: Region) -> Region:
        """The smallest region that covers both."""
        return Region(
            min(self.row0, other.row0),
            max(self.row1, other.row1),
            min(self.col0, other.col0),
            max(self.col1, other.col1),
        )

    def including(self, points: Iterable[tuple[int, int]]) -> Region:
        """The smallest region that covers this one and the pixels (row, col) given."""
        region = self
        for row, col in points:
            region = region.union(Region(row, row + 1, col, col + 1))
        return region

    def moved(self, rows: int, cols: int) -> Region:
        """The same rectangle, so many rows further down and columns further right."""
        return Region(self.row0 + rows, self.row1 + rows, self.col0 + cols, self.col1 + cols)

    def paste(self, values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        """Put values of this region, (h, w), into an (H, W) array that is zero elsewhere."""
        plane = np.zeros(shape, values.dtype)
        plane[self.slices] = values
        return plane
