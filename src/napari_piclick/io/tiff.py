"""TIFF: stacks with the physical size that ImageJ or OME metadata tell, read by tifffile."""

from __future__ import annotations

import logging
import re
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np
import tifffile

from napari_piclick.io.errors import VolumeError
from napari_piclick.io.geometry import Geometry
from napari_piclick.io.volume import READ_AT_ONCE, Volume

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Names that ImageJ, OME and people use, and the unit that each means.
UNITS = {
    "um": "um", "µm": "um", "μm": "um", "\\u00b5m": "um", "micron": "um", "microns": "um",
    "micrometer": "um", "nm": "nm", "nanometer": "nm", "mm": "mm", "millimeter": "mm", "cm": "cm",
    "m": "m", "inch": "inch",
}  # fmt: skip

#: Letters that tifffile gives to the pages of a stack that does not say what they are.
_PAGES = "IQ"


def read_tiff(path: Path, name: str) -> list[Volume]:
    """Read a TIFF file, in tifffile's order; each channel is a volume of its own.

    Raises
    ------
    VolumeError
        If the file is damaged, incomplete or no TIFF.
    """
    try:
        with _damage_is_an_error(), tifffile.TiffFile(path) as file:
            if not file.series:
                raise ValueError("no image")
            series = file.series[0]
            axes = "".join(a if a in "XYZCTS" else "Z" if a in _PAGES else "U" for a in series.axes)
            data = _pixels(path, series)
            spacing, unit, frame = _physical_size(file)
    except (OSError, ValueError, IndexError, KeyError, RuntimeError, tifffile.TiffFileError) as e:
        raise VolumeError(
            f"{path} cannot be read as TIFF: it is damaged, incomplete or of another kind; copy or "
            "save it again."
        ) from e
    except ImportError as error:  # raised by tifffile for compressions it has no codec for
        raise VolumeError(
            f"{path} is compressed in a way that needs the package imagecodecs: install it "
            "(pip install imagecodecs), or save the file uncompressed."
        ) from error
    if "X" not in axes or "Y" not in axes:
        raise VolumeError(f"{path} holds no image: its axes are {series.axes}.")
    rgb = axes.endswith("S") and data.shape[-1] in (3, 4)
    axes = axes[:-1] if rgb else axes.replace("S", "C")
    spatial = tuple(axes.index(letter) for letter in "XYZ" if letter in axes)
    affine = np.diag([*spacing, 1.0])
    geometry = Geometry(spatial, len(axes), affine, anatomical=False, unit=unit, frame=frame)
    if "C" not in axes:
        return [Volume(name, data, geometry, rgb)]
    channel = axes.index("C")
    count = data.shape[channel]
    taken = [(slice(None),) * channel + (index,) for index in range(count)]
    names = [name] if count == 1 else [f"{name} channel {index + 1}" for index in range(count)]
    one = geometry.without(channel)
    return [Volume(n, data[index], one, rgb) for n, index in zip(names, taken, strict=True)]


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
    metadata: dict[str, Any] = {"axes": axes} if imagej else {}
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


def _pixels(path: Path, series: Any) -> Any:
    """The pixels of a series: a memory map where they lie as they are, read by pages if many."""
    if series.dataoffset is not None and not series.keyframe.is_tiled:
        if series.dataoffset + series.nbytes > path.stat().st_size:
            raise ValueError("the file ends before its pixels do")
        dtype = np.dtype(series.parent.byteorder + series.dtype.char)
        return np.memmap(path, dtype, "r", series.dataoffset, tuple(series.shape))
    if series.nbytes <= READ_AT_ONCE or len(series) < 2:
        return series.asarray()
    import dask.array as da
    from dask.delayed import delayed

    pages = len(series)
    shape = series.keyframe.shape
    read = delayed(tifffile.imread, pure=True)
    planes = [da.from_delayed(read(path, key=k), shape, series.dtype) for k in range(pages)]
    return da.stack(planes).reshape(series.shape)


def _physical_size(file: Any) -> tuple[tuple[float, float, float], str, float]:
    """Size of a voxel along x, y and z, its unit, and the seconds between frames."""
    if file.is_ome:
        return _ome_size(file.ome_metadata)
    if not file.is_imagej:
        return (1.0, 1.0, 1.0), "pixel", 1.0
    told = file.imagej_metadata or {}
    unit = UNITS.get(str(told.get("unit", "")).strip().lower(), "pixel")
    if unit == "pixel":
        return (1.0, 1.0, 1.0), unit, 1.0
    sizes = []
    for tag in ("XResolution", "YResolution"):
        above, below = file.pages[0].tags[tag].value if tag in file.pages[0].tags else (1, 1)
        sizes.append(below / above if above else 1.0)
    depth = float(told.get("spacing", 1.0)) or 1.0
    return (sizes[0], sizes[1], abs(depth)), unit, float(told.get("finterval", 1.0)) or 1.0


def _ome_size(xml: str) -> tuple[tuple[float, float, float], str, float]:
    found = ET.fromstring(re.sub(r'\sxmlns="[^"]+"', "", xml, count=1)).find(".//Pixels")
    told = {} if found is None else found.attrib
    unit = UNITS.get(told.get("PhysicalSizeXUnit", "µm").lower(), "pixel")
    if "PhysicalSizeX" not in told or unit == "pixel":
        return (1.0, 1.0, 1.0), "pixel", 1.0
    x = float(told["PhysicalSizeX"])
    y = float(told.get("PhysicalSizeY", x))
    z = float(told.get("PhysicalSizeZ", 1.0))
    deep = UNITS.get(told.get("PhysicalSizeZUnit", "µm").lower(), unit)
    return (x, y, z * _METRES.get(deep, 1.0) / _METRES.get(unit, 1.0)), unit, 1.0


_METRES = {"m": 1.0, "cm": 1e-2, "mm": 1e-3, "um": 1e-6, "nm": 1e-9, "inch": 0.0254}
