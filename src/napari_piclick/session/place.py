"""The place: what tells a plane from every other plane of every image."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_piclick.plane import Plane

if TYPE_CHECKING:
    from collections.abc import Hashable


class Place(NamedTuple):
    """One plane of one image."""

    image: Hashable
    plane: Plane


def plane_of(place: Hashable, shape: tuple[int, int]) -> Plane:
    """The plane of a place, or of an image of this (height, width) that is but one plane."""
    return place.plane if isinstance(place, Place) else Plane(shape, (0, 1))
