"""NRRD, MHA, MHD and single DICOM files: read by SimpleITK, and labels written by it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation names it so

from napari_piclick.io.errors import VolumeError
from napari_piclick.io.geometry import LPS_TO_RAS, Geometry
from napari_piclick.io.tiff_size import UNITS
from napari_piclick.io.volume import Volume

if TYPE_CHECKING:
    from pathlib import Path

#: What files written here say of themselves: their unit, that they lie in the space of a picture,
#: as a TIFF does, and that they are labels (NRRD has a field of its own for that).
UNIT, SPACE, PICTURE, CONTENT = "unit", "world", "picture", ("NRRD_content", "content")
#: More values of a voxel than this are no channels.
MOST_CHANNELS = 16

sitk.ProcessObject.SetGlobalWarningDisplay(False)


def read_itk(path: Path, name: str) -> list[Volume]:
    """Read an NRRD, MHA, MHD or DICOM file, in SimpleITK's order (t, z, y, x).

    Several values of a voxel that are no colours are channels, and volumes of their own.

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
    return volumes_of(image, name, _nrrd_unit(path) if path.suffix.lower() == ".nrrd" else "")


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
    image.SetMetaData(CONTENT[path.suffix.lower() != ".nrrd"], "labels")
    if geometry.unit != ("mm" if geometry.anatomical else "pixel"):
        image.SetMetaData(UNIT, geometry.unit)
    if not geometry.anatomical:
        image.SetMetaData(SPACE, PICTURE)
    try:
        sitk.WriteImage(image, str(path), useCompression=True)
    except RuntimeError as error:
        raise VolumeError(
            f"{path.name} could not be written; see that there is room on the disk."
        ) from error


def volumes_of(image: Any, name: str, unit: str = "") -> list[Volume]:
    """The volumes of an image of SimpleITK: one, or one for each channel.

    Parameters
    ----------
    image : SimpleITK.Image
    name : str
    unit : str
        Of length, as far as the file tells it otherwise than under the key ``unit``.
    """
    data = sitk.GetArrayFromImage(image)
    ndim = image.GetDimension()
    count = min(ndim, 3)
    direction = np.reshape(image.GetDirection(), (ndim, ndim))[:count, :count]
    spacing = np.array(image.GetSpacing())
    affine = np.eye(4)
    affine[:count, :count] = direction * spacing[:count]
    affine[:count, 3] = image.GetOrigin()[:count]
    told = {key: image.GetMetaData(key) for key in (UNIT, SPACE) if image.HasMetaDataKey(key)}
    unit = UNITS.get(told.get(UNIT, unit).lower(), "mm")
    anatomical = told.get(SPACE) != PICTURE
    geometry = Geometry(
        spatial=tuple(range(ndim - 1, ndim - 1 - count, -1)),
        ndim=ndim,
        affine=LPS_TO_RAS @ affine if anatomical else affine,
        anatomical=anatomical,
        unit=unit if anatomical or UNIT in told else "pixel",
        frame=float(spacing[3]) if ndim > 3 else 1.0,
    )
    components = image.GetNumberOfComponentsPerPixel()
    if components == 1:
        labels = any(image.HasMetaDataKey(k) and image.GetMetaData(k) == "labels" for k in CONTENT)
        return [Volume(name, data, geometry, labels=labels)]
    if components in (3, 4) and data.dtype.kind == "u":
        return [Volume(name, data, geometry, rgb=True)]
    if components > MOST_CHANNELS:
        raise VolumeError(
            f"{name} has {components} values per voxel; up to {MOST_CHANNELS} can be shown, as "
            "channels: export the ones that you need."
        )
    return [Volume(f"{name} channel {k + 1}", data[..., k], geometry) for k in range(components)]


def _nrrd_unit(path: Path) -> str:
    """The unit of space that the head of an NRRD file tells; SimpleITK leaves it out."""
    with path.open("rb") as file:
        head = file.read(8192).partition(b"\n\n")[0].decode("latin-1")
    found = re.search(r'^(?:space units|units):[^"\n]*"([^"]+)"', head, re.MULTILINE)
    return found[1] if found else ""


def _lies_flat(affine: np.ndarray) -> bool:
    """Whether a 2D image lies in the plane of the first two axes of the world, at zero."""
    return not affine[2, :2].any() and not affine[:2, 2].any() and affine[2, 3] == 0
