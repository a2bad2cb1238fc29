"""Smooth noise: the raw material of synthetic shapes, textures and shading."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def smooth_noise(shape: tuple[int, int], scale: float, rng: np.random.Generator) -> np.ndarray:
    """A random field of smooth hills: a cubic B-spline with random coefficients.

    Parameters
    ----------
    shape : (height, width).
    scale : typical size of its hills, in pixels; below 2 the field is white noise.

    Returns
    -------
    (height, width) float32 with mean near 0 and standard deviation near 1 (over many draws;
    a field whose hills are as large as the picture keeps its own mean).
    """
    if scale < 2:
        return rng.standard_normal(shape, dtype=np.float32)
    cell = scale / 2
    start = rng.uniform(0, 1, 2)
    rows, cols = (
        _spline_weights(side, cell, float(first)) for side, first in zip(shape, start, strict=True)
    )
    coefficients = rng.standard_normal((rows.shape[1], cols.shape[1]), dtype=np.float32)
    return rows @ coefficients @ cols.T


def _spline_weights(side: int, cell: float, start: float) -> np.ndarray:
    """(side, knots) float32: weights of cubic B-spline coefficients in each pixel.

    Scaled so that coefficients of variance 1 give values of variance 1 on average.
    """
    position = start + np.arange(side) / cell
    first = np.floor(position).astype(int)
    t = position - first
    near = np.stack(
        [
            (1 - t) ** 3,
            3 * t**3 - 6 * t**2 + 4,
            -3 * t**3 + 3 * t**2 + 3 * t + 1,
            t**3,
        ],
        axis=1,
    )
    near *= 1 / 6 / np.sqrt(0.4794)  # the mean of the sum of the squared weights
    weights = np.zeros((side, first[-1] + 4), np.float32)
    weights[np.arange(side)[:, None], first[:, None] + np.arange(4)] = near
    return weights


def fractal_noise(
    shape: tuple[int, int],
    scale: float,
    rng: np.random.Generator,
    *,
    octaves: int = 3,
    roughness: float = 0.5,
) -> np.ndarray:
    """Smooth noise with finer and weaker hills on top; each octave halves the scale.

    Returns
    -------
    (height, width) float32, standard deviation near 1.
    """
    weights = roughness ** np.arange(octaves)
    fields = [
        np.float32(weight) * smooth_noise(shape, scale / 2**octave, rng)
        for octave, weight in enumerate(weights)
    ]
    return np.asarray(sum(fields) / np.sqrt((weights**2).sum()), np.float32)


def warp(
    fields: list[np.ndarray], size: float, scale: float, rng: np.random.Generator
) -> list[np.ndarray]:
    """Bend pictures of the same shape in the same random way.

    Parameters
    ----------
    fields : (H, W) arrays. Floating point ones are interpolated, others by nearest neighbour.
    size : typical displacement in pixels.
    scale : size of the bends in pixels.
    """
    shape = fields[0].shape
    where = np.indices(shape, np.float32)
    where += np.float32(size) * np.stack([smooth_noise(shape, scale, rng) for _ in range(2)])
    return [
        ndimage.map_coordinates(field, where, order=int(field.dtype.kind == "f"), mode="nearest")
        for field in fields
    ]
