"""Volumes in which objects are known through and through: what propagation is measured on.

``benchmark/`` is measured on and never looked at for a choice; ``train/`` may be chosen from, and
its objects are split in two, so that what was chosen from one half is reported on the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_piclick.io.volumes import read_volumes
from napari_piclick.plane import Plane
from napari_piclick.session.plane_stack import PlaneStack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Objects on fewer slices than this leave nothing to propagate.
MIN_SLICES = 12
#: Objects of fewer pixels on their middle slice are left out.
MIN_AREA = 60


@dataclass(frozen=True, eq=False)
class Case:
    """An object in a volume, and where it truly is.

    Parameters
    ----------
    name : str
    volume : (..., H, W) array, sliced along ``axis``
    truth : bool array of the same shape
    axis : int
    spacing : tuple of float
    window : (low, high)
        Values seen as black and white.
    """

    name: str
    volume: np.ndarray
    truth: np.ndarray
    axis: int
    spacing: tuple[float, ...]
    window: tuple[float, float]

    def stack(self) -> PlaneStack:
        """The planes of the volume."""
        rows, cols = (axis for axis in range(3) if axis != self.axis)
        scale = np.diag([*self.spacing, 1.0])
        affine = tuple(tuple(float(value) for value in row) for row in scale)
        plane = Plane(self.volume.shape, (rows, cols), (0,), affine=affine)
        return PlaneStack(self.volume, plane, self.axis, self.name, self.window)

    def plane(self, index: int) -> np.ndarray:
        """(H, W) bool: the object on a slice."""
        return np.take(self.truth, index, self.axis)

    def extent(self) -> np.ndarray:
        """The slices on which the object is."""
        others = tuple(a for a in range(3) if a != self.axis)
        return np.flatnonzero(self.truth.any(axis=others))

    @property
    def middle(self) -> int:
        """The slice in the middle of the object."""
        on = self.extent()
        return int(on[len(on) // 2])


def brats(folder: Path) -> Iterator[Case]:
    """The whole tumour on FLAIR, axial slices."""
    for segmentation in sorted(folder.glob("**/*_seg.nii.gz")):
        image = segmentation.with_name(segmentation.name.replace("_seg", "_flair"))
        (flair,), (labels,) = read_volumes(image), read_volumes(segmentation)
        tissue = flair.data[flair.data > 0]
        low, high = np.percentile(tissue, (0.5, 99.5))
        truth = np.isin(labels.data, (1, 2, 4))
        name = image.name.split(".")[0]
        yield Case(name, flair.data, truth, 2, flair.geometry.spacing, (float(low), float(high)))


def hippocampus(folder: Path, half: int) -> Iterator[Case]:
    """Both parts of the hippocampus together, coronal slices (along its long axis).

    Parameters
    ----------
    folder : Path
    half : {0, 1}
        Every second volume, from the first or from the second.
    """
    for path in sorted((folder / "images").iterdir())[half::2]:
        label = next((folder / "labels").glob(f"{path.name.split('.')[0]}*"), None)
        if label is None:
            continue
        (image,), (labels,) = read_volumes(path), read_volumes(label)
        truth = np.asarray(labels.data) > 0
        yield Case(path.name, image.data, truth, 1, image.geometry.spacing, _window(image.data))


def neurons(folder: Path, half: int) -> Iterator[Case]:
    """Neurons that at least 40 slices show, largest first; of these every second one."""
    (image,), (labels,) = read_volumes(folder / "image.tif"), read_volumes(folder / "labels.tif")
    data, pixels = np.asarray(labels.data), np.asarray(image.data)
    values, counts = np.unique(data[data > 0], return_counts=True)
    window = (float(pixels.min()), float(pixels.max()))
    number = 0
    for value in values[np.argsort(-counts)]:
        truth = data == value
        if truth.any(axis=(1, 2)).sum() < 40:
            continue
        if number % 2 == half:
            yield Case(f"neuron {value}", pixels, truth, 0, (1.0, 1.0, 1.0), window)
        number += 1


def brain(folder: Path, axis: int = 2) -> Iterator[Case]:
    """Structures of the brain atlas on T1, one side of the brain each, largest first."""
    yield from _labelled(folder / "t1.nii.gz", folder / "labels.nii.gz", "brain", axis)


def body(folder: Path, axis: int = 2) -> Iterator[Case]:
    """Organs on CT and on MR, axial slices, largest first."""
    pairs = (("example_ct_sm", "example_seg_fast"), ("example_mr_sm", "example_seg_mr"))
    for image, labels in pairs:
        yield from _labelled(
            folder / f"{image}.nii.gz", folder / f"{labels}.nii.gz", image.split("_")[1], axis
        )


def _labelled(image: Path, labels: Path, name: str, axis: int) -> Iterator[Case]:
    (volume,), (known,) = read_volumes(image), read_volumes(labels)
    data, pixels = np.asarray(known.data).astype(np.int32), np.asarray(volume.data)
    if data.shape != pixels.shape:
        raise ValueError(f"{labels.name} does not lie on {image.name}.")
    values, counts = np.unique(data[data > 0], return_counts=True)
    for value in values[np.argsort(-counts)]:
        parts, count = ndimage.label(data == value)
        sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:]
        truth = parts == int(sizes.argmax()) + 1
        case = Case(
            f"{name} {value}", pixels, truth, axis, volume.geometry.spacing, _window(pixels)
        )
        if len(case.extent()) >= MIN_SLICES and case.plane(case.middle).sum() >= MIN_AREA:
            yield case


def _window(pixels: np.ndarray) -> tuple[float, float]:
    low, high = np.percentile(pixels, (0.5, 99.5))
    return float(low), float(high)
