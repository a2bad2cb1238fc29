"""TIFF: stacks with the physical size that ImageJ or OME metadata tell, read by tifffile."""

from __future__ import annotations

import logging
import struct
import warnings
import zlib
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np
import tifffile

from napari_piclick.io.errors import VolumeError
from napari_piclick.io.geometry import Geometry
from napari_piclick.io.tiff_pixels import CompressionError, read_pixels
from napari_piclick.io.tiff_size import LABELS, PhysicalSize, physical_size
from napari_piclick.io.volume import Volume

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: What tifffile raises for files that are damaged or no TIFF at all.
UNREADABLE = (
    OSError, ValueError, ArithmeticError, IndexError, KeyError, TypeError, AttributeError,
    RuntimeError, ET.ParseError, struct.error, zlib.error, tifffile.TiffFileError,
)  # fmt: skip

#: Pictures of slide scanners that show the slide, not what is on it.
THUMBNAILS = ("Thumbnail", "Label", "Macro", "Overview")

#: Letters that tifffile gives to the pages of a stack that does not say what they are.
_PAGES = "IQ"


def read_tiff(path: Path, name: str, *, lazy: bool = False) -> list[Volume]:
    """Read a TIFF file, in tifffile's order.

    Each channel is a volume of its own, and so is each image of a file that holds several.

    Parameters
    ----------
    path : Path
    name : str
    lazy : bool
        Not to decode anything before it is looked at, even if it is small.

    Raises
    ------
    VolumeError
        If the file is damaged, incomplete or no TIFF.
    """
    try:
        with _damage_is_an_error(), tifffile.TiffFile(path) as file:
            pictures = _pictures(file)
            volumes = []
            for number, series in pictures:
                own = name if len(pictures) == 1 else f"{name} {number + 1}"
                size = physical_size(file, number)
                volumes += _channels(own, *_read_series(path, series, lazy), size)
            if _holds_labels(file):
                volumes = list(map(_as_labels, volumes))
    except CompressionError as error:
        raise VolumeError(
            f"{path} is compressed as {error}, which needs the package imagecodecs: install it "
            "(pip install imagecodecs), or save the file uncompressed."
        ) from error
    except UNREADABLE as error:
        raise VolumeError(
            f"{path} cannot be read as TIFF: it is damaged, incomplete or of another kind; copy or "
            "save it again."
        ) from error
    if not volumes:
        raise VolumeError(f"{path} holds no image with rows and columns; copy or save it again.")
    return volumes


def _pictures(file: Any) -> list[tuple[int, Any]]:
    """The series that are worth a layer, with their numbers: no thumbnails."""
    pictures = [
        (number, series)
        for number, series in enumerate(file.series)
        if not series.keyframe.is_reduced and series.name not in THUMBNAILS
    ]
    return pictures or list(enumerate(file.series))


def _holds_labels(file: Any) -> bool:
    told = [file.imagej_metadata or {}, *(file.shaped_metadata or ())]
    return any(LABELS.items() <= one.items() for one in told)


def _as_labels(volume: Volume) -> Volume:
    """Labels again, also where ImageJ asked for another type."""
    whole = volume.data.dtype.kind in "ui"
    data = volume.data if whole else volume.data.astype(np.uint32)
    return replace(volume, data=data, labels=True)


def _read_series(path: Path, series: Any, lazy: bool) -> tuple[str, list[Any]]:
    """The axes of a series, one letter each, and its levels, the finest first."""
    axes = "".join(a if a in "XYZCTS" else "Z" if a in _PAGES else "U" for a in series.axes)
    lazy = lazy or len(series.levels) > 1
    return axes, [read_pixels(path, level, lazy=lazy) for level in series.levels]


def _channels(name: str, axes: str, levels: list[Any], size: PhysicalSize) -> list[Volume]:
    """A volume for each channel of a series; none if it has no rows and columns."""
    if "X" not in axes or "Y" not in axes:
        return []
    color = axes.find("S")
    if color >= 0 and levels[0].shape[color] in (3, 4):
        levels = [np.moveaxis(level, color, -1) for level in levels]
        axes, rgb = axes.replace("S", ""), True
    else:
        axes, rgb = axes.replace("S", "C"), False
    spatial = tuple(axes.index(letter) for letter in "XYZ" if letter in axes)
    affine = np.diag([size.x, size.y, size.z, 1.0])
    geometry = Geometry(
        spatial, len(axes), affine, anatomical=False, unit=size.unit, frame=size.frame
    )
    if "C" not in axes:
        return [Volume(name, levels[0], geometry, rgb, levels=tuple(levels[1:]))]
    channel = axes.index("C")
    count = levels[0].shape[channel]
    one = geometry.without(channel)
    volumes = []
    for index in range(count):
        own = name if count == 1 else f"{name} channel {index + 1}"
        first, *others = (level[(slice(None),) * channel + (index,)] for level in levels)
        volumes.append(Volume(own, first, one, rgb, levels=tuple(others)))
    return volumes


def write_tiff(path: Path, labels: np.ndarray, geometry: Geometry) -> None:
    """Write labels, in the order of the geometry's own file, as a TIFF that ImageJ opens.

    Values up to 65535 are stored as they are; ImageJ knows no larger whole numbers, so up to
    2**24 they are stored as float32, which holds them exactly, and above as plain TIFF of 32 bits.

    Parameters
    ----------
    path : Path
        Ends in .tif or .tiff.
    labels : array of an unsigned type
    geometry : Geometry
    """
    order = (*geometry.others, *geometry.spatial[::-1])
    array = np.ascontiguousarray(np.transpose(labels, order))
    imagej = array.ndim <= 4
    if array.dtype.itemsize > 2:
        imagej = imagej and int(array.max(initial=0)) < 2**24
        array = array.astype(np.float32) if imagej else array
    sizes = [geometry.spacing[axis] for axis in geometry.spatial]
    axes = "T" * (array.ndim > len(sizes)) + "ZYX"[-len(sizes) :]
    metadata: dict[str, Any] = dict(LABELS)
    if len(axes) == array.ndim:
        metadata["axes"] = axes
    if geometry.unit != "pixel":
        metadata["unit"] = geometry.unit
    if len(sizes) == 3:
        metadata["spacing"] = sizes[2]
    if axes.startswith("T") and geometry.frame != 1:
        metadata["finterval"] = geometry.frame
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tifffile.imwrite(
            path,
            array,
            imagej=imagej,
            metadata=metadata,
            photometric="minisblack",
            resolution=(1 / sizes[0], 1 / sizes[1]),
            resolutionunit="none",
        )


class _Refuse(logging.Handler):
    """Raises what tifffile would only write to its log: pages that are not there."""

    def emit(self, record: logging.LogRecord) -> None:
        raise ValueError(record.getMessage())


@contextmanager
def _damage_is_an_error() -> Iterator[None]:
    log, handler = tifffile.logger(), _Refuse(logging.ERROR)
    propagate, log.propagate = log.propagate, False
    log.addHandler(handler)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.removeHandler(handler)
        log.propagate = propagate
