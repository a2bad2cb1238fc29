"""The plane stack: the planes of a volume along one axis, each read when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_piclick.session.source import Source

if TYPE_CHECKING:
    from collections.abc import Hashable

    from napari_piclick.plane import Plane


@dataclass(frozen=True, eq=False)
class PlaneStack:
    """The planes parallel to one plane, along one of the axes that it does not show.

    Parameters
    ----------
    volume : array-like
        Only planes are ever read from it.
    plane : Plane
        Any plane of the stack: it says which axes are shown, and where along the others.
    axis : int
        The axis to go along: depth or time.
    key : hashable
        Identity of the volume.
    contrast_limits : (low, high), optional
        Values seen as black and white, the same on every plane; else percentiles of each.
    colors : bool
        Whether the volume has a last axis of colours though the plane has none; see `Source`.

    Raises
    ------
    ValueError
        If the plane shows that axis.
    """

    volume: Any
    plane: Plane
    axis: int
    key: Hashable
    contrast_limits: tuple[float, float] | None = None
    colors: bool = False

    def __post_init__(self) -> None:
        if self.axis not in self.plane.hidden:
            raise ValueError(
                f"The planes show axis {self.axis}, so nothing can be propagated along it; choose "
                f"one of {', '.join(map(str, self.plane.hidden)) or 'none'}."
            )

    def __len__(self) -> int:
        return self.plane.volume_shape[self.axis]

    @property
    def position(self) -> int:
        """The number of the plane that the stack was made with."""
        return self.plane.position(self.axis)

    def plane_at(self, index: int) -> Plane:
        """The plane with a number along the axis."""
        return self.plane.at(self.axis, index)

    def source(self, index: int) -> Source:
        """What a predictor is shown of a plane."""
        plane = self.plane_at(index)
        return Source((self.key, plane.key), plane, self.volume, self.contrast_limits, self.colors)
