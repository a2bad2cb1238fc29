"""What napari calls to save labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_piclick.io.chosen_file import chosen_file
from napari_piclick.io.errors import VolumeError
from napari_piclick.io.geometry import Geometry
from napari_piclick.io.tables import slices_there, write_coco, write_slices, write_volumes
from napari_piclick.io.volumes import WRITABLE, smallest, write_labels

if TYPE_CHECKING:
    from collections.abc import Mapping


def write_volume(path: str, data: Any, attributes: Mapping[str, Any]) -> list[str]:
    """Save a labels layer as NIfTI, NRRD, MHA or TIFF, in the geometry of the image it lies on."""
    labels = smallest(data)
    geometry = geometry_of(labels.shape, attributes)
    write_labels(Path(path), geometry.from_layer(labels), geometry)
    return [path]


def write_nifti(path: str, data: Any, attributes: Mapping[str, Any]) -> list[str]:
    """Save a labels layer as NIfTI, or as the volume that the name's ending says."""
    return write_volume(str(chosen_file(path, ".nii.gz", WRITABLE)), data, attributes)


def write_nrrd(path: str, data: Any, attributes: Mapping[str, Any]) -> list[str]:
    """Save a labels layer as NRRD, or as the volume that the name's ending says."""
    return write_volume(str(chosen_file(path, ".nrrd", WRITABLE)), data, attributes)


def write_tiff(path: str, data: Any, attributes: Mapping[str, Any]) -> list[str]:
    """Save a labels layer as TIFF, or as the volume that the name's ending says."""
    return write_volume(str(chosen_file(path, ".tif", WRITABLE)), data, attributes)


def write_png(path: str, data: Any, attributes: Mapping[str, Any]) -> list[str]:  # noqa: ARG001
    """Save a labels layer as PNG, slice by slice.

    Raises
    ------
    VolumeError
        If there are slices of that name: a dialog asks about the name alone, never about them.
    """
    file, labels = chosen_file(path, ".png"), np.asarray(data)
    there = slices_there(file) if labels.ndim > 2 else []
    if there:
        raise VolumeError(
            f"{there[0].name} to {there[-1].name} are there already: choose another name or "
            "folder, or take them away first."
        )
    return [str(written) for written in write_slices(file, labels)]


def write_json(path: str, data: Any, attributes: Mapping[str, Any]) -> list[str]:  # noqa: ARG001
    """Save a labels layer as COCO JSON."""
    file = chosen_file(path, ".json")
    write_coco(file, np.asarray(data))
    return [str(file)]


def write_csv(path: str, data: Any, attributes: Mapping[str, Any]) -> list[str]:
    """Save a table of the volumes of a labels layer's objects."""
    file, labels = chosen_file(path, ".csv"), np.asarray(data)
    write_volumes(file, labels, geometry_of(labels.shape, attributes))
    return [str(file)]


def geometry_of(shape: tuple[int, ...], attributes: Mapping[str, Any]) -> Geometry:
    """The geometry of a labels layer.

    That of the file its image was read from; else the one that a NIfTI affine in its metadata
    tells (as other plugins leave it there, for arrays with the axes of the file reversed); else
    the layer's own scale, position and unit.

    Parameters
    ----------
    shape : tuple of int
    attributes : mapping
        The attributes of the layer, as napari hands them to writers.
    """
    metadata = attributes.get("metadata") or {}
    geometry = metadata.get("geometry")
    if isinstance(geometry, Geometry) and geometry.ndim == len(shape):
        return geometry
    affine = metadata.get("affine")
    if affine is not None and np.shape(affine) == (4, 4) and len(shape) == 3:
        # The layer is the file's array transposed: say so, so that it goes back like that.
        return _Reversed((0, 1, 2), 3, np.asarray(affine, float), anatomical=True)
    return _own_geometry(len(shape), attributes)


class _Reversed(Geometry):
    """The geometry of a NIfTI file that a layer shows with its axes reversed."""

    @property
    def order(self) -> tuple[int, ...]:
        return 2, 1, 0


def _own_geometry(ndim: int, attributes: Mapping[str, Any]) -> Geometry:
    """Scale, position and unit of the layer's last axes, at most three."""
    count = min(ndim, 3)
    matrix = np.eye(ndim + 1)
    matrix[:-1, :-1] = np.diag(np.broadcast_to(attributes.get("scale", 1.0), ndim))
    matrix[:-1, -1] = np.broadcast_to(attributes.get("translate", 0.0), ndim)
    own = attributes.get("affine")
    if own is not None and np.shape(own) == matrix.shape:
        matrix = np.asarray(own, float) @ matrix
    first = ndim - count
    affine = np.eye(4)
    affine[:count, :count] = matrix[first:-1, first:-1][::-1, ::-1]
    affine[:count, 3] = matrix[first:-1, -1][::-1]
    spatial = tuple(range(ndim - 1, first - 1, -1))
    return Geometry(spatial, ndim, affine, anatomical=False, unit=_unit(attributes))


def _unit(attributes: Mapping[str, Any]) -> str:
    from napari_piclick.io.tiff_size import UNITS

    units = attributes.get("units") or ("pixel",)
    return UNITS.get(str(units[-1]), "pixel")
