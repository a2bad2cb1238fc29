"""Any folder of pictures and their objects, for measuring on one's own data.

Folder layout, one of::

    images/<stem>.png|jpg|tif     gray or RGB
    labels/<stem>.png|tif         each non-zero value is an object
    targets.json                  optional: unions of label values that are the objects

    images/<stem>.png|jpg|tif
    masks/<stem>/<name>.png|tif   one object each, non-zero inside; they may overlap

``targets.json`` is ``{"<stem>" or "*": [[1], [1, 2], ...]}``: on each image the unions listed
under its stem, or else under ``*``, are the objects; without either, each value is one. A union
of which the image has no pixel is left out there, and so is one that has the same pixels as an
earlier one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.eval.datasets.dataset import Dataset, DatasetError, Sample
from napari_piclick.eval.datasets.pictures import (
    JPEG_SUFFIXES,
    PICTURE_SUFFIXES,
    check_sizes,
    list_pictures,
    read_labels,
    read_picture,
)
from napari_piclick.eval.datasets.unions import read_targets, unions_in

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

_LOSSLESS_SUFFIXES = PICTURE_SUFFIXES - JPEG_SUFFIXES


class Folder(Dataset):
    """The pictures of a folder, and the objects that its labels or masks name.

    Parameters
    ----------
    folder : path
        Holds ``images/`` and either ``labels/`` or ``masks/``.

    Raises
    ------
    DatasetError
        If a folder, a label picture or a mask is missing, a size is not the image's, or
        ``targets.json`` cannot be read.
    """

    name = "folder"

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self._images = list_pictures(self.folder / "images")
        labels, masks = self.folder / "labels", self.folder / "masks"
        if labels.is_dir() and masks.is_dir():
            raise DatasetError(f"{self.folder} has both labels/ and masks/; keep one of them.")
        self._labels = _find_labels(self._images, labels) if not masks.is_dir() else {}
        self._masks = _find_masks(self._images, masks) if masks.is_dir() else {}
        self._targets = read_targets(self.folder / "targets.json") if self._labels else {}
        self.may_nest = bool(self._masks or self._targets)

    def images(self) -> list[str]:
        """The images' stems, sorted."""
        return list(self._images)

    def samples(self, image_stem: str) -> Iterator[Sample]:
        """Read one image and give its objects."""
        image = read_picture(self._images[image_stem])
        objects = (
            self._labelled(image_stem) if image_stem in self._labels else self._masked(image_stem)
        )
        for name, mask in objects:
            yield Sample(image_stem, name, image, mask)

    def _labelled(self, image_stem: str) -> Iterator[tuple[str, np.ndarray]]:
        labels = read_labels(self._labels[image_stem])
        for name, values in unions_in(labels, self._targets, image_stem).items():
            yield name, np.isin(labels, list(values))

    def _masked(self, image_stem: str) -> Iterator[tuple[str, np.ndarray]]:
        for path in self._masks[image_stem]:
            mask = read_labels(path) != 0
            if mask.any():
                yield path.stem, mask


def _find_labels(images: dict[str, Path], folder: Path) -> dict[str, Path]:
    """The label picture of each image."""
    labels = list_pictures(folder, _LOSSLESS_SUFFIXES, required=False)
    lossy = list_pictures(folder, JPEG_SUFFIXES, required=False)
    for stem, image in images.items():
        if stem not in labels and stem in lossy:
            raise DatasetError(
                f"{lossy[stem]} is a JPEG, which changes label values; save it as PNG or TIFF."
            )
        if stem not in labels:
            raise DatasetError(f"{image} has no label picture {folder / stem}.png.")
        check_sizes(image, labels[stem])
    return {stem: labels[stem] for stem in images}


def _find_masks(images: dict[str, Path], folder: Path) -> dict[str, list[Path]]:
    """The mask pictures of each image."""
    masks: dict[str, list[Path]] = {}
    for stem, image in images.items():
        if not (folder / stem).is_dir():
            raise DatasetError(f"{image} has no folder of masks {folder / stem}.")
        masks[stem] = list(list_pictures(folder / stem, _LOSSLESS_SUFFIXES).values())
        for mask in masks[stem]:
            check_sizes(image, mask)
    return masks
