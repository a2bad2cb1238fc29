"""OAI-ZIB: cartilages of the knee in MRI, straight from NIfTI volumes.

Folder layout, that of the published OAIZIB-CM (one or both of ``Tr`` and ``Ts``)::

    imagesTs/oaizib_001_0000.nii.gz
    labelsTs/oaizib_001.nii.gz

Labels: 1 femur, 2 femoral cartilage, 3 tibia, 4 and 5 tibial cartilages (or 4 alone).

The rule: slices are sagittal, cut along the axis of the array that runs from left to right. Of
the femoral cartilage {2} and the tibial cartilages {4, 5}, each one with more than 100 pixels on a
slice is an object there; a slice without any is left out. A plane is shown in array order, with no
rotation. The intensity window is the same for all slices of a volume: the 0.5 and 99.5 percentiles
of its non-zero voxels.

These are not the slices of the PiClick paper, whose making is not published (see
:mod:`.oaizib_pictures`): figures measured here and there are near, but not the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.eval.datasets.dataset import Dataset, DatasetError, Sample, VolumeSample
from napari_piclick.eval.datasets.volumes import (
    MIN_PIXELS,
    Case,
    left_right_axis,
    read_case,
    read_segmentation,
    slices_with,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

#: The objects and their labels.
CARTILAGES = {"femoral-cartilage": (2,), "tibial-cartilage": (4, 5)}

_KNOWN_LABELS = frozenset(range(6))
_PARTS = ("Tr", "Ts")


class OAIZIB(Dataset):
    """The sagittal slices of all cases in a folder that show a cartilage.

    An image's stem is its case's with the slice's index: ``oaizib_001_x080``.

    Parameters
    ----------
    folder : path
        Holds the folders of images and labels.

    Raises
    ------
    DatasetError
        If there is no case, or a case without its image.
    """

    name = "oaizib"

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        # case -> the files of image and labels
        self._cases = dict(_find_cases(self.folder))
        # Volumes are large: only one is held, while its slices are read one by one.
        self._held: Case | None = None

    def volumes(self) -> list[str]:
        """The names of all cases, in order."""
        return list(self._cases)

    def volume_samples(self, stem: str) -> Iterator[VolumeSample]:
        """Read one case and give its cartilages."""
        yield from self._read(stem).objects(CARTILAGES)

    def images(self) -> Iterator[str]:
        """The stems of all slices that show a cartilage, case by case from the first slice."""
        for case, (_, segmentation) in self._cases.items():
            labels = read_segmentation(segmentation, _KNOWN_LABELS)
            axis = left_right_axis(segmentation)
            shown = {i for values in CARTILAGES.values() for i in slices_with(labels, values, axis)}
            for index in sorted(shown):
                yield f"{case}_x{index:03d}"

    def samples(self, image_stem: str) -> Iterator[Sample]:
        """Read one slice and give the cartilages on it."""
        name, _, index = image_stem.rpartition("_x")
        if self._held is None or self._held.name != name:
            self._held = None  # let go of the last one before reading the next
            self._held = self._read(name)
        plane, labels = self._held.slice(int(index))
        for object_name, values in CARTILAGES.items():
            mask = np.isin(labels, values)
            if np.count_nonzero(mask) > MIN_PIXELS:
                yield Sample(image_stem, object_name, plane, mask, self._held.window)

    def _read(self, name: str) -> Case:
        image, segmentation = self._cases[name]
        axis = left_right_axis(segmentation)
        return read_case(name, image, segmentation, _KNOWN_LABELS, axis)


def _find_cases(folder: Path) -> Iterator[tuple[str, tuple[Path, Path]]]:
    """Each case's name, image file and label file, sorted by name."""
    if not folder.is_dir():
        raise DatasetError(f"There is no folder {folder}.")
    found = [path for part in _PARTS for path in (folder / f"labels{part}").glob("*.nii.gz")]
    if not found:
        raise DatasetError(
            f"The folder {folder} holds no knee (neither test/image/*.png nor labelsTr or "
            "labelsTs with *.nii.gz)."
        )
    for segmentation in sorted(found, key=lambda path: path.name):
        case = segmentation.name.removesuffix(".nii.gz")
        images = folder / segmentation.parent.name.replace("labels", "images")
        image = images / f"{case}_0000.nii.gz"
        if not image.is_file():
            raise DatasetError(f"{segmentation} has no image {image}.")
        yield case, (image, segmentation)
