"""Rough masks: what a user brings from elsewhere, such as a neighbouring slice or another tool."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

#: Rough masks are made on a grid of at most this many pixels, which is as fine as they need be.
GRID = 128


def roughen(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Move, grow, shrink and dent a mask.

    Parameters
    ----------
    mask : (H, W) bool, not empty
    rng : numpy Generator

    Returns
    -------
    (h, w) bool
        At every ``ceil(max(H, W) / 128)``-th pixel.
    """
    step = -(-max(mask.shape) // GRID)
    small = mask[::step, ::step]
    if not small.any():
        return small.copy()
    depth = distance_transform_edt(small) - distance_transform_edt(~small)
    size = np.sqrt(small.sum())
    noise = gaussian_filter(rng.normal(size=small.shape), max(1.0, size / 6))
    noise *= rng.uniform(0, 0.25) * size / max(float(noise.std()), 1e-9)
    shift = rng.normal(0, 0.08 * size, 2).round().astype(int)
    return np.roll(depth + noise + rng.normal(0, 0.06) * size, tuple(shift), (0, 1)) > 0
