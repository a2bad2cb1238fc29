"""What a dataset is to the evaluation: images read one at a time, and the objects on them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import numpy as np


class DatasetError(ValueError):
    """A dataset's files are missing or do not fit; the message is one sentence for the user."""


@dataclass(frozen=True, eq=False, slots=True)
class Sample:
    """One object on one image.

    Parameters
    ----------
    image_stem : str
        The image's file name without folder and suffix (and, for volumes, with the slice).
    object_name : str
        Name of the object, unique on its image.
    image : (H, W) or (H, W, 3|4), any dtype
    mask : (H, W) bool
        The object; never empty.
    contrast_limits : (low, high) or None
        The intensity window to show the image in, or None to leave it to the predictor.
    ignore : (H, W) bool or None
        Pixels that count neither as object nor as background.
    """

    image_stem: str
    object_name: str
    image: np.ndarray
    mask: np.ndarray
    contrast_limits: tuple[float, float] | None = None
    ignore: np.ndarray | None = None


@dataclass(frozen=True, eq=False, slots=True)
class VolumeSample:
    """One object in one volume.

    Parameters
    ----------
    stem : str
        The volume's name, without folder and suffix.
    object_name : str
        Name of the object, unique in its volume.
    volume : array of three axes
    mask : bool array of the same shape
        The object; never empty.
    axis : int
        Along which slices are cut.
    spacing : three float
        Size of a voxel along each axis.
    contrast_limits : (low, high)
        The intensity window to show all slices in.
    """

    stem: str
    object_name: str
    volume: np.ndarray
    mask: np.ndarray
    axis: int
    spacing: tuple[float, ...]
    contrast_limits: tuple[float, float]


class Dataset(ABC):
    """A folder of images with known objects; it holds no image in memory longer than needed."""

    #: Name on the command line and in reports.
    name: str
    #: Where the files are.
    folder: Path
    #: Whether objects may lie inside one another, so that one click may mean several of them.
    may_nest: bool = False

    @abstractmethod
    def images(self) -> Iterable[str]:
        """The stems of all images, in order."""

    @abstractmethod
    def samples(self, image_stem: str) -> Iterator[Sample]:
        """Read one image and give its objects, in a fixed order.

        Raises
        ------
        DatasetError
            If a file cannot be read or does not fit its image.
        """

    def volumes(self) -> Iterable[str]:
        """The names of all volumes, in order, for measuring in 3D.

        Raises
        ------
        DatasetError
            If the dataset is one of pictures.
        """
        raise DatasetError(
            f"{self.name} holds pictures; only volumes can be measured in 3D (brats, oaizib and "
            "volumes)."
        )

    def volume_samples(self, stem: str) -> Iterator[VolumeSample]:
        """Read one volume and give its objects, in a fixed order.

        Raises
        ------
        DatasetError
            If a file cannot be read or does not fit.
        """
        raise NotImplementedError(stem)

    def __iter__(self) -> Iterator[Sample]:
        """All objects, image by image."""
        for image_stem in self.images():
            yield from self.samples(image_stem)
