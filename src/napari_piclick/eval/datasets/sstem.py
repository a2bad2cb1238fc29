"""ssTEM: mitochondria in serial-section electron microscopy of the fly's nerve cord.

Folder layout, that of the published data (Gerhard et al., 2013, doi 10.6084/m9.figshare.856713,
folder ``stack1``)::

    raw/00.tif ...            1024 x 1024 uint8
    mitochondria/00.png ...   non-zero where there is a mitochondrion

Every 8-connected component of the non-zero pixels is an object, however small (the pictures are
anti-aliased, with values from 1 to 255), as in the published evaluations.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from skimage.measure import label

from napari_piclick.eval.datasets.dataset import Dataset, DatasetError, Sample
from napari_piclick.eval.datasets.pictures import (
    TIFF_SUFFIXES,
    check_sizes,
    list_pictures,
    read_labels,
    read_picture,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator


class SSTEM(Dataset):
    """The sections in a folder, and their mitochondria numbered from 1 in scan order.

    Parameters
    ----------
    folder : path
        Holds ``raw/`` and ``mitochondria/``.

    Raises
    ------
    DatasetError
        If a folder or a mask is missing, or a mask's size is not its image's.
    """

    name = "sstem"

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self._images = list_pictures(self.folder / "raw", TIFF_SUFFIXES)
        masks = self.folder / "mitochondria"
        self._masks = {stem: masks / f"{stem}.png" for stem in self._images}
        for stem, image in self._images.items():
            if not self._masks[stem].is_file():
                raise DatasetError(f"{image} has no mask {self._masks[stem]}.")
            check_sizes(image, self._masks[stem])

    def images(self) -> list[str]:
        """The sections' stems, sorted."""
        return list(self._images)

    def samples(self, image_stem: str) -> Iterator[Sample]:
        """Read one section and give its mitochondria."""
        image = read_picture(self._images[image_stem])
        components, count = label(
            read_labels(self._masks[image_stem]) != 0, connectivity=2, return_num=True
        )
        for number in range(1, count + 1):
            yield Sample(image_stem, str(number), image, components == number)
