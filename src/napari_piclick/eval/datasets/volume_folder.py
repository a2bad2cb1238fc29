"""Any folder of volumes and their labels, for measuring on one's own data.

Folder layout (NIfTI, NRRD, MHA or TIFF)::

    images/<stem>.nii.gz
    labels/<stem>.nii.gz      each non-zero value is an object
    targets.json              optional: unions of label values that are the objects, see `unions`

Slices are cut along the axis on which voxels are longest; where all are as long, along the one
that napari slides through (up and down in a patient, the first axis of a TIFF). On a slice, an
object counts that has more than 20 pixels there. The intensity window is the same for all slices
of a volume: the 0.5 and 99.5 percentiles of its voxels.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.eval.datasets.dataset import Dataset, DatasetError, Sample, VolumeSample
from napari_piclick.eval.datasets.unions import read_targets, unions_in
from napari_piclick.eval.datasets.volumes import Case
from napari_piclick.io.errors import VolumeError
from napari_piclick.io.volumes import READABLE, read_volumes, stem

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from napari_piclick.io.volume import Volume

#: On a slice an object of no more pixels than this is left out.
MIN_PIXELS = 20


class VolumeFolder(Dataset):
    """The volumes of a folder, and the objects that their labels name.

    An image's stem is its volume's with the slice's index: ``hippocampus_001_s017``.

    Parameters
    ----------
    folder : path
        Holds ``images/`` and ``labels/``.

    Raises
    ------
    DatasetError
        If a folder or a label volume is missing, or ``targets.json`` cannot be read.
    """

    name = "volumes"

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        images, labels = (_list_volumes(self.folder / part) for part in ("images", "labels"))
        for name, image in images.items():
            if name not in labels:
                raise DatasetError(
                    f"{image} has no labels of its name in {self.folder / 'labels'}."
                )
        self._cases = {name: (image, labels[name]) for name, image in images.items()}
        self._targets = read_targets(self.folder / "targets.json")
        self.may_nest = bool(self._targets)
        # Volumes are large: only one is held, while its slices are read one by one.
        self._held: Case | None = None

    def volumes(self) -> list[str]:
        """The names of all volumes, sorted."""
        return list(self._cases)

    def volume_samples(self, stem: str) -> Iterator[VolumeSample]:
        """Read one volume and give its objects."""
        case = self._case(stem)
        yield from case.objects(unions_in(case.labels, self._targets, stem))

    def images(self) -> Iterator[str]:
        """The names of all slices that show an object, volume by volume from the first slice."""
        for name in self._cases:
            for index in _slices(self._case(name), self._targets):
                yield f"{name}_s{index:03d}"

    def samples(self, image_stem: str) -> Iterator[Sample]:
        """Read one slice and give the objects on it."""
        name, _, index = image_stem.rpartition("_s")
        case = self._case(name)
        plane, labels = case.slice(int(index))
        for object_name, values in unions_in(labels, self._targets, name).items():
            mask = np.isin(labels, list(values))
            if np.count_nonzero(mask) > MIN_PIXELS:
                yield Sample(image_stem, object_name, plane, mask, case.window)

    def _case(self, name: str) -> Case:
        if self._held is None or self._held.name != name:
            self._held = None  # let go of the last one before reading the next
            self._held = _read_case(name, *self._cases[name])
        return self._held


def _slices(case: Case, targets: dict[str, list[list[int]]]) -> Iterator[int]:
    for index in range(case.volume.shape[case.axis]):
        _, labels = case.slice(index)
        unions = unions_in(labels, targets, case.name).values()
        if any(np.isin(labels, list(values)).sum() > MIN_PIXELS for values in unions):
            yield index


def _list_volumes(folder: Path) -> dict[str, Path]:
    """The volumes of a folder by name, sorted."""
    if not folder.is_dir():
        raise DatasetError(f"There is no folder {folder}.")
    found = [path for path in sorted(folder.iterdir()) if path.name.endswith(READABLE)]
    found = [path for path in found if not path.name.startswith(".")]
    if not found:
        raise DatasetError(f"The folder {folder} holds no volumes ({', '.join(READABLE)}).")
    return {stem(path): path for path in found}


def _read_case(name: str, image: Path, labels: Path) -> Case:
    """Read a volume and its labels, both in the order that napari shows them in."""
    one, two = _read(image), _read(labels)
    if one.data.shape != two.data.shape:
        raise DatasetError(
            f"{labels} has the size {two.data.shape}, but its image {image.name} has "
            f"{one.data.shape}."
        )
    values = np.asarray(one.geometry.to_layer(two.data))
    if values.dtype.kind == "f" and (values == values.round()).all():
        values = values.astype(np.int64)
    if values.dtype.kind not in "biu":
        raise DatasetError(f"{labels} must hold one integer per voxel, but it is {values.dtype}.")
    voxels = np.asarray(one.geometry.to_layer(one.data))
    spacing = tuple(one.geometry.spacing[axis] for axis in one.geometry.order)
    low, high = np.percentile(voxels[np.isfinite(voxels)], (0.5, 99.5))
    axis = int(np.argmax(spacing)) if max(spacing) > 1.01 * min(spacing) else 0
    return Case(name, voxels, values, (float(low), float(high)), axis, spacing)


def _read(path: Path) -> Volume:
    try:
        volumes = read_volumes(path)
    except VolumeError as error:
        raise DatasetError(str(error)) from error
    if len(volumes) != 1 or volumes[0].rgb or volumes[0].data.ndim != 3:
        raise DatasetError(f"{path} must be one grey volume of three axes.")
    return volumes[0]
