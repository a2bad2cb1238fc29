"""The viewer's world: where a position in it lies in a layer, whatever the units of both.

The viewer measures in the smallest of its layers' units. What napari gives to go between the world
and a layer's data, `Layer.world_to_data` and `Layer.data_to_world`, knows the layer's own only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.components import Dims
    from napari.layers import Layer
    from numpy.typing import ArrayLike


def to_layer(layer: Layer, position: ArrayLike, dims: Dims) -> np.ndarray:
    """Where a position in the viewer lies in a layer's data.

    Parameters
    ----------
    layer : napari.layers.Layer
    position : (n,) float
        As napari's mouse, cursor and sliders tell it; the last axes are those of the layer.
    dims : napari.components.Dims
        The viewer's, which know its units.
    """
    world = np.asarray(position, dtype=float)
    world = world[len(world) - layer.ndim :] * units_of_viewer(layer, dims)
    return np.asarray(layer.world_to_data(world), dtype=float)


def from_layer(layer: Layer, voxel: ArrayLike, dims: Dims) -> np.ndarray:
    """Where a place in a layer's data lies in the viewer, along the axes of the layer."""
    return np.asarray(layer.data_to_world(voxel), dtype=float) / units_of_viewer(layer, dims)


def units_of_viewer(layer: Layer, dims: Dims) -> np.ndarray:
    """How many units of a layer one of the viewer's is, on each axis; layers' units may differ."""
    units = tuple(dims.units or ())[-layer.ndim :]
    if len(units) != layer.ndim:
        return np.ones(layer.ndim)
    return conversion(units, layer.units)


def conversion(given: Sequence[Any], wanted: Sequence[Any]) -> np.ndarray:
    """How many of the wanted units a given one is, on each axis; 1 where they have no relation."""
    return np.array(
        [
            (1 * one).to(other).magnitude if one != other and one.is_compatible_with(other) else 1.0
            for one, other in zip(given, wanted, strict=True)
        ]
    )
