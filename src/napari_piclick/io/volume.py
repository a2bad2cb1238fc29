"""The volume: what was read from a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_piclick.io.geometry import Geometry

#: What napari takes to make a layer: data, keyword arguments, type of layer.
LayerData = tuple[Any, dict[str, Any], str]

#: Arrays larger than this, in bytes, are not read at once if their file can be read in parts.
READ_AT_ONCE = 2**28


@dataclass(frozen=True, eq=False)
class Volume:
    """An image or label map, 2D or more.

    Parameters
    ----------
    name : str
    data : array-like
        In the axis order of the file's own reader; a memory map or dask array where the file
        allows it. A last axis more holds colours, if ``rgb``.
    geometry : Geometry
    rgb : bool
    labels : bool
        Whether the file says that its values are labels.
    levels : tuple of array-like
        The same picture in smaller and smaller sizes, where the file has them.
    """

    name: str
    data: Any
    geometry: Geometry
    rgb: bool = False
    labels: bool = False
    levels: tuple[Any, ...] = ()

    def layer_data(self) -> LayerData:
        """The layer that shows it; ``metadata["geometry"]`` brings its labels back to the file.

        ``metadata["affine"]`` is the NIfTI affine, from (x, y, z) in voxels to the world.
        """
        geometry = self.geometry
        labels = self.labels and not self.rgb and self.data.dtype.kind in "ui"
        settings: dict[str, Any] = {
            "name": self.name,
            "affine": geometry.layer_affine(self.data.shape),
            "units": geometry.layer_units,
            "axis_labels": geometry.axis_labels,
            "metadata": {"affine": geometry.affine.copy(), "geometry": geometry},
        }
        if not labels:
            settings["rgb"] = self.rgb
        data = geometry.to_layer(self.data)
        if self.levels:
            data = [data, *map(geometry.to_layer, self.levels)]
            settings["multiscale"] = True
        return data, settings, "labels" if labels else "image"
