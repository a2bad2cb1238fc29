"""Slice numbers: the slices of an image as the viewer's slider counts them.

A slider counts along the world's axis. Where an axis of the image runs the other way, its last
slice is the slider's first; where another layer has thinner slices, or begins before, the slider
counts those as well.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SliceNumbers:
    """The number that the slider shows for each slice of an image along an axis.

    Parameters
    ----------
    first : float
        Where the slider stands at slice 0 of the array.
    step : float
        How far it moves from one slice to the next; negative where it counts the other way.
    """

    first: float = 0.0
    step: float = 1.0

    @property
    def reversed(self) -> bool:
        """Whether the slider counts from the array's last slice."""
        return self.step < 0

    def shown(self, index: int) -> int:
        """The slider's number of a slice of the array."""
        return round(self.first + self.step * index)

    def index(self, shown: float) -> int:
        """The slice of the array that is nearest to a number of the slider; it may not exist."""
        return round((shown - self.first) / self.step) if self.step else 0

    def upwards(self, step: int) -> int:
        """A step through the array as a step of the slider, and the other way about: 1 or -1."""
        return -step if self.reversed else step
