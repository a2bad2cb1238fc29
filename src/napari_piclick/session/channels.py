"""Channels: up to three grey volumes seen as one volume in colour.

A model takes colour pictures. What one modality of an MRI does not show may be plain in another,
so that T1, T2 and FLAIR shown as red, green and blue say more than each of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_piclick.predict.intensity import to_rgb

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from napari_piclick.predict.intensity import Window


@dataclass(frozen=True, eq=False)
class Channels:
    """What a model is shown instead of an image.

    Parameters
    ----------
    key : hashable
        Tells which channels they are, seen through which windows.
    volume : ColorVolume
        As large as the image, with a last axis of colours.
    """

    key: Hashable
    volume: ColorVolume


class OneChannel:
    """An image with an axis of channels that shows one of them at every index of that axis.

    Parameters
    ----------
    volume : array-like
    axis : int
        The axis of the channels.
    channel : int
    """

    def __init__(self, volume: Any, axis: int, channel: int) -> None:
        if not 0 <= channel < volume.shape[axis]:
            raise ValueError(f"There is no channel {channel} among {volume.shape[axis]}.")
        self._volume = volume
        self._axis = axis
        self._channel = channel
        self.shape: tuple[int, ...] = tuple(volume.shape)
        self.ndim = len(self.shape)
        self.dtype = volume.dtype

    def __getitem__(self, key: Any) -> np.ndarray:
        key = key if isinstance(key, tuple) else (key,)
        key = (*key, *(slice(None),) * (self.ndim - len(key)))
        place = key[self._axis]
        if not isinstance(place, slice):
            return np.asarray(
                self._volume[(*key[: self._axis], self._channel, *key[self._axis + 1 :])]
            )
        count = len(range(*place.indices(self.shape[self._axis])))
        # a slice keeps its axis: read the channel once, and show it at each index
        one = slice(self._channel, self._channel + 1)
        read = np.asarray(self._volume[(*key[: self._axis], one, *key[self._axis + 1 :])])
        kept = sum(isinstance(part, slice) for part in key[: self._axis])
        return np.repeat(read, count, axis=kept)


class ColorVolume:
    """Grey volumes of one shape as the red, green and blue of a colour volume, read when indexed.

    Parameters
    ----------
    volumes : one to three array-likes of the same shape
        NumPy, dask, zarr, a memory map. One is shown in grey; of two, the first is red and the
        second green and blue.
    windows : (low, high) for each
        Values seen as black and white.

    Attributes
    ----------
    shape : (..., 3)
    dtype : uint8

    Raises
    ------
    ValueError
        If their number or their shapes do not fit.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, volumes: Sequence[Any], windows: Sequence[Window]) -> None:
        if not 1 <= len(volumes) <= 3 or len(volumes) != len(windows):
            raise ValueError(
                f"One to three channels can be shown, each through a window, but there are "
                f"{len(volumes)} channels and {len(windows)} windows."
            )
        shapes = {tuple(volume.shape) for volume in volumes}
        if len(shapes) > 1:
            raise ValueError(
                f"The channels have the shapes {', '.join(map(str, sorted(shapes)))}; choose some "
                "of the same shape."
            )
        self._volumes = list(volumes)
        self._windows = list(windows)
        while len(self._volumes) < 3:
            self._volumes.append(self._volumes[-1])
            self._windows.append(self._windows[-1])
        self.shape: tuple[int, ...] = (*shapes.pop(), 3)
        self.ndim = len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> np.ndarray:
        key = key if isinstance(key, tuple) else (key,)
        if Ellipsis in key:
            place = key.index(Ellipsis)
            missing = self.ndim - (len(key) - 1)
            key = (*key[:place], *(slice(None),) * missing, *key[place + 1 :])
        space, colors = key[: self.ndim - 1], key[self.ndim - 1 :]
        read: dict[int, np.ndarray] = {}
        channels = []
        for volume, window in zip(self._volumes, self._windows, strict=True):
            if id(volume) not in read:
                read[id(volume)] = _seen(np.asarray(volume[space]), window)
            channels.append(read[id(volume)])
        stacked = np.stack(channels, axis=-1)
        return stacked[(..., *colors)] if colors else stacked

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        values = self[...]
        return values if dtype is None else values.astype(dtype)


def _seen(values: np.ndarray, window: Window) -> np.ndarray:
    """Values through their window, as uint8 of the same shape."""
    flat = to_rgb(values.reshape(1, -1), window)[..., 0]
    return flat.round().astype(np.uint8).reshape(values.shape)
