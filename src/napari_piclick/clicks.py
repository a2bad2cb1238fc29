"""The click: where the user pointed on one plane, and what they meant by it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Click:
    """One click on a 2D plane.

    Parameters
    ----------
    row, col : float
        Position in pixels of the plane; ``(0, 0)`` is the centre of the first pixel.
    positive : bool
        True if the click lies on the object, False if it lies on what should be left out.
    """

    row: float
    col: float
    positive: bool = True

    @property
    def pixel(self) -> tuple[int, int]:
        """The pixel that contains the click, as (row, col)."""
        return round(self.row), round(self.col)

    def inside(self, shape: tuple[int, int]) -> bool:
        """Tell whether the click lies on a plane of this (height, width)."""
        row, col = self.pixel
        return 0 <= row < shape[0] and 0 <= col < shape[1]
