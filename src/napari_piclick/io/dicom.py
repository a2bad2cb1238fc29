"""DICOM: the series of a folder, their slices sorted by where they lie in the patient."""

from __future__ import annotations

import os
import warnings
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk  # noqa: N813

from napari_piclick.io.errors import VolumeError, VolumeWarning
from napari_piclick.io.geometry import LPS_TO_RAS
from napari_piclick.io.itk import volumes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_piclick.io.volume import Volume

#: So deep below a folder its series may lie.
DEPTH = 4
#: Distances between slices that differ by less than this part are the same.
EVEN = 0.02
#: Kinds of DICOM objects that hold no picture: reports, presentation states, contours, raw data.
NO_PICTURE = tuple(
    f"1.2.840.10008.{kind}"
    for kind in (
        "1.3.10", "5.1.4.1.1.9.", "5.1.4.1.1.11.", "5.1.4.1.1.66", "5.1.4.1.1.67", "5.1.4.1.1.68.",
        "5.1.4.1.1.88.", "5.1.4.1.1.104.", "5.1.4.1.1.481.3", "5.1.4.1.1.481.5",
    )
)  # fmt: skip


@dataclass(frozen=True)
class _Slice:
    """A file of a series, and where its plane lies in the patient (left, back, up)."""

    file: str
    place: tuple[float, ...]
    rows: tuple[float, ...]
    size: tuple[int, ...]
    number: int

    @property
    def height(self) -> float:
        """How far along the normal of its plane it lies."""
        return float(np.dot(np.cross(self.rows[:3], self.rows[3:]), self.place))


def dicom_folders(folder: Path) -> list[Path]:
    """The folder itself, if DICOM files lie in it, else those below it in which some do."""
    if any(map(is_dicom, sorted(folder.iterdir()))):
        return [folder]
    found = []
    for place, below, files in os.walk(folder):
        here = Path(place)
        below[:] = sorted(below) if len(here.relative_to(folder).parts) < DEPTH else []
        if any(is_dicom(here / file) for file in sorted(files)):
            found.append(here)
    return found


def is_dicom(file: Path) -> bool:
    """Tell whether a file is DICOM, by its first bytes or its ending."""
    try:
        with file.open("rb") as content:
            return content.read(132)[128:] == b"DICM" or file.suffix.lower() == ".dcm"
    except OSError:
        return False


def read_dicom_series(folder: Path, name: str) -> list[Volume]:
    """Read every DICOM series of a folder, or of those below it.

    Slices are sorted by place, whatever their files are called. Where all of them are there
    several times, they are points in time. Slices in other directions are volumes of their own.

    Raises
    ------
    VolumeError
        If there is no series, or one cannot be read.

    Warns
    -----
    VolumeWarning
        If the slices of a series do not lie at even distances.
    """
    stacks = [stack for place in dicom_folders(folder) for stack in _stacks(place)]
    if not stacks:
        raise VolumeError(f"The folder {folder} holds no DICOM series; choose the one that does.")
    names = [name] if len(stacks) == 1 else [f"{name} {k + 1}" for k in range(len(stacks))]
    return [
        volume
        for stack, own in zip(stacks, names, strict=True)
        for volume in _read_stack(stack, folder, own)
    ]


def _stacks(folder: Path) -> Iterator[list[_Slice]]:
    """The slices of each series of a folder, those of one direction and size together."""
    find = sitk.ImageSeriesReader
    series = {
        identifier: find.GetGDCMSeriesFileNames(str(folder), identifier)
        for identifier in find.GetGDCMSeriesIDs(str(folder)) or ()
    }
    _check_complete(folder, {Path(file).name for files in series.values() for file in files})
    for files in series.values():
        alike = defaultdict(list)
        for file in files:
            slice_ = _look_at(file)
            alike[slice_.size, tuple(np.round(slice_.rows, 3))].append(slice_)
        yield from alike.values()


def _look_at(file: str) -> _Slice:
    reader = sitk.ImageFileReader()
    reader.SetFileName(file)
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise VolumeError(
            f"{file} cannot be read as DICOM: it is damaged or incomplete; export the series again."
        ) from error

    def tag(key: str) -> str:
        return str(reader.GetMetaData(key)).strip() if reader.HasMetaDataKey(key) else ""

    direction = reader.GetDirection()
    own = tag("0020|0013")
    return _Slice(
        file,
        tuple(reader.GetOrigin()),
        (*direction[0::3], *direction[1::3]) if len(direction) == 9 else (1, 0, 0, 0, 1, 0),
        tuple(reader.GetSize()),
        int(own) if own.lstrip("+-").isdigit() else 0,
    )


def _read_stack(stack: list[_Slice], folder: Path, name: str) -> list[Volume]:
    """One volume; with an axis of time if all slices are there several times."""
    stack = sorted(stack, key=lambda s: (round(s.height, 3), s.number))
    heights = sorted({round(s.height, 3) for s in stack})
    times, left = divmod(len(stack), len(heights))
    if left or any(round(s.height, 3) != heights[k // times] for k, s in enumerate(stack)):
        raise VolumeError(
            f"The DICOM series {name} in {folder} has {len(stack)} slices on {len(heights)} "
            "places, some of them more often than others: export it again without repeats."
        )
    frames = [_execute(stack[k::times], folder, name) for k in range(times)]
    if len(frames[0]) > 1 or len(heights) < 2:
        return [volume for volumes in frames for volume in volumes]
    first = frames[0][0]
    step = _step(stack[::times], heights, folder, name)
    affine = first.geometry.affine.copy()
    affine[:3, 2] = (LPS_TO_RAS[:3, :3] @ step).round(9)
    geometry = replace(first.geometry, affine=affine)
    if times == 1:
        return [replace(first, geometry=geometry)]
    spatial = tuple(axis + 1 for axis in geometry.spatial)
    geometry = replace(geometry, spatial=spatial, ndim=geometry.ndim + 1)
    data = np.stack([volumes[0].data for volumes in frames])
    return [replace(first, data=data, geometry=geometry)]


def _execute(slices: Sequence[_Slice], folder: Path, name: str) -> list[Volume]:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([one.file for one in slices])
    try:
        return volumes_of(reader.Execute(), name)
    except RuntimeError as error:
        raise VolumeError(
            f"A DICOM series of {len(slices)} files in {folder} cannot be read: a file is damaged, "
            "incomplete or compressed in a way that is not known here; export the series again, "
            "uncompressed."
        ) from error


def _step(slices: Sequence[_Slice], heights: list[float], folder: Path, name: str) -> np.ndarray:
    """(3,) the way from a slice to the next, to the left, back and up, in millimetres.

    Slices of a tilted gantry do not lie straight above each other, and the step says so.
    """
    gaps = np.diff(heights)
    usual = float(np.median(gaps))
    whole = np.subtract(slices[-1].place, slices[0].place)
    if np.abs(gaps - usual).max() <= EVEN * usual:
        return whole / len(gaps)
    wide = int(np.argmax(np.abs(gaps - usual)))
    ratio = float(gaps[wide] / usual)
    lacking = round(ratio) - 1
    missing = f", {lacking} missing" if lacking > 0 and abs(ratio - round(ratio)) < 0.1 else ""
    series = "" if name == folder.name else f" {name}"
    warnings.warn(
        f"The slices of the DICOM series{series} in {folder} do not lie at even distances "
        f"({gaps[wide]:g} mm after slice {wide}{missing}; {usual:g} mm elsewhere), so places and "
        "volumes beyond it are not exact.",
        VolumeWarning,
        stacklevel=2,
    )
    return whole * (usual / (heights[-1] - heights[0]))


def _check_complete(folder: Path, found: set[str]) -> None:
    """Make sure that no damaged slice is left out in silence, as the search for series does."""
    lost = sorted(
        file.name
        for file in folder.iterdir()
        if file.name not in found
        and file.name != "DICOMDIR"
        and is_dicom(file)
        and not _class_of(file).startswith(NO_PICTURE)
    )
    if lost:
        more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
        raise VolumeError(
            f"The DICOM files {', '.join(lost[:3])}{more} in {folder} are "
            "damaged, incomplete or of another kind; export the series again."
        )


def _class_of(file: Path) -> str:
    """The class that the head of a DICOM file says it is of (its tag 0002,0002); or nothing."""
    with file.open("rb") as content:
        head = content.read(2048)
    place = head.find(b"\x02\x00\x02\x00UI")
    if place < 0:
        return ""
    length = int.from_bytes(head[place + 6 : place + 8], "little")
    return head[place + 8 : place + 8 + length].decode("ascii", "replace").rstrip("\0 ")
