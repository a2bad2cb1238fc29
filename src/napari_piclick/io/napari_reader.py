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
    """The layers of a file, or of a folder; several TIFF files of one slice each are a stack.

    Raises
    ------
    VolumeError
        If one cannot be read; the message says why, and what to do.
    """
    from napari_piclick.io.volumes import TIFF, ending, read_volumes

    paths = _paths(path)
    if len(paths) > 1 and all(ending(one) in TIFF for one in paths):  # "Open Files as Stack"
        from napari_piclick.io.slices import read_slices

        return [read_slices(paths, paths[0].parent.name or paths[0].stem).layer_data()]
    return [volume.layer_data() for one in paths for volume in read_volumes(one)]


def _paths(path: Paths) -> Sequence[Path]:
    return [Path(one) for one in (path if isinstance(path, list) else [path])]
