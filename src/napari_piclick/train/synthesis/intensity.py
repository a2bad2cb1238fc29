"""Intensities: from label maps to pictures (after SynthSeg, Billot et al., 2023)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_piclick.train.log_uniform import log_uniform
from napari_piclick.train.synthesis.noise import fractal_noise, smooth_noise

if TYPE_CHECKING:
    from collections.abc import Sequence


def paint_labels(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Give every label a random brightness and texture.

    Parameters
    ----------
    labels : (H, W) label map; 0 is painted too.

    Returns
    -------
    (H, W) float32, roughly 0..255.
    """
    top = int(labels.max(initial=0)) + 1
    # far enough from one another to be seen, as long as there are not too many
    means = rng.permutation(np.linspace(15, 240, top)) + rng.normal(0, 60 / top, top)
    means = means.astype(np.float32)
    if rng.random() < 0.4:
        means[0] = rng.uniform(0, 25)
    image = means[labels]
    if rng.random() < 0.75:
        roughness = (rng.uniform(0, 1, top) ** 2 * 30).astype(np.float32)
        image += roughness[labels] * texture(labels.shape, rng)
    if rng.random() < 0.5:  # slow drift inside objects
        slow = (rng.uniform(0, 1, top) * 18).astype(np.float32)
        image += slow[labels] * smooth_noise(labels.shape, rng.uniform(40, 150), rng)
    return image


def texture(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A random texture: grains, clouds, spots, stripes or ridges; (H, W) float32, sd about 1."""
    kind = rng.integers(5)
    scale = log_uniform(1.5, 24, rng)
    if kind == 0:
        return fractal_noise(shape, scale, rng, octaves=3, roughness=0.6)
    field = smooth_noise(shape, scale, rng)
    if kind == 1:  # spots
        return 2.5 * (field > rng.uniform(0.6, 1.6)) - np.float32(0.3)
    if kind == 2:  # ridges
        return np.float32(1) - 2 * np.minimum(np.abs(field), 1)
    if kind == 3:  # bent stripes
        angle = rng.uniform(0, np.pi)
        rows, cols = np.ogrid[: shape[0], : shape[1]]
        phase = (np.cos(angle) * rows + np.sin(angle) * cols).astype(np.float32)
        phase *= np.float32(2 * np.pi / max(scale, 4))
        return 1.4 * np.sin(phase + 1.5 * smooth_noise(shape, 4 * scale, rng))
    return field


def blend(image: np.ndarray, layers: Sequence[tuple[np.ndarray, np.ndarray | float]]) -> np.ndarray:
    """Paint layers over a picture, one after the other.

    Parameters
    ----------
    image : (H, W) float32.
    layers : each an opacity (H, W) in 0..1 and a brightness (H, W) or a number.
    """
    for opacity, brightness in layers:
        image = image + opacity * (brightness - image)
    return image


def partial_volume(image: np.ndarray, rng: np.random.Generator, most: float = 1.5) -> np.ndarray:
    """Blur across borders, as of pixels that hold two tissues; now and then along one axis."""
    sigma = rng.uniform(0, most, 2) if rng.random() < 0.3 else np.repeat(rng.uniform(0, most), 2)
    return np.asarray(ndimage.gaussian_filter(image, sigma, truncate=3))


def stretch_to_grey_levels(
    image: np.ndarray, rng: np.random.Generator, *, clipped: float = 0.5
) -> np.ndarray:
    """Map a picture to 0..255 between its low and high percentiles, as viewers do.

    Parameters
    ----------
    clipped : percent of pixels that may clip at either end.
    """
    cut = clipped * rng.uniform(0.1, 1)
    low, high = np.percentile(image[::2, ::2], [cut, 100 - cut])
    scaled = (image - np.float32(low)) * np.float32(255 / max(high - low, 1e-3))
    return np.clip(scaled, 0, 255).astype(np.float32)
