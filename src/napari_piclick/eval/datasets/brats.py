"""BraTS: brain tumours in MRI, straight from the NIfTI volumes (BraTS 2017 to 2021).

Folder layout: the files of one or more cases, all in one folder or each case in its own::

    BraTS2021_00006_flair.nii.gz   BraTS2021_00006_t1ce.nii.gz   BraTS2021_00006_seg.nii.gz

Labels: 1 necrotic core, 2 oedema, 4 enhancing tumour. Targets and the modality each is shown in:

================  ==========  ========
whole-tumour      {1, 2, 4}   flair
tumour-core       {1, 4}      t1ce
enhancing         {4}         t1ce
================  ==========  ========

The rule: every axial slice with more than 100 pixels of the target is an image, and all target
pixels on it are its one object. Axial slices run along the last axis of the stored array, and a
plane is shown in array order: ``volume[i, j, k]`` is row ``i``, column ``j`` of slice ``k``, with
no rotation. The intensity window is the same for all slices of a volume: the 0.5 and 99.5
percentiles of its non-zero voxels.

These are not the slices of the PiClick paper, whose making is not published: figures measured
here and there are near, but not the same.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError

from napari_piclick.eval.datasets.dataset import Dataset, DatasetError, Sample

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

#: A slice is used if it has more pixels of the target than this.
MIN_PIXELS = 100

_KNOWN_LABELS = frozenset({0, 1, 2, 4})

# What nibabel raises for files that are damaged or no NIfTI at all.
_UNREADABLE = (OSError, ValueError, EOFError, zlib.error, ImageFileError)


@dataclass(frozen=True, slots=True)
class Target:
    """A tumour region: its name, the labels that make it up, and the modality that shows it."""

    name: str
    labels: tuple[int, ...]
    modality: str


TARGETS = {
    target.name: target
    for target in (
        Target("whole-tumour", (1, 2, 4), "flair"),
        Target("tumour-core", (1, 4), "t1ce"),
        Target("enhancing", (4,), "t1ce"),
    )
}


@dataclass(frozen=True, eq=False, slots=True)
class Case:
    """One volume (X, Y, Z), where the target is in it (bool), and the intensities to show."""

    name: str
    volume: np.ndarray
    target: np.ndarray
    window: tuple[float, float]


class BraTS(Dataset):
    """The axial slices of all cases in a folder that show a target.

    An image's stem is its volume's with the slice's index: ``BraTS2021_00006_flair_z075``.

    Parameters
    ----------
    folder : path
        Holds the cases.
    target : str
        A name in ``TARGETS``.

    Raises
    ------
    DatasetError
        If there is no such target, no case, or a case without the volume that is needed.
    """

    name = "brats"

    def __init__(self, folder: str | os.PathLike[str], target: str = "whole-tumour") -> None:
        if target not in TARGETS:
            raise DatasetError(f"BraTS has the targets {', '.join(TARGETS)}, but not {target!r}.")
        self.folder = Path(folder)
        self.target = TARGETS[target]
        # volume's stem -> the files of image and segmentation
        self._cases = dict(_find_cases(self.folder, self.target.modality))
        # Volumes are large: only one is held, while its slices are read one by one.
        self._held: Case | None = None

    def images(self) -> Iterator[str]:
        """The stems of all slices that show the target, case by case from the lowest slice."""
        for case, (_, segmentation) in self._cases.items():
            target = np.isin(_read_segmentation(segmentation), self.target.labels)
            for index in np.flatnonzero(target.sum(axis=(0, 1)) > MIN_PIXELS):
                yield f"{case}_z{index:03d}"

    def samples(self, image_stem: str) -> Iterator[Sample]:
        """Read one slice and give the target on it."""
        name, _, index = image_stem.rpartition("_z")
        if self._held is None or self._held.name != name:
            self._held = None  # let go of the last one before reading the next
            self._held = _read_case(name, *self._cases[name], self.target)
        plane = np.ascontiguousarray(self._held.volume[:, :, int(index)])
        mask = np.ascontiguousarray(self._held.target[:, :, int(index)])
        yield Sample(image_stem, self.target.name, plane, mask, self._held.window)


def _find_cases(folder: Path, modality: str) -> Iterator[tuple[str, tuple[Path, Path]]]:
    """Each case's image stem, image file and segmentation file, sorted by name."""
    if not folder.is_dir():
        raise DatasetError(f"There is no folder {folder}.")
    found = (
        path
        for pattern in ("*_seg.nii", "*_seg.nii.gz", "*/*_seg.nii", "*/*_seg.nii.gz")
        for path in folder.glob(pattern)
    )
    segmentations = sorted(found, key=lambda path: path.name)
    if not segmentations:
        raise DatasetError(f"The folder {folder} holds no BraTS case (no file *_seg.nii.gz).")
    for segmentation in segmentations:
        case = segmentation.name[: segmentation.name.rindex("_seg.nii")]
        stem = f"{case}_{modality}"
        for image in (segmentation.with_name(f"{stem}{end}") for end in (".nii.gz", ".nii")):
            if image.is_file():
                yield stem, (image, segmentation)
                break
        else:
            raise DatasetError(f"{segmentation} has no {modality} volume {stem}.nii.gz beside it.")


def _read_case(name: str, image: Path, segmentation: Path, target: Target) -> Case:
    volume, labels = _read_volume(image), _read_segmentation(segmentation)
    if volume.shape != labels.shape:
        raise DatasetError(
            f"{segmentation} has the size {labels.shape}, but its image {image.name} has "
            f"{volume.shape}."
        )
    tissue = volume[volume != 0]
    if not tissue.size:
        raise DatasetError(f"{image} holds nothing but zeros.")
    low, high = np.percentile(tissue, (0.5, 99.5))
    return Case(name, volume, np.isin(labels, target.labels), (float(low), float(high)))


def _read_segmentation(path: Path) -> np.ndarray:
    labels = _read_volume(path)
    unknown = sorted(set(np.unique(labels).tolist()) - _KNOWN_LABELS)
    if unknown:
        raise DatasetError(
            f"{path} holds the label {unknown[0]:g}, but BraTS 2017 to 2021 use 1, 2 and 4."
        )
    return labels


def _read_volume(path: Path) -> np.ndarray:
    """The (X, Y, Z) voxels of a NIfTI file, with its scaling applied if it has one."""
    try:
        # Files of this kind are read whole: compressed, they can be read in no other way.
        file: Any = nibabel.load(path)
        voxels = np.asanyarray(file.dataobj)
    except _UNREADABLE as error:
        raise DatasetError(f"{path} cannot be read as NIfTI: {error}") from error
    if voxels.ndim != 3:
        raise DatasetError(f"{path} must be one 3D volume, but its shape is {voxels.shape}.")
    return voxels
