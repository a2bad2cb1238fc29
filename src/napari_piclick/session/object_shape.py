"""The shape of an object: its largest part, its holes, its outline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Sequence


def largest_part(mask: np.ndarray) -> np.ndarray:
    """The largest part of a bool mask of any dimension whose voxels touch by their faces."""
    parts, count = ndimage.label(mask)
    if count <= 1:
        return mask
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    largest: np.ndarray = parts == sizes.argmax()
    return largest


def filled(mask: np.ndarray) -> np.ndarray:
    """A bool mask with its holes filled: what cannot be reached from outside."""
    full: np.ndarray = ndimage.binary_fill_holes(mask)
    return full


def smoothed(mask: np.ndarray, spacing: Sequence[float] | None = None) -> np.ndarray:
    """A bool mask with a smoother outline.

    Parameters
    ----------
    mask : bool array
    spacing : sequence of float, optional
        Size of a voxel along each axis. It is smoothed over the same length along all of them,
        one voxel of the smallest spacing, and not across slices if it is on one alone.
    """
    sizes = np.ones(mask.ndim) if spacing is None else np.abs(np.asarray(spacing, float))
    sigma = sizes.min() / sizes
    extent = np.array([len(set(axis.tolist())) for axis in np.nonzero(mask)])
    if (extent > 1).any():
        sigma = np.where(extent == 1, 0, sigma)
    blurred = ndimage.gaussian_filter(mask.astype(np.float32), sigma)
    smooth: np.ndarray = blurred > 0.5
    return smooth
