"""SBD, validation: 6671 objects on 2820 photographs (Hariharan et al., 2011).

Folder layout, that of the published ``benchmark_RELEASE/dataset``::

    img/<name>.jpg
    inst/<name>.mat      MATLAB structure GTinst, its field Segmentation: each value is an object
    val.txt              names, one in a line
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from napari_piclick.eval.datasets.dataset import Dataset, DatasetError, Sample
from napari_piclick.eval.datasets.listed import read_names, required
from napari_piclick.eval.datasets.pictures import read_picture

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from pathlib import Path

# What scipy raises for files that are damaged, no MATLAB files, or hold something else.
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, IndexError, MatReadError)


class SBD(Dataset):
    """The photographs that a list names, and their objects.

    Parameters
    ----------
    folder : path
        Holds ``img/``, ``inst/`` and ``val.txt``.

    Raises
    ------
    DatasetError
        If a folder, the list, or a picture or MATLAB file that it names is missing.
    """

    name = "sbd"

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder, self._names = read_names(folder, "val.txt")
        self._images, self._instances = self.folder / "img", self.folder / "inst"
        for name in self._names:
            required(self._images / f"{name}.jpg", "image", name)
            required(self._instances / f"{name}.mat", "instances", name)

    def images(self) -> list[str]:
        """The names of the list, in its order."""
        return list(self._names)

    def samples(self, image_stem: str) -> Iterator[Sample]:
        """Read one photograph and give its objects by ascending value."""
        image = read_picture(self._images / f"{image_stem}.jpg")
        path = self._instances / f"{image_stem}.mat"
        values = _read_instances(path)
        if values.shape != image.shape[:2]:
            raise DatasetError(
                f"{path} has {values.shape[0]} x {values.shape[1]} pixels, but its image "
                f"{image_stem}.jpg has {image.shape[0]} x {image.shape[1]}."
            )
        for value in np.unique(values).tolist():
            if value:
                yield Sample(image_stem, str(value), image, values == value)


def _read_instances(path: Path) -> np.ndarray:
    """(H, W) integers: the field Segmentation of GTinst."""
    try:
        values = np.asarray(loadmat(path)["GTinst"]["Segmentation"][0, 0])
    except _UNREADABLE as error:
        raise DatasetError(f"{path} cannot be read as SBD's instances: {error}") from error
    if values.ndim != 2 or values.dtype.kind not in "iu":
        raise DatasetError(f"{path} must hold one integer per pixel in GTinst.Segmentation.")
    return values
