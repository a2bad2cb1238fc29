"""The pixels of TIFF files: mapped, or decoded where they are looked at, or read at once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from napari_piclick.io.volume import READ_AT_ONCE

if TYPE_CHECKING:
    from pathlib import Path

#: Large images are cut into blocks of about so many pixels along an axis of their planes.
BLOCK = 1024


class CompressionError(ValueError):
    """A file is compressed in a way that cannot be read here."""


def read_pixels(path: Path, series: Any, *, lazy: bool = False) -> Any:
    """The pixels of a series of tifffile, or of one level of it.

    A memory map where they lie in the file as they are; if they are many, a dask array that
    decodes what is looked at; else an array.

    Parameters
    ----------
    path : Path
    series : tifffile.TiffPageSeries
        Of a file that is open.
    lazy : bool
        Not to read it at once even if it is small: a level of a pyramid.

    Raises
    ------
    CompressionError
        If there is no codec for it.
    ValueError, OSError
        If the file is damaged.
    """
    key = series.keyframe
    if series.dataoffset is not None and not key.is_tiled:
        if series.dataoffset + series.nbytes > path.stat().st_size:
            raise ValueError("the file ends before its pixels do")
        dtype = np.dtype(series.parent.byteorder + series.dtype.char)
        return np.memmap(path, dtype, "r", series.dataoffset, tuple(series.shape))
    large = lazy or series.nbytes > READ_AT_ONCE
    try:
        if not large or not _in_segments(series):
            return series.asarray()
        return _lazy(DecodedPages(path, series))
    except (ValueError, ImportError) as error:
        if "imagecodecs" not in str(error):
            raise
        return _by_pillow(path, series, large=large)


def _in_segments(series: Any) -> bool:
    """Whether the planes of a series are pages that are cut into tiles or strips of rows."""
    key = series.keyframe
    page = tuple(key.shape)
    leading = series.shape[: len(series.shape) - len(page)]
    return (
        tuple(series.shape[len(leading) :]) == page
        and len(series.pages) == np.prod(leading, dtype=int)
        and all(part is not None for part in series.pages)
        and key.imagedepth == 1
        and (len(page) == 2 or (len(page) == 3 and page[-1] == key.samplesperpixel))
    )


class DecodedPages:
    """The pages of a series, of which only those segments are decoded that are indexed.

    Parameters
    ----------
    path : Path
    series : tifffile.TiffPageSeries
        Of a file that is open; it may be closed afterwards.

    Attributes
    ----------
    shape, dtype, ndim
    """

    def __init__(self, path: Path, series: Any) -> None:
        key = series.keyframe
        self.path = path
        self.shape: tuple[int, ...] = tuple(series.shape)
        self.ndim = len(self.shape)
        self.dtype = np.dtype(series.dtype)
        self.page: tuple[int, ...] = tuple(key.shape)
        self.segment: tuple[int, int] = tuple(key.chunks[:2])
        self._decode = key.decode
        self._tables = key.jpegtables
        self._places = [
            np.array([page.dataoffsets, page.databytecounts], np.int64).T for page in series.pages
        ]
        ends = [int(places.sum(axis=1).max(initial=0)) for places in self._places]
        if max(ends, default=0) > path.stat().st_size:
            raise ValueError("the file ends before its pixels do")
        self._read(0, range(1), range(1))  # what cannot be decoded is said now

    def __getitem__(self, key: Any) -> np.ndarray:
        key = key if isinstance(key, tuple) else (key,)
        key = (*key, *(slice(None),) * (self.ndim - len(key)))
        leading = self.shape[: self.ndim - len(self.page)]
        spans = [
            range(size)[part] if isinstance(part, slice) else range(size)[int(part) :][:1]
            for part, size in zip(key, self.shape, strict=True)
        ]
        rows, cols = spans[len(leading) : len(leading) + 2]
        if not leading:
            read = self._read(0, rows, cols)
        else:
            numbers = np.ravel_multi_index(np.ix_(*spans[: len(leading)]), leading)
            planes = [self._read(int(number), rows, cols) for number in numbers.ravel()]
            empty = np.zeros((0, len(rows), len(cols), *self.page[2:]), self.dtype)
            read = np.stack(planes) if planes else empty
            read = read.reshape(*numbers.shape, *read.shape[1:])
        if len(self.page) > 2:
            read = read[..., key[-1] if isinstance(key[-1], slice) else [key[-1]]]
        taken = (slice(None) if isinstance(part, slice) else 0 for part in key)
        return np.asarray(read[tuple(taken)])

    def _read(self, page: int, rows: range, cols: range) -> np.ndarray:
        """(rows, columns, ...) of a page."""
        if not len(rows) or not len(cols):
            return np.zeros((len(rows), len(cols), *self.page[2:]), self.dtype)
        top, left = min(rows[0], rows[-1]), min(cols[0], cols[-1])
        bottom, right = max(rows[0], rows[-1]) + 1, max(cols[0], cols[-1]) + 1
        region = np.zeros((bottom - top, right - left, *self.page[2:]), self.dtype)
        height, width = self.segment
        across = -(-self.page[1] // width)
        with self.path.open("rb") as file:
            for i in range(top // height, -(-bottom // height)):
                for j in range(left // width, -(-right // width)):
                    self._paste(region, file, page, i * across + j, (top, left))
        return region[np.ix_(np.array(rows) - top, np.array(cols) - left)]

    def _paste(
        self, region: np.ndarray, file: Any, page: int, number: int, start: tuple[int, int]
    ) -> None:
        """Decode a segment, and put what of it lies in a region there."""
        offset, count = self._places[page][number]
        if not count:  # a tile that was left out holds nothing
            return
        file.seek(int(offset))
        options = {} if self._tables is None else {"jpegtables": self._tables}
        segment, (_, _, row, col, _), _ = self._decode(file.read(int(count)), number, **options)
        if segment is None:
            return
        pixels = segment[0] if len(self.page) > 2 else segment[0, ..., 0]
        height, width = region.shape[:2]
        row, col = row - start[0], col - start[1]
        low, high = max(row, 0), min(row + pixels.shape[0], height)
        first, last = max(col, 0), min(col + pixels.shape[1], width)
        region[low:high, first:last] = pixels[low - row : high - row, first - col : last - col]


def _lazy(pages: DecodedPages) -> Any:
    import dask.array as da

    blocks = [
        min(size, max(length, BLOCK // length * length))
        for size, length in zip(pages.page[:2], pages.segment, strict=True)
    ]
    chunks = (*(1 for _ in pages.shape[: -len(pages.page)]), *blocks, *pages.page[2:])
    return da.from_array(pages, chunks=chunks, asarray=True)


def _by_pillow(path: Path, series: Any, *, large: bool) -> Any:
    """A series read by Pillow, which knows LZW, JPEG and fax, as tifffile alone does not."""
    key = series.keyframe
    numbers = [page.index for page in series.pages]
    if not all(isinstance(number, int) for number in numbers):  # levels are no pages of their own
        raise CompressionError(key.compression.name)
    try:
        with _ANY_SIZE:
            Image.open(path).close()
    except OSError as error:
        raise CompressionError(key.compression.name) from error
    first = _pillow_page(path, numbers[0])
    if first.shape != tuple(key.shape) or first.dtype.kind != series.dtype.kind:
        raise CompressionError(key.compression.name)
    if not large:
        planes = [first, *(_pillow_page(path, number) for number in numbers[1:])]
        return np.stack(planes).astype(series.dtype, copy=False).reshape(series.shape)
    import dask.array as da
    from dask.delayed import delayed

    read = delayed(_pillow_page, pure=True)
    pages = [da.from_delayed(read(path, k), first.shape, first.dtype) for k in numbers]
    return da.stack(pages).reshape(series.shape)


def _pillow_page(path: Path, number: int) -> np.ndarray:
    with _ANY_SIZE, Image.open(path) as picture:
        picture.seek(number)
        return np.asarray(picture)


class _AnySize:
    """Lifts Pillow's limit of pixels: it refuses what slide scanners take every day.

    The limit is one for all threads, so the last of those that are at it gives it back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._limit: int | None = None

    def __enter__(self) -> None:
        with self._lock:
            if not self._count:
                self._limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            self._count += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._count -= 1
            if not self._count:
                Image.MAX_IMAGE_PIXELS = self._limit


_ANY_SIZE = _AnySize()
