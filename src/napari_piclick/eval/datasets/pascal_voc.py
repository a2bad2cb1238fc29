"""Pascal VOC 2012, validation: 1449 photographs with all their objects (Everingham et al., 2010).

Folder layout, that of the published ``VOC2012``::

    JPEGImages/<name>.jpg
    SegmentationObject/<name>.png          a colour for each object, (224, 224, 192) for outlines
    ImageSets/Segmentation/val.txt         names, one in a line

Outlines do not count. The published program turns the colours into gray values and takes each of
those for an object, so that of sixteen objects or more on a picture some are merged into one
(the first and the sixteenth both have gray value 38); so does this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.eval.datasets.dataset import Dataset, DatasetError, Sample
from napari_piclick.eval.datasets.listed import read_names, required
from napari_piclick.eval.datasets.paired import read_channels
from napari_piclick.eval.datasets.pictures import check_sizes, read_picture

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

#: Gray value of the outlines.
_OUTLINE = 220


class PascalVOC(Dataset):
    """The photographs that a list names, and their objects by gray value.

    Parameters
    ----------
    folder : path
        ``VOC2012``.

    Raises
    ------
    DatasetError
        If a folder, the list, or a picture or mask that it names is missing, or sizes differ.
    """

    name = "pascal-voc"

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder, self._names = read_names(folder, "ImageSets/Segmentation/val.txt")
        self._images, self._masks = self.folder / "JPEGImages", self.folder / "SegmentationObject"
        for name in self._names:
            image = required(self._images / f"{name}.jpg", "image", name)
            check_sizes(image, required(self._masks / f"{name}.png", "mask", name))

    def images(self) -> list[str]:
        """The names of the list, in its order."""
        return list(self._names)

    def samples(self, image_stem: str) -> Iterator[Sample]:
        """Read one photograph and give its objects from the darkest on."""
        image = read_picture(self._images / f"{image_stem}.jpg")
        path = self._masks / f"{image_stem}.png"
        colours = read_channels(path)
        if colours.shape[2] != 3:
            raise DatasetError(f"{path} must be a picture in the colours of Pascal VOC.")
        values = _gray(colours)
        ignore = values == _OUTLINE
        for value in np.unique(values).tolist():
            if value not in (0, _OUTLINE):
                yield Sample(image_stem, str(value), image, values == value, ignore=ignore)


def _gray(colours: np.ndarray) -> np.ndarray:
    """(H, W) gray values of (H, W, 3) RGB, in whole numbers as OpenCV computes them."""
    red, green, blue = np.moveaxis(colours.astype(np.int32), 2, 0)
    gray: np.ndarray = (9798 * red + 19235 * green + 3735 * blue + 2**14) >> 15
    return gray
