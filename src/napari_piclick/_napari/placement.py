"""The placement: where a layer lies in the world, for layers that lie on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_piclick._napari.view import level_zero

if TYPE_CHECKING:
    from napari.layers import Image, Layer

    from napari_piclick.plane import Plane
    from napari_piclick.region import Region

#: Layers that are off by less lie on each other, in voxels.
TOLERANCE = 0.1
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


def lies_on(layer: Layer, image: Image) -> bool:
    """Whether a layer of the same shape lies exactly on an image, voxel on voxel."""
    shape = level_zero(image).shape[: image.ndim]
    # the first voxel, and the last one along each axis: there small differences have added up
    corners = np.vstack([np.zeros(len(shape)), np.diag(shape)])
    there = [layer.world_to_data(image.data_to_world(corner)) for corner in corners]
    return bool(np.allclose(there, corners, rtol=0, atol=TOLERANCE))


def translate_to(image: Image, plane: Plane, region: Region) -> np.ndarray:
    """The ``translate`` of a layer that covers only a region of a plane of an image."""
    start = plane.to_volume((region.row0, region.col0))
    position: np.ndarray = np.asarray(image.affine.inverse(image.data_to_world(start)))
    return position
