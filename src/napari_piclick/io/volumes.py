"""Volumes: any file or folder that can be read, and labels written in any format, by its ending."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.io.errors import VolumeError
from napari_piclick.io.whole_file import whole_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_piclick.io.geometry import Geometry
    from napari_piclick.io.volume import Volume

NIFTI = (".nii.gz", ".nii")
ITK = (".nrrd", ".mha", ".mhd")
TIFF = (".tif", ".tiff")
DICOM = (".dcm", ".dicom")
#: Endings of the files that can be read.
READABLE = (*NIFTI, *ITK, *TIFF, *DICOM)
#: Endings of the volumes that labels can be written as.
WRITABLE = (*NIFTI, ".nrrd", ".mha", *TIFF)


def ending(path: Path) -> str:
    """The ending of a file by which its format is known, in lower case; "" if it is not known."""
    name = path.name.lower()
    return next((known for known in READABLE if name.endswith(known)), "")


def stem(path: Path) -> str:
    """The name of a file without its folder and ending (".nii.gz" is one)."""
    return path.name[: len(path.name) - len(ending(path) or path.suffix)] or path.name


def can_read(path: Path) -> bool:
    """Tell whether a file, by its ending, or a folder, by its files, may be readable."""
    if path.is_dir():
        from napari_piclick.io.dicom import dicom_folders
        from napari_piclick.io.slices import slices_in

        return bool(slices_in(path) or dicom_folders(path))
    return bool(ending(path))


def read_volumes(path: Path) -> list[Volume]:
    """Read a file (NIfTI, NRRD, MHA, MHD, TIFF, DICOM) or a folder.

    A folder holds DICOM series, or the slices of a stack as one TIFF file each.

    Returns
    -------
    list of Volume
        One, except for files with several channels or images and folders with several series.

    Raises
    ------
    VolumeError
        If it cannot be read; the message says why, and what to do.
    """
    if path.is_dir():
        from napari_piclick.io.dicom import read_dicom_series
        from napari_piclick.io.slices import read_folder, slices_in

        files = slices_in(path)
        if files:
            return read_folder(files, path.name)
        return read_dicom_series(path, path.name)
    name = stem(path)
    if not path.is_file():
        raise VolumeError(f"There is no file {path}.")
    kind = ending(path)
    if kind in NIFTI:
        from napari_piclick.io.nifti import read_nifti

        return [read_nifti(path, name)]
    if kind in TIFF:
        from napari_piclick.io.tiff import read_tiff

        return read_tiff(path, name)
    from napari_piclick.io.dicom import is_dicom

    if kind in ITK or kind in DICOM or is_dicom(path):
        from napari_piclick.io.itk import read_itk

        return read_itk(path, name)
    raise VolumeError(f"{path} is none of the kinds that can be read: {', '.join(READABLE)}.")


def write_labels(path: Path, labels: np.ndarray, geometry: Geometry) -> None:
    """Write labels as NIfTI, NRRD, MHA or TIFF, by the ending of the path.

    Parameters
    ----------
    path : Path
    labels : integer or bool array
        In the axis order of the geometry's own file. Stored in the smallest unsigned type.
    geometry : Geometry

    Raises
    ------
    VolumeError
        If the ending is not known, a label is negative, or the file cannot be written.
    """
    kind = ending(path)
    if kind not in WRITABLE:
        raise VolumeError(
            f"Labels can be written as {', '.join(WRITABLE)}, but not as {path.name}."
        )
    if labels.ndim != geometry.ndim:
        raise VolumeError(
            f"The labels have {labels.ndim} axes, but the image they belong to has "
            f"{geometry.ndim}: save them from a layer of the same shape."
        )
    with whole_file(path) as temporary:
        _writer(kind)(temporary, smallest(labels), geometry)


def smallest(labels: np.ndarray) -> np.ndarray:
    """The same labels in the smallest unsigned type of 8, 16 or 32 bits that holds them.

    Raises
    ------
    VolumeError
        If a label is negative or too large.
    """
    labels = np.asarray(labels)
    if labels.dtype.kind not in "bui":
        raise VolumeError(f"Labels are whole numbers, but these are of type {labels.dtype}.")
    low, high = int(labels.min(initial=0)), int(labels.max(initial=0))
    if low < 0 or high >= 2**32:
        raise VolumeError(
            f"The labels run from {low} to {high}; files can hold 0 to {2**32 - 1}: renumber them."
        )
    return labels.astype(np.min_scalar_type(high), copy=False)


def _writer(kind: str) -> Callable[[Path, np.ndarray, Geometry], None]:
    if kind in NIFTI:
        from napari_piclick.io.nifti import write_nifti

        return write_nifti
    if kind in TIFF:
        from napari_piclick.io.tiff import write_tiff

        return write_tiff
    from napari_piclick.io.itk import write_itk

    return write_itk
