"""What napari calls to open files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_piclick.io.volume import LayerData

Paths = str | Path | list[str]


def get_reader(path: Paths) -> Callable[[Paths], list[LayerData]] | None:
    """The function that reads a path, or None if it is not one for us."""
    from napari_piclick.io.volumes import can_read

    return read if all(can_read(one) for one in _paths(path)) else None


def read(path: Paths) -> list[LayerData]:
    """The layers of one or more files, or of a folder with DICOM series.

    Raises
    ------
    VolumeError
        If one cannot be read; the message says why, and what to do.
    """
    from napari_piclick.io.volumes import read_volumes

    return [volume.layer_data() for one in _paths(path) for volume in read_volumes(one)]


def _paths(path: Paths) -> Sequence[Path]:
    return [Path(one) for one in (path if isinstance(path, list) else [path])]
