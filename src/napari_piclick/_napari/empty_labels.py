"""Empty labels: an array of zeros that takes memory only where something is written.

NumPy has large arrays made of pages of 2 MB: an object on 30 slices of a volume of 4 GB would take
60 MB of labels, of which most are zeros.
"""

from __future__ import annotations

import mmap
import tempfile
from math import prod

import numpy as np

#: Room for 65535 objects; Fiji and others cannot read label images of 64 bits.
DTYPE = np.uint16
#: Labels of fewer bytes are plain arrays.
LARGE = 2**26


def empty_labels(shape: tuple[int, ...]) -> np.ndarray:
    """Labels of a shape in which there is nothing yet.

    Returns
    -------
    uint16 array
        Where memory cannot hold it, in a file full of holes: that takes no room on the disk
        either, until something is written.
    """
    size = prod(shape) * np.dtype(DTYPE).itemsize
    try:
        if size < LARGE or not hasattr(mmap, "MAP_PRIVATE"):
            return np.zeros(shape, DTYPE)
        return np.frombuffer(_small_pages(size), DTYPE).reshape(shape)
    except (MemoryError, OSError):
        with tempfile.TemporaryFile(prefix="piclick-", suffix=".labels") as file:
            file.truncate(size)
            return np.memmap(file, DTYPE, "r+", shape=shape)


def _small_pages(size: int) -> mmap.mmap:
    """Zeros straight from the system, in pages of the usual size."""
    pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        pages.madvise(mmap.MADV_NOHUGEPAGE)
    return pages
