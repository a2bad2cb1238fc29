"""NIfTI: read by nibabel, and labels written with the source's affine and header."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.nifti1 import unit_codes
from nibabel.spatialimages import HeaderDataError

from napari_piclick.io.errors import VolumeError
from napari_piclick.io.geometry import LPS_TO_RAS, Geometry
from napari_piclick.io.volume import READ_AT_ONCE, Volume

if TYPE_CHECKING:
    from pathlib import Path

#: What nibabel raises for files that are damaged or no NIfTI at all.
UNREADABLE = (OSError, ValueError, EOFError, zlib.error, ImageFileError, HeaderDataError)

_UNITS = {"mm": "mm", "micron": "um", "meter": "m", "unknown": "mm"}
#: What NIfTI has no unit for is written in one that it has: factor and unit.
_AS = {"nm": (1e-3, "um"), "cm": (10.0, "mm"), "inch": (25.4, "mm")}
#: Said in the description of files that lie in the space of a picture, as a TIFF does.
PICTURE = b"PiClick labels in the space of a picture"
_SECONDS = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}


def read_nifti(path: Path, name: str) -> Volume:
    """Read a .nii or .nii.gz file, in nibabel's order (x, y, z, t).

    Raises
    ------
    VolumeError
        If the file is damaged, incomplete or no NIfTI.
    """
    try:
        image: Any = nib.load(path)
        data = _values(image)
        header = image.header
        length, time = _units(header)
        intent = header.get_intent()[0]
    except UNREADABLE as error:
        raise VolumeError(
            f"{path} cannot be read as NIfTI: it is damaged, incomplete or of another kind; copy "
            f"or export it again."
        ) from error
    rgb = data.dtype.names is not None
    if rgb:  # colours are stored as records of three or four bytes
        channels = len(data.dtype.names)
        data = np.ascontiguousarray(data).view(np.uint8).reshape(*data.shape, channels)
    ndim = data.ndim - rgb
    if ndim < 2 or 0 in data.shape:
        raise VolumeError(f"{path} holds no image: its size is {data.shape}.")
    zooms = header.get_zooms()
    frame = float(zooms[3]) * _SECONDS.get(time, 1.0) if ndim > 3 and zooms[3] > 0 else 1.0
    affine = np.asarray(image.affine, float)
    if not np.isfinite(affine).all():
        raise VolumeError(f"{path} has an affine with values that are not finite; export it again.")
    picture = header["descrip"].item().rstrip(b"\0") == PICTURE
    geometry = Geometry(
        spatial=tuple(range(min(ndim, 3))),
        ndim=ndim,
        affine=LPS_TO_RAS @ affine if picture else affine,
        anatomical=not picture,
        unit="pixel" if picture and length == "unknown" else _UNITS.get(length, "mm"),
        header=header.copy(),
        frame=frame,
    )
    return Volume(name, data, geometry, rgb, labels=intent == "label")


def write_nifti(path: Path, labels: np.ndarray, geometry: Geometry) -> None:
    """Write labels, in the order of the geometry's own file, as NIfTI.

    If the source was NIfTI, its affine, both its transforms with their codes, and the rest of its
    header are kept; only the type of the values and what belongs to it changes.

    Parameters
    ----------
    path : Path
        Ends in .nii or .nii.gz.
    labels : array of an unsigned type
    geometry : Geometry
    """
    array = np.transpose(labels, (*geometry.spatial, *geometry.others[::-1]))
    if geometry.header is not None:
        array = labels
    elif array.ndim > 2 and len(geometry.spatial) == 2:
        array = np.expand_dims(array, 2)
    header = _header(geometry, array)
    # The affine of a source comes from its header: given again, it changes nothing there.
    affine = geometry.nifti_affine if geometry.header is not None else _affine(geometry)[0]
    two = isinstance(header, nib.Nifti2Header)
    image = (nib.Nifti2Image if two else nib.Nifti1Image)(array, affine, header)
    nib.save(image, path)


def _units(header: Any) -> tuple[str, str]:
    """The units of length and of time; "unknown" for codes that mean nothing."""
    code, names = int(header["xyzt_units"]), unit_codes.label
    return str(names.get(code % 8, "unknown")), str(names.get(code - code % 8, "unknown"))


def _values(image: Any) -> Any:
    """The voxels: a memory map, a dask array if they are many and scaled, else an array."""
    proxy = image.dataobj
    # The header of an image that was loaded no longer says how its values are scaled.
    if (proxy.slope, proxy.inter) == (1.0, 0.0):
        return np.asanyarray(proxy)
    if np.prod(image.shape) * 4 > READ_AT_ONCE and not str(image.get_filename()).endswith(".gz"):
        import dask.array as da

        _ = proxy[(-1,) * len(image.shape)]  # a file that ends too early is refused now
        chunks = (*image.shape[:2], *(1 for _ in image.shape[2:]))
        return da.from_array(_Scaled(proxy), chunks=chunks, asarray=True)
    return np.asarray(proxy, np.float32)


class _Scaled:
    """Scaled voxels, read as they are indexed, as float32."""

    dtype = np.dtype(np.float32)

    def __init__(self, proxy: Any) -> None:
        self._proxy = proxy
        self.shape = tuple(proxy.shape)
        self.ndim = len(self.shape)

    def __getitem__(self, key: Any) -> np.ndarray:
        return np.asarray(self._proxy[key], np.float32)


def _affine(geometry: Geometry) -> tuple[np.ndarray, str]:
    """The affine of a file without a header of its own, and its unit."""
    factor, unit = _AS.get(geometry.unit, (1.0, geometry.unit))
    return np.diag([factor, factor, factor, 1.0]) @ geometry.nifti_affine, unit


def _header(geometry: Geometry, array: np.ndarray) -> Any:
    if geometry.header is not None:
        header = geometry.header.copy()
    else:
        # Large label maps have more voxels along an axis than NIfTI-1 can count.
        header = nib.Nifti1Header() if max(array.shape) < 2**15 else nib.Nifti2Header()
        header.set_data_shape(array.shape)
        affine, unit = _affine(geometry)
        header.set_sform(affine, code="scanner" if geometry.anatomical else "aligned")
        header.set_qform(affine, code="unknown")
        units = {ours: theirs for theirs, ours in _UNITS.items() if theirs != "unknown"}
        header.set_xyzt_units(units.get(unit, "unknown"), "sec" if geometry.frame != 1 else None)
        if array.ndim > 3:
            header["pixdim"][4] = geometry.frame
        if not geometry.anatomical:
            header["descrip"] = PICTURE
    header.set_data_dtype(array.dtype)
    header.set_slope_inter(1, 0)
    header["cal_min"] = header["cal_max"] = 0
    header.set_intent("label")
    return header
