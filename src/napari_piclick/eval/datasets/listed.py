"""Datasets whose images are named by a list in a text file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_piclick.eval.datasets.dataset import DatasetError

if TYPE_CHECKING:
    import os


def read_names(folder: str | os.PathLike[str], listing: str) -> tuple[Path, list[str]]:
    """The folder, and the names in its list, one in a line.

    Raises
    ------
    DatasetError
        If there is no such folder or list, or the list is empty.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DatasetError(f"There is no folder {folder}.")
    path = folder / listing
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"The list of images {path} cannot be read: {error}.") from error
    names = [line.strip() for line in lines if line.strip()]
    if not names:
        raise DatasetError(f"The list {path} names no image.")
    return folder, names


def required(path: Path, what: str, name: str) -> Path:
    """The path of a file that must be there.

    Raises
    ------
    DatasetError
        If it is not.
    """
    if not path.is_file():
        raise DatasetError(f"The {what} of {name}, {path}, is missing.")
    return path
