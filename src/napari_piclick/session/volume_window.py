"""The window of a volume: which values all of its planes show as black and white.

Planes that are seen each through a window of their own flicker, and a dark slice at the rim of an
organ looks as bright as one in its middle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_piclick.predict.intensity import robust_window

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from napari_piclick.predict.intensity import Window

#: So many planes tell the window of a volume.
SAMPLED = 9
#: A lowest value that so large a share of the pixels have is the ground, and does not count.
GROUND = 0.25


def window_of(planes: Iterable[Any]) -> Window | None:
    """The window for planes: robust percentiles of what is not ground; None if all is even.

    Parameters
    ----------
    planes : iterable of array-likes
    """
    values = np.concatenate([np.asarray(plane).ravel() for plane in planes])
    ground = values == values.min()
    rest = values[~ground]
    if ground.mean() > GROUND and rest.size and rest.min() < rest.max():
        values = rest
    low, high = robust_window(values[:, None])
    return (low, high) if low < high else None


def sample_planes(volume: Any, axis: int) -> Iterator[Any]:
    """A few planes spread evenly along an axis; nothing else of the volume is read."""
    for index in sample_indices(volume.shape[axis]):
        yield volume[(slice(None),) * axis + (index,)]


def sample_indices(count: int) -> list[int]:
    """A few of ``count`` indices, spread evenly, the first and the last among them."""
    indices: list[int] = np.unique(np.linspace(0, count - 1, SAMPLED).round().astype(int)).tolist()
    return indices
