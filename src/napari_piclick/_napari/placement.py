"""The placement: where a layer lies in the world, for layers that lie on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari.layers import Image, Layer

    from napari_piclick.plane import Plane
    from napari_piclick.region import Region

#: The attributes that place a layer, and so the events that tell of a change.
TRANSFORMS = ("scale", "translate", "rotate", "shear", "affine")


def placement_of(image: Image) -> dict[str, Any]:
    """Keyword arguments that place a new layer of the same shape exactly on an image."""
    return {
        **{name: getattr(image, name) for name in TRANSFORMS},
        "units": image.units,
        "axis_labels": image.axis_labels,
    }


def place(layer: Layer, image: Image) -> None:
    """Put a layer exactly on an image again, after the image was moved."""
    for name, value in placement_of(image).items():
        setattr(layer, name, value)


def translate_to(image: Image, plane: Plane, region: Region) -> np.ndarray:
    """The ``translate`` of a layer that covers only a region of a plane of an image."""
    start = plane.to_volume((region.row0, region.col0))
    position: np.ndarray = np.asarray(image.affine.inverse(image.data_to_world(start)))
    return position
