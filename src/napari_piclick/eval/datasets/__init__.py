"""Datasets to measure on, each with its folder layout in its module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_piclick.eval.datasets.brats import TARGETS, BraTS
from napari_piclick.eval.datasets.dataset import Dataset, DatasetError, Sample
from napari_piclick.eval.datasets.folder import Folder
from napari_piclick.eval.datasets.sstem import SSTEM

if TYPE_CHECKING:
    import os

__all__ = [
    "DATASETS",
    "SSTEM",
    "TARGETS",
    "BraTS",
    "Dataset",
    "DatasetError",
    "Folder",
    "Sample",
    "open_dataset",
]

#: Datasets by name.
DATASETS: dict[str, type[SSTEM] | type[Folder] | type[BraTS]] = {
    kind.name: kind for kind in (SSTEM, Folder, BraTS)
}


def open_dataset(name: str, folder: str | os.PathLike[str], target: str | None = None) -> Dataset:
    """Open a dataset by name.

    Parameters
    ----------
    name : a key of ``DATASETS``.
    folder : where its files are.
    target : which objects of a dataset that offers several (only ``brats`` does).

    Raises
    ------
    DatasetError
        If there is no such dataset or target, or a file is missing or does not fit.
    """
    if name not in DATASETS:
        raise DatasetError(f"There are the datasets {', '.join(DATASETS)}, but not {name!r}.")
    if name == BraTS.name:
        return BraTS(folder) if target is None else BraTS(folder, target)
    if target is not None:
        raise DatasetError(f"Only the dataset brats has targets to choose; {name} has none.")
    return DATASETS[name](folder)
