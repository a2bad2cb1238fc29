"""The view: which plane of a layer the viewer shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_piclick._napari.world import from_layer, to_layer
from napari_piclick.plane import Plane
from napari_piclick.session.labelled_planes import LabelledPlanes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.components import Dims
    from napari.layers import Image, Labels

#: Cross terms of a transform smaller than this, against its scale, are rounding.
ROUNDING = 1e-6


class NoPlaneError(ValueError):
    """The viewer shows no plane of the layer; the message says why, and what to do."""


def plane_in_view(layer: Image, dims: Dims) -> Plane:
    """The plane of an image layer that the viewer shows.

    Parameters
    ----------
    layer : napari.layers.Image
        Plain, RGB or multiscale; of a multiscale layer the finest level counts.
    dims : napari.components.Dims
        The viewer's sliders and order of axes.

    Raises
    ------
    NoPlaneError
        If the viewer shows volumes, a position beyond the image, or a plane that the
        layer's transform cuts at a slant.
    """
    if dims.ndisplay != 2:
        raise NoPlaneError("PiClick works on planes: switch the viewer from 3D to 2D (Ctrl+Y).")
    shape = level_zero(layer).shape[: layer.ndim]
    first = dims.ndim - layer.ndim
    displayed = tuple(axis - first for axis in dims.order[-2:])
    if min(displayed) < 0:
        raise NoPlaneError(
            f"“{layer.name}” has only {layer.ndim} axes and no plane in this view: "
            "roll the axes (Ctrl+E) until it shows."
        )
    hidden = [axis for axis in range(layer.ndim) if axis not in displayed]
    affine = _affine(layer)
    if _slanted(affine, hidden, displayed):
        raise NoPlaneError(
            f"“{layer.name}” is turned or sheared out of the plane that the viewer shows: "
            "remove that rotation, or roll the axes (Ctrl+E)."
        )
    position = np.round(to_layer(layer, dims.point, dims))[hidden].astype(int)
    limits = np.array(shape)[hidden]
    if ((position < 0) | (position >= limits)).any():
        raise NoPlaneError(
            f"The slider is beyond “{layer.name}” here: move it back to a slice of the image."
        )
    return Plane(
        volume_shape=tuple(int(n) for n in shape),
        displayed=(int(displayed[0]), int(displayed[1])),
        index=tuple(int(i) for i in position),
        rgb=bool(layer.rgb),
        affine=tuple(tuple(float(value) for value in row) for row in affine),
    )


def show_plane(layer: Image, plane: Plane, dims: Dims) -> None:
    """Move the viewer's sliders, and its axes if need be, until a plane of a layer is in view."""
    first = dims.ndim - layer.ndim
    displayed = tuple(axis + first for axis in plane.displayed)
    if dims.ndisplay != 2:
        dims.ndisplay = 2
    if tuple(dims.order[-2:]) != displayed:
        dims.order = (*(axis for axis in dims.order if axis not in displayed), *displayed)
    world = from_layer(layer, plane.to_volume((0.0, 0.0)), dims)
    axes = [axis + first for axis in plane.hidden]
    if axes:
        dims.set_point(axes, [float(world[axis]) for axis in plane.hidden])


def show_voxel(layer: Image, voxel: Sequence[float], dims: Dims) -> None:
    """Move the viewer's sliders until a voxel of a layer is in view; its axes stay as they are."""
    first = dims.ndim - layer.ndim
    world = from_layer(layer, voxel, dims)
    axes = [axis for axis in dims.not_displayed if axis >= first]
    if axes:
        dims.set_point(axes, [float(world[axis - first]) for axis in axes])


def level_zero(layer: Image | Labels) -> np.ndarray:
    """The layer's data, of a multiscale layer those of the finest level; they may be lazy."""
    data: np.ndarray = layer.data[0] if layer.multiscale else layer.data
    return data


def labelled_planes(image: Image, labels: Labels, plane: Plane) -> LabelledPlanes:
    """The planes of an image that are parallel to one in view, with their labels."""
    low, high = (float(value) for value in image.contrast_limits)
    return LabelledPlanes(image.name, level_zero(image), level_zero(labels), plane, (low, high))


def voxel_size(layer: Image) -> tuple[float, ...]:
    """Length of a voxel of a layer along each of its axes, in the world."""
    return tuple(np.linalg.norm(_affine(layer)[:-1, :-1], axis=0).tolist())


def _affine(layer: Image) -> np.ndarray:
    """(ndim + 1, ndim + 1) matrix from data to world coordinates."""
    origin = np.array(layer.data_to_world(np.zeros(layer.ndim)))
    columns = [np.array(layer.data_to_world(axis)) - origin for axis in np.eye(layer.ndim)]
    matrix = np.eye(layer.ndim + 1)
    matrix[:-1, :-1] = np.column_stack(columns)
    matrix[:-1, -1] = origin
    return matrix


def _slanted(affine: np.ndarray, hidden: list[int], displayed: tuple[int, ...]) -> bool:
    """Whether moving within the displayed axes of the world moves along a hidden one of the data.

    The hidden axes must keep to themselves as well: napari slices one at a time.
    """
    linear = affine[:-1, :-1]
    scale = np.abs(linear).max()
    mixed = np.abs(linear[np.ix_(hidden, list(displayed))]).max(initial=0)
    mixed = max(mixed, np.abs(linear[np.ix_(list(displayed), hidden)]).max(initial=0))
    return bool(mixed > ROUNDING * scale)
