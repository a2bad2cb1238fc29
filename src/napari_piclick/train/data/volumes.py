"""The volume source: planes of 3D images and their labels, in all three directions."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.train.data.labels import LabelKind, add_labels
from napari_piclick.train.data.window import (
    draw_limits,
    robust_limits,
    to_grey_levels,
    usual_limits,
)
from napari_piclick.train.scene import Scene
from napari_piclick.train.superpixels import SuperpixelAdder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, eq=False)
class Volume:
    """A 3D image and its label maps.

    Parameters
    ----------
    image : (Z, Y, X) of any real type.
    labels : label maps of the same shape, each with what its values mean.
    spacing : size of a voxel along the three axes.
    """

    image: np.ndarray
    labels: tuple[tuple[np.ndarray, LabelKind], ...] = ()
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        for labels, _ in self.labels:
            if labels.shape != self.image.shape:
                raise ValueError(
                    f"The labels are {labels.shape} voxels, but the image is "
                    f"{self.image.shape}. They must be of the same size."
                )

    @cached_property
    def limits(self) -> tuple[float, float]:
        """Robust range of the values, see `robust_limits`."""
        return robust_limits(self.image[::2, ::2, ::2])

    @cached_property
    def labelled(self) -> tuple[np.ndarray, ...]:
        """For each axis, the indices of the planes that show a label (else of all planes)."""
        found = []
        for axis in range(3):
            others = tuple(other for other in range(3) if other != axis)
            seen = np.zeros(self.image.shape[axis], bool)
            for labels, _ in self.labels:
                seen |= (labels != 0).any(axis=others)
            found.append(np.flatnonzero(seen if seen.any() else ~seen))
        return tuple(found)


class LazyVolume:
    """A volume that is read when it is first needed."""

    def __init__(self, read: Callable[[], Volume]) -> None:
        self._read = read

    @cached_property
    def volume(self) -> Volume:
        """The volume, kept in memory once read."""
        return self._read()


class VolumeSource:
    """Planes of one or several volumes.

    Parameters
    ----------
    name : name of the samples.
    volumes : functions that read one volume each; each is called once, when first drawn.
    axes : the axes that planes are cut across; ``(0,)`` for a stack of unrelated pictures.
    superpixels : whether superpixels are targets too. A volume without labels has no others.
    """

    def __init__(
        self,
        name: str,
        volumes: Sequence[Callable[[], Volume]],
        *,
        axes: Sequence[int] = (0, 1, 2),
        superpixels: bool = True,
    ) -> None:
        if not volumes:
            raise ValueError(f"The source {name!r} has no volume.")
        self.name = name
        self._volumes = tuple(map(LazyVolume, volumes))
        self._axes = tuple(axes)
        self._superpixels = SuperpixelAdder() if superpixels else None

    def __len__(self) -> int:
        return len(self._volumes)

    def volume(self, number: int) -> Volume:
        """One volume, kept in memory once read."""
        return self._volumes[number].volume

    def without_superpixels(self) -> VolumeSource:
        """A source of labelled planes only; volumes already read are shared."""
        other = copy(self)
        other._superpixels = None
        return other

    def draw(self, rng: np.random.Generator) -> Scene:
        """Draw one plane with its objects."""
        number = int(rng.integers(len(self)))
        volume = self.volume(number)
        axis = self._axes[rng.integers(len(self._axes))]
        planes = volume.labelled[axis]
        index = int(planes[rng.integers(len(planes))])
        scene = self.plane(number, axis, index, rng)
        if self._superpixels is None:
            return scene
        # one set of superpixels, of the usual window, serves every window
        usual = to_grey_levels(np.take(volume.image, index, axis), usual_limits(volume.limits))
        return self._superpixels.add(scene, (number, axis, index), rng, usual)

    def plane(self, number: int, axis: int, index: int, rng: np.random.Generator) -> Scene:
        """The scene of one plane; ``rng`` draws its window."""
        volume = self.volume(number)
        values = np.take(volume.image, index, axis)
        spacing = tuple(s for other, s in enumerate(volume.spacing) if other != axis)
        scene = Scene(
            to_grey_levels(values, draw_limits(values, volume.limits, rng)),
            self.name,
            spacing=(spacing[0], spacing[1]),
        )
        for labels, kind in volume.labels:
            scene = add_labels(scene, np.take(labels, index, axis), kind)
        return scene


def read_volume(
    image: str | Path, labels: str | Path | None = None, kind: LabelKind | None = None
) -> Volume:
    """Read a NIfTI or TIFF volume and its labels.

    Raises
    ------
    ValueError
        If the file is not 3D, or the two do not fit together.
    """
    values, spacing = _read(image)
    if labels is None:
        return Volume(values, (), spacing)
    numbers = _read(labels)[0]
    if numbers.dtype.kind == "f":
        numbers = np.rint(numbers).astype(np.int32)
    return Volume(values, ((numbers, kind or LabelKind()),), spacing)


def _read(file: str | Path) -> tuple[np.ndarray, tuple[float, float, float]]:
    """Values (Z, Y, X) and spacing."""
    if Path(file).suffix.lower() in (".tif", ".tiff"):
        import tifffile

        values, spacing = tifffile.imread(file), (1.0, 1.0, 1.0)
    else:
        import nibabel

        volume = nibabel.as_closest_canonical(nibabel.load(file))
        # NIfTI runs to the right, front and top; reversed it reads (z, y, x), head up
        values = np.asanyarray(volume.dataobj).transpose()[::-1, ::-1]
        zooms = tuple(float(zoom) for zoom in volume.header.get_zooms()[:3])
        spacing = (zooms[2], zooms[1], zooms[0])
    if values.ndim != 3:
        raise ValueError(f"{file} is {values.ndim}-dimensional, but a volume has 3 axes.")
    return np.ascontiguousarray(values), spacing
