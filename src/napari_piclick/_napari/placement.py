"""The placement: where a layer lies in the world, for layers that lie on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_piclick._napari.view import level_zero
from napari_piclick._napari.world import conversion, units_of_viewer

if TYPE_CHECKING:
    from napari.components import Dims
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


def placement_in(image: Image, dims: Dims) -> dict[str, Any]:
    """The same placement, said in the units of the viewer.

    napari's mouse adds points, and finds them, as if the viewer measured in their layer's own
    units: with nanometres for millimetres they would lie so far away that its sliders overflow.
    """
    placement, units = placement_of(image), units_of_viewer(image, dims)
    if (units == 1).all():
        return placement
    affine = np.array(image.affine.affine_matrix)
    affine[:-1] /= units[:, None]
    return {**placement, "affine": affine, "units": tuple(dims.units)[-image.ndim :]}


def place(layer: Layer, placement: dict[str, Any]) -> None:
    """Put a layer where it belongs again, after the image was moved."""
    for name, value in placement.items():
        setattr(layer, name, value)


def lies_on(layer: Layer, image: Image) -> bool:
    """Whether a layer of the same shape lies exactly on an image, whatever the units of both."""
    shape = level_zero(image).shape[: image.ndim]
    # the first voxel, and the last one along each axis: there small differences have added up
    corners = np.vstack([np.zeros(len(shape)), np.diag(shape)])
    units = conversion(image.units, layer.units)
    there = [layer.world_to_data(image.data_to_world(corner) * units) for corner in corners]
    return bool(np.allclose(there, corners, rtol=0, atol=TOLERANCE))


def translate_to(image: Image, plane: Plane, region: Region) -> np.ndarray:
    """The ``translate`` of a layer that covers only a region of a plane of an image."""
    start = plane.to_volume((region.row0, region.col0))
    position: np.ndarray = np.asarray(image.affine.inverse(image.data_to_world(start)))
    return position
