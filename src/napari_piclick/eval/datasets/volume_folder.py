"""Any folder of volumes and their labels, for measuring on one's own data.

Folder layout (NIfTI, NRRD, MHA or TIFF)::

    images/<stem>.nii.gz
    labels/<stem>.nii.gz      each non-zero value is an object
    targets.json              optional: unions of label values that are the objects, see `unions`

Slices are cut along the axis on which voxels are longest; where all are as long, along the one
that napari slides through (up and down in a patient, the first axis of a TIFF). On a slice, an
object counts that has more than 20 pixels there. The intensity window is the same for all slices
of a volume: the 0.5 and 99.5 percentiles of its voxels. The two files may be of different kinds;
labels that lie elsewhere in the patient than their image are refused.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_piclick.eval.datasets.dataset import Dataset, DatasetError, Sample, VolumeSample
from napari_piclick.eval.datasets.unions import read_targets, unions_in
from napari_piclick.eval.datasets.volumes import Case
from napari_piclick.io.errors import VolumeError
from napari_piclick.io.volumes import READABLE, read_volumes, stem

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from napari_piclick.io.geometry import Geometry
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
    voxels, values = np.asarray(one.geometry.to_layer(one.data)), np.asarray(_on(one, two))
    if voxels.shape != values.shape:
        raise DatasetError(
            f"{labels} has the size {values.shape} as slices, rows and columns, but its image "
            f"{image.name} has {voxels.shape}."
        )
    if values.dtype.kind == "f" and (values == values.round()).all():
        values = values.astype(np.int64)
    if values.dtype.kind not in "biu":
        raise DatasetError(f"{labels} must hold one integer per voxel, but it is {values.dtype}.")
    if not _same_place(one.geometry, two.geometry, values.shape):
        raise DatasetError(
            f"{labels} lies elsewhere than its image {image.name}: resample it onto the image, or "
            "give it the image's affine if only that was lost."
        )
    spacing = tuple(one.geometry.spacing[axis] for axis in one.geometry.order)
    low, high = np.percentile(voxels[np.isfinite(voxels)], (0.5, 99.5))
    axis = int(np.argmax(spacing)) if max(spacing) > 1.01 * min(spacing) else 0
    return Case(name, voxels, values, (float(low), float(high)), axis, spacing)


def _on(image: Volume, labels: Volume) -> Any:
    """Labels with their axes in the order in which their image is shown.

    The files may be of two kinds, each with an order of its own. Two that lie in a patient are
    shown alike; a picture, which knows no patient, has the x, y and z of the file it was made of.
    """
    one, two = image.geometry, labels.geometry
    if one.anatomical == two.anatomical or {len(one.spatial), len(two.spatial)} != {3}:
        return two.to_layer(labels.data)
    xyz = labels.data.transpose(two.spatial)
    return one.to_layer(xyz.transpose(tuple(int(axis) for axis in np.argsort(one.spatial))))


def _same_place(one: Geometry, two: Geometry, shape: tuple[int, ...]) -> bool:
    """Whether voxels of the same index, in the order shown, lie within half a voxel.

    A picture's place says nothing about a patient's, nor a length about one in another unit.
    """
    if not (one.anatomical and two.anatomical) or one.unit != two.unit:
        return True
    corners = [np.array(corner) for corner in product(*((0, size - 1) for size in shape))]

    def places(geometry: Geometry) -> np.ndarray:
        shown = [geometry.spatial.index(axis) for axis in geometry.order]
        columns = geometry.affine[:3, shown]
        return np.array([columns @ corner + geometry.affine[:3, 3] for corner in corners])

    return np.allclose(places(one), places(two), rtol=0, atol=min(one.spacing) / 2)


def _read(path: Path) -> Volume:
    try:
        volumes = read_volumes(path)
    except VolumeError as error:
        raise DatasetError(str(error)) from error
    if len(volumes) != 1 or volumes[0].rgb or volumes[0].data.ndim != 3:
        raise DatasetError(f"{path} must be one grey volume of three axes.")
    return volumes[0]
