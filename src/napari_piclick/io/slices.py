"""Slices: a stack that lies in a folder as one TIFF file for each of its slices."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_piclick.io.errors import VolumeError
from napari_piclick.io.geometry import Geometry
from napari_piclick.io.tiff import read_tiff
from napari_piclick.io.volume import READ_AT_ONCE, Volume

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def slices_in(folder: Path) -> list[Path]:
    """The TIFF files of a folder, in the order of the numbers in their names."""
    files = [
        file
        for file in folder.iterdir()
        if file.suffix.lower() in (".tif", ".tiff") and not file.name.startswith(".")
    ]
    return sorted(files, key=_by_number)


def read_folder(files: Sequence[Path], name: str) -> list[Volume]:
    """Read the TIFF files of a folder: as one stack if they are slices, else one by one.

    Raises
    ------
    VolumeError
        As `read_slices` does.
    """
    first = read_tiff(files[0], files[0].stem, lazy=True)
    if len(first) == 1 and first[0].geometry.ndim == 2:
        return [read_slices(files, name)]
    return [volume for file in files for volume in read_tiff(file, file.stem)]


def read_slices(files: Sequence[Path], name: str) -> Volume:
    """Read TIFF files of one slice each as a stack, in the order that is given.

    The distance between slices is told by no file: it is taken to be
    the width of a pixel.

    Raises
    ------
    VolumeError
        If one cannot be read, holds more than one plane, or differs in size or type.
    """
    first = _plane(files[0])
    large = first.data.nbytes * len(files) > READ_AT_ONCE
    planes = [_plane(file, lazy=large) for file in files]
    for file, plane in zip(files, planes, strict=True):
        if (plane.data.shape, plane.data.dtype) != (first.data.shape, first.data.dtype):
            raise VolumeError(
                f"The slices {files[0].name} and {file.name} differ in size or type "
                f"({_kind(first)}, {_kind(plane)}): put those of one stack into a folder of their "
                "own."
            )
    height, width = first.geometry.spacing
    geometry = Geometry.plain((width, height, width), first.geometry.unit)
    data = _stacked([plane.data for plane in planes], lazy=large)
    return replace(first, name=name, data=data, geometry=geometry)


def _plane(file: Path, *, lazy: bool = False) -> Volume:
    volumes = read_tiff(file, file.stem, lazy=lazy)
    if len(volumes) > 1 or volumes[0].geometry.ndim != 2:
        raise VolumeError(
            f"{file} holds more than one plane, so it is no slice of a stack: open it alone."
        )
    return replace(volumes[0], levels=())


def _stacked(planes: list[Any], *, lazy: bool) -> Any:
    """One array of all planes."""
    if not lazy:
        return np.stack(planes)
    import dask.array as da

    return da.stack([da.from_array(plane, chunks=-1, asarray=True) for plane in planes])


def _kind(volume: Volume) -> str:
    return f"{' x '.join(map(str, volume.data.shape))} {volume.data.dtype}"


def _by_number(file: Path) -> list[Any]:
    """Numbers count as numbers: slice 2 comes before slice 10."""
    parts = re.split(r"(\d+)", file.stem.lower())
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]
