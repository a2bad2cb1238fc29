"""NRRD, MHA and MHD files and DICOM series: read and written by SimpleITK."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation names it so

from napari_piclick.io.errors import VolumeError
from napari_piclick.io.geometry import LPS_TO_RAS, Geometry
from napari_piclick.io.volume import Volume

sitk.ProcessObject.SetGlobalWarningDisplay(False)


def read_itk(path: Path, name: str) -> Volume:
    """Read an NRRD, MHA, MHD or DICOM file, in SimpleITK's order (t, z, y, x).

    Raises
    ------
    VolumeError
        If the file is damaged, incomplete or of another kind.
    """
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        kind = path.suffix.lstrip(".").upper() or "DICOM"
        beside = ", or the file of voxels that it names is" if kind == "MHD" else ""
        raise VolumeError(
            f"{path} cannot be read as {kind}: it is damaged, incomplete or of another "
            f"kind{beside}; copy or export it again."
        ) from error
    return _volume(image, name)


def dicom_series(folder: Path) -> tuple[str, ...]:
    """The identifiers of the DICOM series whose files lie in a folder; none, if there are none."""
    return tuple(sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder)) or ())


def read_dicom_series(folder: Path, name: str) -> list[Volume]:
    """Read every DICOM series of a folder, each sorted by the place of its slices.

    Raises
    ------
    VolumeError
        If there is no series, or one cannot be read.
    """
    series = dicom_series(folder)
    if not series:
        raise VolumeError(f"The folder {folder} holds no DICOM series; choose the one that does.")
    _check_complete(folder, series)
    volumes = []
    for number, identifier in enumerate(series, start=1):
        files = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), identifier)
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(files)
        try:
            image = reader.Execute()
        except RuntimeError as error:
            raise VolumeError(
                f"A DICOM series of {len(files)} files in {folder} cannot be read: a file is "
                "damaged or incomplete, or the slices differ in size; export the series again."
            ) from error
        volumes.append(_volume(image, name if len(series) == 1 else f"{name} {number}"))
    return volumes


def _check_complete(folder: Path, series: tuple[str, ...]) -> None:
    """Make sure that no damaged slice is left out in silence, as the search for series does."""
    find = sitk.ImageSeriesReader.GetGDCMSeriesFileNames
    found = {Path(file).name for one in series for file in find(str(folder), one)}
    lost = sorted(
        file.name
        for file in folder.iterdir()
        if file.name not in found and file.name != "DICOMDIR" and _is_dicom(file)
    )
    if lost:
        more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
        raise VolumeError(
            f"The DICOM files {', '.join(lost[:3])}{more} in {folder} are "
            "damaged, incomplete or of another kind; export the series again."
        )


def _is_dicom(file: Path) -> bool:
    if not file.is_file():
        return False
    with file.open("rb") as content:
        return content.read(132)[128:] == b"DICM" or file.suffix.lower() == ".dcm"


def write_itk(path: Path, labels: np.ndarray, geometry: Geometry) -> None:
    """Write labels, in the order of the geometry's own file, as NRRD or MHA.

    Parameters
    ----------
    path : Path
        Ends in .nrrd or .mha.
    labels : array of an unsigned type
    geometry : Geometry
    """
    array = np.transpose(labels, (*geometry.others, *geometry.spatial[::-1]))
    affine = LPS_TO_RAS @ geometry.nifti_affine
    count = len(geometry.spatial)
    if count == 2 and not _lies_flat(affine):
        # A plane that stands in space needs three axes to say so.
        array, count = np.expand_dims(array, array.ndim - 2), 3
    image = sitk.GetImageFromArray(np.ascontiguousarray(array), isVector=False)
    ndim = array.ndim
    spacing, origin, direction = np.ones(ndim), np.zeros(ndim), np.eye(ndim)
    columns = affine[:count, :count]
    sizes = np.linalg.norm(columns, axis=0)
    sizes[~(sizes > 0)] = 1.0
    spacing[:count] = sizes
    origin[:count] = affine[:count, 3]
    direction[:count, :count] = columns / sizes
    if abs(np.linalg.det(direction)) < 1e-9:  # an affine that says nothing
        direction = np.eye(ndim)
    if geometry.others:
        spacing[count] = geometry.frame
    image.SetSpacing(spacing.tolist())
    image.SetOrigin(origin.tolist())
    image.SetDirection(direction.ravel().tolist())
    try:
        sitk.WriteImage(image, str(path), useCompression=True)
    except RuntimeError as error:
        raise VolumeError(
            f"{path.name} could not be written; see that there is room on the disk."
        ) from error


def _volume(image: Any, name: str) -> Volume:
    data = sitk.GetArrayFromImage(image)
    rgb = image.GetNumberOfComponentsPerPixel() in (3, 4)
    if image.GetNumberOfComponentsPerPixel() > 1 and not rgb:
        raise VolumeError(
            f"{name} has {image.GetNumberOfComponentsPerPixel()} values per voxel; one value, or "
            "3 or 4 as colours, can be shown."
        )
    ndim = image.GetDimension()
    count = min(ndim, 3)
    direction = np.reshape(image.GetDirection(), (ndim, ndim))[:count, :count]
    spacing = np.array(image.GetSpacing())
    affine = np.eye(4)
    affine[:count, :count] = direction * spacing[:count]
    affine[:count, 3] = image.GetOrigin()[:count]
    geometry = Geometry(
        spatial=tuple(range(ndim - 1, ndim - 1 - count, -1)),
        ndim=ndim,
        affine=LPS_TO_RAS @ affine,
        anatomical=True,
        frame=float(spacing[3]) if ndim > 3 else 1.0,
    )
    return Volume(name, data, geometry, rgb)


def _lies_flat(affine: np.ndarray) -> bool:
    """Whether a 2D image lies in the plane of the first two axes of the world, at zero."""
    return not affine[2, :2].any() and not affine[:2, 2].any() and affine[2, 3] == 0
