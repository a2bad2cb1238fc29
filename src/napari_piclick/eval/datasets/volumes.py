"""Volumes in NIfTI files, cut into slices that are measured as images."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError

from napari_piclick.eval.datasets.dataset import DatasetError, VolumeSample

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

#: A slice is used if it has more pixels of an object than this.
MIN_PIXELS = 100

# What nibabel raises for files that are damaged or no NIfTI at all.
_UNREADABLE = (OSError, ValueError, EOFError, zlib.error, ImageFileError)


@dataclass(frozen=True, eq=False, slots=True)
class Case:
    """One volume (X, Y, Z), the labels of its voxels, and the intensities to show.

    Parameters
    ----------
    name : str
    volume, labels : (X, Y, Z)
    window : (low, high)
        The 0.5 and 99.5 percentiles of the voxels that are not zero.
    axis : int
        Along which slices are cut.
    spacing : three float
        Size of a voxel along each axis.
    """

    name: str
    volume: np.ndarray
    labels: np.ndarray
    window: tuple[float, float]
    axis: int
    spacing: tuple[float, ...]

    def slice(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Image and labels of one slice, in array order, with no rotation."""
        image, labels = (
            np.ascontiguousarray(np.take(array, index, axis=self.axis))
            for array in (self.volume, self.labels)
        )
        return image, labels

    def objects(self, regions: Mapping[str, Collection[int]]) -> Iterator[VolumeSample]:
        """The objects that these labels make up, by name; those without a voxel are left out."""
        for name, values in regions.items():
            mask = np.isin(self.labels, list(values))
            if mask.any():
                yield VolumeSample(
                    self.name, name, self.volume, mask, self.axis, self.spacing, self.window
                )


def slices_with(labels: np.ndarray, values: tuple[int, ...], axis: int) -> Iterator[int]:
    """Indices of the slices along ``axis`` that show more than `MIN_PIXELS` of these labels."""
    others = tuple(k for k in range(3) if k != axis)
    counts = np.isin(labels, values).sum(axis=others)
    yield from np.flatnonzero(counts > MIN_PIXELS).tolist()


def read_case(name: str, image: Path, segmentation: Path, known: frozenset[int], axis: int) -> Case:
    """Read a volume and its labels.

    Parameters
    ----------
    name : what the case is called.
    image, segmentation : the files.
    known : the labels that may occur.
    axis : along which slices are cut.

    Raises
    ------
    DatasetError
        If a file cannot be read, or they do not fit each other.
    """
    volume, labels = read_volume(image), read_segmentation(segmentation, known)
    if volume.shape != labels.shape:
        raise DatasetError(
            f"{segmentation} has the size {labels.shape}, but its image {image.name} has "
            f"{volume.shape}."
        )
    tissue = volume[volume != 0]
    if not tissue.size:
        raise DatasetError(f"{image} holds nothing but zeros.")
    low, high = np.percentile(tissue, (0.5, 99.5))
    spacing = tuple(float(size) for size in nibabel.load(image).header.get_zooms()[:3])  # type: ignore[attr-defined]
    return Case(name, volume, labels, (float(low), float(high)), axis, spacing)


def read_segmentation(path: Path, known: frozenset[int]) -> np.ndarray:
    """Read the labels (X, Y, Z) of a volume.

    Raises
    ------
    DatasetError
        If the file cannot be read or holds another label than those known.
    """
    labels = read_volume(path)
    unknown = sorted(set(np.unique(labels).tolist()) - known)
    if unknown:
        *most, last = (str(label) for label in sorted(known - {0}))
        raise DatasetError(
            f"{path} holds the label {unknown[0]:g}, but only {', '.join(most)} and {last} are "
            "known."
        )
    return labels


def read_volume(path: Path) -> np.ndarray:
    """The (X, Y, Z) voxels of a NIfTI file, with its scaling applied if it has one.

    Raises
    ------
    DatasetError
        If the file cannot be read or is not one volume.
    """
    try:
        # Files of this kind are read whole: compressed, they can be read in no other way.
        file: Any = nibabel.load(path)
        voxels = np.asanyarray(file.dataobj)
    except _UNREADABLE as error:
        raise DatasetError(f"{path} cannot be read as NIfTI: {error}") from error
    if voxels.ndim != 3:
        raise DatasetError(f"{path} must be one 3D volume, but its shape is {voxels.shape}.")
    return voxels


def left_right_axis(path: Path) -> int:
    """The axis of a NIfTI file's array that runs most nearly from left to right.

    Raises
    ------
    DatasetError
        If the file cannot be read or does not say.
    """
    try:
        file: Any = nibabel.load(path)
        axes = nibabel.aff2axcodes(file.affine)
        return next(k for k, code in enumerate(axes) if code in ("L", "R"))
    except _UNREADABLE as error:
        raise DatasetError(f"{path} cannot be read as NIfTI: {error}") from error
    except StopIteration as error:
        raise DatasetError(f"{path} does not say which of its axes is left to right.") from error
