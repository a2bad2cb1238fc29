"""Datasets to measure on, each with its folder layout in its module."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_piclick.eval.datasets.berkeley import Berkeley
from napari_piclick.eval.datasets.brats import TARGETS, BraTS
from napari_piclick.eval.datasets.brats_pictures import BraTSPictures
from napari_piclick.eval.datasets.coco_mval import COCOMVal
from napari_piclick.eval.datasets.dataset import Dataset, DatasetError, Sample, VolumeSample
from napari_piclick.eval.datasets.davis import DAVIS
from napari_piclick.eval.datasets.folder import Folder
from napari_piclick.eval.datasets.grabcut import GrabCut
from napari_piclick.eval.datasets.oaizib import OAIZIB
from napari_piclick.eval.datasets.oaizib_pictures import OAIZIBPictures
from napari_piclick.eval.datasets.pascal_voc import PascalVOC
from napari_piclick.eval.datasets.sbd import SBD
from napari_piclick.eval.datasets.sstem import SSTEM
from napari_piclick.eval.datasets.volume_folder import VolumeFolder

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

__all__ = [
    "DATASETS",
    "DAVIS",
    "OAIZIB",
    "SBD",
    "SSTEM",
    "TARGETS",
    "Berkeley",
    "BraTS",
    "BraTSPictures",
    "COCOMVal",
    "Dataset",
    "DatasetError",
    "Folder",
    "GrabCut",
    "OAIZIBPictures",
    "PascalVOC",
    "Sample",
    "VolumeFolder",
    "VolumeSample",
    "open_dataset",
]

#: Datasets by name.
DATASETS: dict[str, Callable[[str | os.PathLike[str]], Dataset]] = {
    kind.name: kind
    for kind in (
        SSTEM, Folder, VolumeFolder, BraTS, BraTSPictures, OAIZIB, OAIZIBPictures,
        GrabCut, Berkeley, DAVIS, PascalVOC, SBD, COCOMVal,
    )
}  # fmt: skip

#: Of datasets that come as volumes or as published pictures: the folder that tells the pictures.
_PICTURES = {
    BraTS.name: (BraTSPictures.images_folder, BraTSPictures.name),
    OAIZIB.name: (OAIZIBPictures.images_folder, OAIZIBPictures.name),
}


def open_dataset(name: str, folder: str | os.PathLike[str], target: str | None = None) -> Dataset:
    """Open a dataset by name.

    Parameters
    ----------
    name : a key of ``DATASETS``. ``brats`` and ``oaizib`` are taken for ``brats-png`` and
        ``oaizib-png`` where the folder holds the published pictures.
    folder : where its files are.
    target : which objects of a dataset that offers several (only ``brats`` does).

    Raises
    ------
    DatasetError
        If there is no such dataset or target, or a file is missing or does not fit.
    """
    if name not in DATASETS:
        raise DatasetError(f"There are the datasets {', '.join(DATASETS)}, but not {name!r}.")
    images, pictures = _PICTURES.get(name, ("", name))
    if images and (Path(folder) / images).is_dir():
        name = pictures
    if name == BraTS.name:
        return BraTS(folder) if target is None else BraTS(folder, target)
    if target is not None:
        raise DatasetError(f"Only the volumes of brats have targets to choose; {name} has none.")
    return DATASETS[name](folder)
