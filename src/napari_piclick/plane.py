"""The plane: one 2D plane of an nD image, and the way between its three coordinate systems.

A plane's own coordinates are (row, col) in pixels. Those of the volume it is cut from
are the indices of the data, one for each axis. Those of the world are what the user
measures in: micrometres, millimetres.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import ArrayLike

    from napari_piclick.region import Region

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Plane:
    """Which 2D plane of which nD volume.

    Parameters
    ----------
    volume_shape : tuple of int
        Size of the volume in voxels, colour channels left out.
    displayed : (row_axis, col_axis)
        The axes of the volume that run down and across the plane.
    index : tuple of int
        The index along each other axis, in the order of the axes.
    rgb : bool
        Whether the volume has a last axis more, of 3 or 4 colour channels.
    affine : nested tuple of float, optional
        (ndim + 1, ndim + 1) homogeneous matrix from volume to world coordinates;
        None for the identity. Two planes that differ in it alone hold the same pixels,
        so it plays no part in comparisons.

    Raises
    ------
    ValueError
        If the axes or the index do not fit the volume.
    """

    volume_shape: tuple[int, ...]
    displayed: tuple[int, int]
    index: tuple[int, ...] = ()
    rgb: bool = False
    affine: Matrix | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        rows, cols = self.displayed
        if rows == cols or not {rows, cols} <= set(range(self.ndim)):
            raise ValueError(
                f"A plane needs two axes of its {self.ndim}D image, but got {rows} and {cols}."
            )
        limits = [self.volume_shape[axis] for axis in self.hidden]
        if len(self.index) != len(limits) or not all(
            0 <= i < n for i, n in zip(self.index, limits, strict=True)
        ):
            raise ValueError(
                f"There is no plane {self.index} in an image of {self.volume_shape} pixels."
            )

    @property
    def ndim(self) -> int:
        """Number of axes of the volume, colour channels left out."""
        return len(self.volume_shape)

    @property
    def hidden(self) -> tuple[int, ...]:
        """The axes that are not displayed, in increasing order."""
        return tuple(axis for axis in range(self.ndim) if axis not in self.displayed)

    def position(self, axis: int) -> int:
        """The index along an axis that is not displayed."""
        return self.index[self.hidden.index(axis)]

    def at(self, axis: int, position: int) -> Plane:
        """The plane parallel to this one with another index along an axis."""
        place = self.hidden.index(axis)
        return replace(self, index=(*self.index[:place], position, *self.index[place + 1 :]))

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.volume_shape[self.displayed[0]], self.volume_shape[self.displayed[1]]

    @property
    def key(self) -> Hashable:
        """What tells this plane from every other plane of the same volume."""
        return self.displayed, self.index

    # -- plane <-> volume -----------------------------------------------------------------

    def to_volume(self, points: ArrayLike) -> np.ndarray:
        """(..., 2) plane coordinates as (..., ndim) float volume coordinates."""
        points = np.asarray(points, dtype=float)
        volume = np.empty((*points.shape[:-1], self.ndim))
        volume[..., list(self.displayed)] = points
        volume[..., list(self.hidden)] = self.index
        return volume

    def from_volume(self, points: ArrayLike) -> np.ndarray:
        """(..., ndim) volume coordinates projected to (..., 2) plane coordinates."""
        return np.asarray(points, dtype=float)[..., list(self.displayed)]

    # -- plane <-> world ------------------------------------------------------------------

    def to_world(self, points: ArrayLike) -> np.ndarray:
        """(..., 2) plane coordinates as (..., ndim) world coordinates."""
        volume = self.to_volume(points)
        return volume @ self._matrix[:-1, :-1].T + self._matrix[:-1, -1]

    def from_world(self, points: ArrayLike) -> np.ndarray:
        """(..., ndim) world coordinates projected to (..., 2) plane coordinates.

        Raises
        ------
        numpy.linalg.LinAlgError
            If the affine matrix has no inverse.
        """
        inverse = np.linalg.inv(self._matrix)
        return self.from_volume(np.asarray(points, float) @ inverse[:-1, :-1].T + inverse[:-1, -1])

    @cached_property
    def voxel_size(self) -> tuple[float, ...]:
        """Length of one voxel of the volume along each axis, in world units."""
        return tuple(np.linalg.norm(self._matrix[:-1, :-1], axis=0).tolist())

    @cached_property
    def spacing(self) -> tuple[float, float]:
        """(height, width) of one pixel in world units."""
        return self.voxel_size[self.displayed[0]], self.voxel_size[self.displayed[1]]

    @cached_property
    def flipped(self) -> tuple[bool, bool]:
        """Whether rows, and columns, run against their world axis."""
        rows, cols = self.displayed
        return bool(self._matrix[rows, rows] < 0), bool(self._matrix[cols, cols] < 0)

    @cached_property
    def _matrix(self) -> np.ndarray:
        return np.eye(self.ndim + 1) if self.affine is None else np.array(self.affine)

    # -- pixels ---------------------------------------------------------------------------

    def cut(self, volume: Any) -> PlanePixels:
        """The pixels of this plane in a volume, read when they are asked for.

        Parameters
        ----------
        volume : array-like of shape ``volume_shape``, with a channel axis if ``rgb``
            NumPy, dask, zarr, a memory map: whatever can be sliced.
        """
        return PlanePixels(volume, self)

    def voxels(self, mask: np.ndarray, region: Region | None = None) -> tuple[np.ndarray, ...]:
        """The indices in the volume of the pixels of a mask, for fancy indexing.

        Parameters
        ----------
        mask : (h, w) bool, on the pixels of ``region`` (by default the whole plane).

        Returns
        -------
        A tuple of ``ndim`` integer arrays, as long as the mask has True pixels.
        """
        rows, cols = np.nonzero(mask)
        start = (region.row0, region.col0) if region else (0, 0)
        indices = [np.empty(0, int)] * self.ndim
        indices[self.displayed[0]] = rows + start[0]
        indices[self.displayed[1]] = cols + start[1]
        for axis, position in zip(self.hidden, self.index, strict=True):
            indices[axis] = np.full(rows.shape, position)
        return tuple(indices)

    def window(self, region: Region) -> tuple[slice, ...]:
        """The index in the volume of a region of this plane, one voxel thick."""
        slices = [slice(0, 0)] * self.ndim
        slices[self.displayed[0]], slices[self.displayed[1]] = region.slices
        for axis, position in zip(self.hidden, self.index, strict=True):
            slices[axis] = slice(position, position + 1)
        return tuple(slices)

    def as_slab(self, values: np.ndarray) -> np.ndarray:
        """An (h, w) array in the axis order of the volume, one voxel thick."""
        ordered = values if self.displayed[0] < self.displayed[1] else values.T
        return np.expand_dims(ordered, self.hidden)


class PlanePixels:
    """The pixels of one plane as an array that reads only what is indexed.

    ``pixels[row0:row1, col0:col1]`` reads that rectangle; ``numpy.asarray(pixels)`` reads
    the whole plane. Complex values come out as their magnitude.

    Attributes
    ----------
    shape : (H, W) or (H, W, C)
    dtype : numpy.dtype
    """

    def __init__(self, volume: Any, plane: Plane) -> None:
        channels = tuple(volume.shape[plane.ndim :])
        if tuple(volume.shape[: plane.ndim]) != plane.volume_shape or bool(channels) != plane.rgb:
            raise ValueError(
                f"The image has {tuple(volume.shape)} pixels, the plane was cut from "
                f"{plane.volume_shape}."
            )
        self._volume = volume
        self._plane = plane
        self.shape: tuple[int, ...] = (*plane.shape, *channels)
        dtype = np.dtype(volume.dtype)
        self.dtype = np.empty(0, dtype).real.dtype if dtype.kind == "c" else dtype

    @property
    def ndim(self) -> int:
        """2, or 3 with colour channels."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> np.ndarray:
        key = key if isinstance(key, tuple) else (key,)
        if Ellipsis in key or not all(isinstance(part, slice) for part in key):
            return np.asarray(np.asarray(self)[key])
        rows, cols, *channels = (*key, slice(None), slice(None))[: max(len(key), 2)]
        index: list[Any] = [0] * self._plane.ndim
        index[self._plane.displayed[0]], index[self._plane.displayed[1]] = rows, cols
        for axis, position in zip(self._plane.hidden, self._plane.index, strict=True):
            index[axis] = position
        values = np.asarray(self._volume[(*index, *channels)])
        if self._plane.displayed[0] > self._plane.displayed[1]:
            values = values.swapaxes(0, 1)
        return np.abs(values) if np.iscomplexobj(values) else values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        values = self[:, :] if dtype is None else self[:, :].astype(dtype)
        # What may be a view of the volume is copied where somebody will write to it.
        return values.copy() if copy else values
