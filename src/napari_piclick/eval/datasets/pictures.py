"""Pictures and label pictures as files (PNG, BMP, JPEG, TIFF), read as their pixels are stored."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
import tifffile
from PIL import Image

from napari_piclick.eval.datasets.dataset import DatasetError

if TYPE_CHECKING:
    from pathlib import Path

TIFF_SUFFIXES = frozenset({".tif", ".tiff"})
JPEG_SUFFIXES = frozenset({".jpg", ".jpeg"})
PICTURE_SUFFIXES = TIFF_SUFFIXES | JPEG_SUFFIXES | {".png", ".bmp"}

#: Pillow's modes that are pixel values as they are; others (palettes, CMYK ...) are converted.
_PLAIN_MODES = frozenset({"1", "L", "I", "I;16", "I;16B", "I;16L", "F", "RGB", "RGBA"})

# What Pillow and tifffile raise for files that are damaged or no pictures at all.
_UNREADABLE = (
    OSError, ValueError, SyntaxError, EOFError, IndexError, struct.error, zlib.error,
    Image.DecompressionBombError,
)  # fmt: skip


def list_pictures(
    folder: Path, suffixes: frozenset[str] = PICTURE_SUFFIXES, *, required: bool = True
) -> dict[str, Path]:
    """The pictures of a folder by stem, sorted by name.

    Raises
    ------
    DatasetError
        If the folder is not there, if it holds no picture (and one is ``required``), or if two
        pictures share a stem.
    """
    if not folder.is_dir():
        raise DatasetError(f"There is no folder {folder}.")
    pictures: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in suffixes or path.name.startswith("."):
            continue
        if path.stem in pictures:
            raise DatasetError(
                f"{pictures[path.stem]} and {path.name} share a name; keep one of them."
            )
        pictures[path.stem] = path
    if required and not pictures:
        kinds = ", ".join(sorted(suffixes))
        raise DatasetError(f"The folder {folder} holds no pictures ({kinds}).")
    return pictures


def picture_size(path: Path) -> tuple[int, int]:
    """(height, width) of a picture, from its header alone.

    Raises
    ------
    DatasetError
        If the file cannot be read.
    """
    try:
        if path.suffix.lower() in TIFF_SUFFIXES:
            with tifffile.TiffFile(path) as tiff:
                page = tiff.pages.first
                return int(page.imagelength), int(page.imagewidth)
        with Image.open(path) as picture:
            return picture.height, picture.width
    except _UNREADABLE as error:
        raise DatasetError(f"{path} cannot be read as a picture: {error}") from error


def check_sizes(image: Path, labels: Path) -> None:
    """Make sure that an image and its label picture have the same size.

    Raises
    ------
    DatasetError
        If they differ, or a file cannot be read.
    """
    image_size, labels_size = picture_size(image), picture_size(labels)
    if image_size != labels_size:
        raise DatasetError(
            f"{labels} has {labels_size[0]} x {labels_size[1]} pixels, but its image "
            f"{image.name} has {image_size[0]} x {image_size[1]}."
        )


def read_picture(path: Path) -> np.ndarray:
    """Read a picture, (H, W) or (H, W, 3|4), in its own dtype.

    Raises
    ------
    DatasetError
        If the file cannot be read or is not a single 2D picture.
    """
    pixels = _read(path, keep_palette=False)
    if pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4)):
        return pixels
    raise DatasetError(f"{path} must be one gray or RGB picture, but its shape is {pixels.shape}.")


def read_labels(path: Path) -> np.ndarray:
    """Read a label picture, (H, W), integer or bool; of a palette picture, the indices.

    A picture of several channels will do if all of them (alpha aside) are the same.

    Raises
    ------
    DatasetError
        If the file cannot be read or holds no single integer per pixel.
    """
    pixels = _read(path, keep_palette=True)
    if pixels.ndim == 3 and pixels.shape[2] in (3, 4):
        first, second, third = (pixels[..., channel] for channel in range(3))
        if not (np.array_equal(first, second) and np.array_equal(first, third)):
            raise DatasetError(f"{path} is a colour picture; labels need one value per pixel.")
        pixels = first
    if pixels.ndim != 2 or pixels.dtype.kind not in "biu":
        raise DatasetError(
            f"{path} must hold one integer per pixel, but it is {pixels.dtype} of shape "
            f"{pixels.shape}."
        )
    return pixels


def _read(path: Path, *, keep_palette: bool) -> np.ndarray:
    try:
        if path.suffix.lower() in TIFF_SUFFIXES:
            return tifffile.imread(path)
        with Image.open(path) as picture:
            if picture.mode in _PLAIN_MODES or (keep_palette and picture.mode == "P"):
                return np.asarray(picture)
            return np.asarray(picture.convert("L" if picture.mode == "LA" else "RGB"))
    except _UNREADABLE as error:
        raise DatasetError(f"{path} cannot be read as a picture: {error}") from error
