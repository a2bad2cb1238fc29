"""BraTS: brain tumours in MRI, straight from the NIfTI volumes (BraTS 2017 to 2021).

Folder layout: the files of one or more cases, all in one folder or each case in its own::

    BraTS2021_00006_flair.nii.gz   BraTS2021_00006_t1ce.nii.gz   BraTS2021_00006_seg.nii.gz

Labels: 1 necrotic core, 2 oedema, 4 enhancing tumour. Targets and the modality each is shown in:

================  ==========  ========
whole-tumour      {1, 2, 4}   flair
tumour-core       {1, 4}      t1ce
enhancing         {4}         t1ce
nested            the first   flair
                  two of them
nested-t1ce       the same    t1ce
================  ==========  ========

The rule: every axial slice with more than 100 pixels of the target is an image, and all target
pixels on it are its one object (of ``nested``, each region is one, and there are more than 100
pixels of both). Axial slices run along the last axis of the stored array, and a
plane is shown in array order: ``volume[i, j, k]`` is row ``i``, column ``j`` of slice ``k``, with
no rotation. The intensity window is the same for all slices of a volume: the 0.5 and 99.5
percentiles of its non-zero voxels.

These are not the slices of the PiClick paper, whose making is not published (see
:mod:`.brats_pictures`): figures measured here and there are near, but not the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.eval.datasets.dataset import Dataset, DatasetError, Sample, VolumeSample
from napari_piclick.eval.datasets.volumes import Case, read_case, read_segmentation, slices_with

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

_KNOWN_LABELS = frozenset({0, 1, 2, 4})
#: Axial slices run along the last axis.
_AXIS = 2
_WHOLE, _CORE = (1, 2, 4), (1, 4)


@dataclass(frozen=True, slots=True)
class Target:
    """Tumour regions: a name for all, each one's labels by its name, and the modality shown."""

    name: str
    regions: dict[str, tuple[int, ...]]
    modality: str


TARGETS = {
    target.name: target
    for target in (
        Target("whole-tumour", {"whole-tumour": _WHOLE}, "flair"),
        Target("tumour-core", {"tumour-core": _CORE}, "t1ce"),
        Target("enhancing", {"enhancing": (4,)}, "t1ce"),
        Target("nested", {"whole-tumour": _WHOLE, "tumour-core": _CORE}, "flair"),
        Target("nested-t1ce", {"whole-tumour": _WHOLE, "tumour-core": _CORE}, "t1ce"),
    )
}


#: The target of the published figures.
DEFAULT = "whole-tumour"


class BraTS(Dataset):
    """The axial slices of all cases in a folder that show a target.

    An image's stem is its volume's with the slice's index: ``BraTS2021_00006_flair_z075``.
    The name of a target other than the whole tumour is part of the dataset's: ``brats-nested``.

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

    def __init__(self, folder: str | os.PathLike[str], target: str = DEFAULT) -> None:
        if target not in TARGETS:
            raise DatasetError(f"BraTS has the targets {', '.join(TARGETS)}, but not {target!r}.")
        self.folder = Path(folder)
        self.target = TARGETS[target]
        if target != DEFAULT:  # other objects, with which the published figures have no part
            self.name = f"{BraTS.name}-{target}"
        self.may_nest = len(self.target.regions) > 1
        # volume's stem -> the files of image and segmentation
        self._cases = dict(_find_cases(self.folder, self.target.modality))
        # Volumes are large: only one is held, while its slices are read one by one.
        self._held: Case | None = None

    def volumes(self) -> list[str]:
        """The stems of all cases' volumes, in order."""
        return list(self._cases)

    def volume_samples(self, stem: str) -> Iterator[VolumeSample]:
        """Read one case and give the target's regions in it."""
        case = read_case(stem, *self._cases[stem], _KNOWN_LABELS, _AXIS)
        yield from case.objects(self.target.regions)

    def images(self) -> Iterator[str]:
        """The stems of all slices that show the target, case by case from the lowest slice."""
        for case, (_, segmentation) in self._cases.items():
            labels = read_segmentation(segmentation, _KNOWN_LABELS)
            regions = self.target.regions.values()
            shown = [set(slices_with(labels, values, _AXIS)) for values in regions]
            for index in sorted(set.intersection(*shown)):
                yield f"{case}_z{index:03d}"

    def samples(self, image_stem: str) -> Iterator[Sample]:
        """Read one slice and give the target's regions on it."""
        name, _, index = image_stem.rpartition("_z")
        if self._held is None or self._held.name != name:
            self._held = None  # let go of the last one before reading the next
            self._held = read_case(name, *self._cases[name], _KNOWN_LABELS, _AXIS)
        plane, labels = self._held.slice(int(index))
        for region, values in self.target.regions.items():
            mask = np.isin(labels, values)
            yield Sample(image_stem, region, plane, mask, self._held.window)


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
