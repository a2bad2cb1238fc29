"""Discovery: which source reads a folder of pictures or volumes."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from napari_piclick.train.data.folder import FolderSource
from napari_piclick.train.data.labels import LabelKind
from napari_piclick.train.data.split import divide
from napari_piclick.train.data.volumes import VolumeSource, read_volume

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

VOLUME_ENDINGS = (".nii.gz", ".nii")
STACK_ENDINGS = (".tif", ".tiff")


def source_of(
    folder: Path,
    *,
    split: str = "all",
    upright: bool = False,
    mergeable: bool = True,
    superpixels: bool = True,
) -> FolderSource | VolumeSource:
    """The source for a folder that holds ``images`` and ``labels`` (or ``masks``).

    NIfTI files and 3D TIFF stacks, in ``images`` and under the same name in ``labels``, are
    read as volumes, anything else as pictures. ``targets.json`` may list unions of labels.

    Parameters
    ----------
    split : ``"train"``, ``"validation"`` or ``"all"``; pictures and volumes are divided by
        name; a single one is in every split.

    Raises
    ------
    FileNotFoundError
        If there is nothing to read.
    """
    volumes = _volumes(folder / "images")
    if not volumes:
        return FolderSource(
            folder, split=split, upright=upright, mergeable=mergeable, superpixels=superpixels
        )
    chosen = set(divide([_stem(file) for file in volumes], split))
    targets = folder / "targets.json"
    unions = json.loads(targets.read_text(encoding="utf-8")) if targets.exists() else {}
    readers = []
    for file in volumes:
        if _stem(file) not in chosen:
            continue
        labels = folder / "labels" / file.name
        if not labels.exists():
            raise FileNotFoundError(f"{file} has no labels: expected {labels}.")
        listed = unions.get(_stem(file), unions.get("*"))
        kind = LabelKind(
            unions=None if listed is None else tuple(map(tuple, listed)), mergeable=mergeable
        )
        readers.append(partial(read_volume, file, labels, kind))
    return VolumeSource(folder.name, readers, superpixels=superpixels)


def _volumes(folder: Path) -> Sequence[Path]:
    files = sorted(folder.glob("*"))
    found = [file for file in files if file.name.lower().endswith(VOLUME_ENDINGS)]
    return found or [file for file in files if _is_stack(file)]


def _is_stack(file: Path) -> bool:
    """Whether a TIFF file holds a volume rather than one picture, grey or in colour."""
    if file.suffix.lower() not in STACK_ENDINGS:
        return False
    import tifffile

    with tifffile.TiffFile(file) as tiff:
        series = tiff.series[0]
        return len(series.shape) == 3 and "S" not in series.axes


def _stem(file: Path) -> str:
    name = file.name
    for ending in (*VOLUME_ENDINGS, *STACK_ENDINGS):
        name = name.removesuffix(ending)
    return name
