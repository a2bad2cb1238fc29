"""Pictures in one folder and masks of the same names in another, as most benchmarks have it."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from napari_piclick.eval.datasets.dataset import Dataset, DatasetError, Sample
from napari_piclick.eval.datasets.pictures import check_sizes, list_pictures, read_picture

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator


class Marked(NamedTuple):
    """An object in a mask: its name, its pixels, and those that count neither way."""

    name: str
    mask: np.ndarray
    ignore: np.ndarray | None = None


class PairedPictures(Dataset):
    """Pictures and their masks in two folders; kinds of it say where, and how to read a mask.

    Parameters
    ----------
    folder : path
        Holds the two folders.

    Raises
    ------
    DatasetError
        If a folder or a mask is missing, or a mask's size is not its picture's.
    """

    #: The two folders in ``folder``.
    images_folder: ClassVar[str]
    masks_folder: ClassVar[str]

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise DatasetError(f"There is no folder {self.folder}.")
        self._images = list_pictures(self.folder / self.images_folder)
        self._masks = list_pictures(self.folder / self.masks_folder)
        for stem, image in self._images.items():
            if stem not in self._masks:
                raise DatasetError(
                    f"{image} has no mask of its name in {self.folder / self.masks_folder}."
                )
            check_sizes(image, self._masks[stem])

    def images(self) -> list[str]:
        """The pictures' stems, sorted."""
        return list(self._images)

    def samples(self, image_stem: str) -> Iterator[Sample]:
        """Read one picture and give its objects; one without any pixel is left out."""
        image = read_picture(self._images[image_stem])
        for name, mask, ignore in self.objects(read_channels(self._masks[image_stem])):
            if mask.any():
                yield Sample(image_stem, name, image, mask, ignore=ignore)

    @abstractmethod
    def objects(self, mask: np.ndarray) -> Iterable[Marked]:
        """The objects in an (H, W, C) mask picture as `read_channels` gives it."""


def read_channels(path: Path) -> np.ndarray:
    """Read a mask picture as (H, W, C) with its colours: palettes applied, alpha left out.

    Pictures of one bit give 0 and 255.

    Raises
    ------
    DatasetError
        If the file cannot be read or is not a single 2D picture.
    """
    pixels = read_picture(path)
    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8) * 255
    return pixels[..., None] if pixels.ndim == 2 else pixels[..., :3]


def one_object(inside: np.ndarray, ignore: np.ndarray | None = None) -> Iterator[Marked]:
    """The one object of a picture, named ``1``."""
    yield Marked("1", inside, ignore)
