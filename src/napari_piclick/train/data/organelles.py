"""Organelles of labelled neurons: the dark bodies inside them, found by threshold.

The neurons of the fly medulla are labelled, their mitochondria are not; but in this volume
they are simply the dark, compact bodies of each neuron. So a threshold in 3D gives targets of
real electron micrographs that lie inside other targets.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

SMALLEST = 800
"""Bodies with fewer voxels are vesicles or specks of membrane."""


def dark_organelles(image: np.ndarray, neurons: np.ndarray) -> np.ndarray:
    """Label the dark bodies inside labelled neurons.

    Parameters
    ----------
    image : (Z, Y, X) uint8.
    neurons : (Z, Y, X) label map.

    Returns
    -------
    (Z, Y, X) uint16, each body one label; none reaches beyond its neuron.
    """
    smooth = ndimage.gaussian_filter(image.astype(np.float32), 2)
    membrane = _borders(neurons)
    inside = (neurons > 0) & ~ndimage.binary_dilation(membrane)
    numbers = np.arange(int(neurons.max()) + 1)
    typical = np.nan_to_num(ndimage.median(smooth[inside], neurons[inside], numbers))[neurons]
    seed = inside & (smooth < 95) & (smooth < 0.75 * typical)
    seed = ndimage.binary_opening(seed, iterations=3)
    # from the surely dark middle outwards, but not along the membranes, which are dark too
    body = (neurons > 0) & (smooth < 112) & (smooth < 0.84 * typical)
    body &= ~(membrane & (smooth > 90))
    body = ndimage.binary_opening(body, iterations=2) | seed
    body = ndimage.binary_propagation(seed, mask=body)
    body = ndimage.binary_closing(body, iterations=2) & (neurons > 0)
    ball = ndimage.iterate_structure(ndimage.generate_binary_structure(3, 1), 3)
    body = ndimage.binary_opening(body, ball)
    # bodies of two neurons may touch across a membrane: one label each
    labels, _ = ndimage.label(body & ~membrane)
    sizes = np.bincount(labels.ravel())
    kept = sizes >= SMALLEST
    kept[0] = False
    renumbered = np.where(kept, np.cumsum(kept), 0).astype(np.uint16)
    return np.asarray(renumbered[labels])


def _borders(labels: np.ndarray) -> np.ndarray:
    """Voxels with another label next to them, along any axis."""
    borders = np.zeros(labels.shape, bool)
    for axis in range(labels.ndim):
        first = [slice(None)] * labels.ndim
        second = list(first)
        first[axis], second[axis] = slice(None, -1), slice(1, None)
        differ = labels[tuple(first)] != labels[tuple(second)]
        borders[tuple(first)] |= differ
        borders[tuple(second)] |= differ
    return borders
