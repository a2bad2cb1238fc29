"""Photometric augmentation: what light, lens, scanner and file format do to a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import fft, ndimage

from napari_piclick.train.synthesis.noise import smooth_noise

if TYPE_CHECKING:
    from collections.abc import Callable


def change_window(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Brightness and contrast, as a person chooses a display window: a little may clip."""
    low, high = np.percentile(image[::4, ::4], [0.5, 99.5])
    span = max(float(high - low), 1.0)
    low, high = low - span * rng.uniform(-0.08, 0.5), high + span * rng.uniform(-0.15, 0.6)
    return np.clip((image - low) * (255 / (high - low)), 0, 255)


def change_gamma(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Gamma between 1/2 and 2."""
    return 255 * (image / 255) ** np.float32(2 ** rng.uniform(-1, 1))


def invert(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Inverted contrast."""
    del rng
    return 255 - image


def add_bias_field(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Smooth multiplicative shading, as of a coil or a lamp, up to about 50 %."""
    shape = image.shape[:2]
    field = smooth_noise(shape, max(shape) / rng.uniform(1, 4), rng)
    shading = np.exp(np.float32(rng.uniform(0.05, 0.3)) * field)
    return image * (shading[..., None] if image.ndim == 3 else shading)


def blur(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Gaussian blur, sigma 0.5 to 2.5 pixels."""
    sigma = rng.uniform(0.5, 1.6) ** 2
    return ndimage.gaussian_filter(image, (sigma, sigma, 0)[: image.ndim], truncate=3)


def sharpen(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Unsharp masking, which scanners and cameras do before anybody sees the picture."""
    soft = ndimage.gaussian_filter(image, (1.5, 1.5, 0)[: image.ndim], truncate=3)
    return image + np.float32(rng.uniform(0.3, 1.5)) * (image - soft)


def lose_resolution(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Coarser sampling along one axis or both, shown enlarged again (anisotropic voxels)."""
    factor = np.ones(image.ndim)
    axes = [(0,), (1,), (0, 1)][rng.integers(3)]
    factor[list(axes)] = rng.uniform(1.5, 4)
    soft = ndimage.gaussian_filter(image, np.where(factor > 1, factor / 2.5, 0), truncate=2.5)
    few = np.maximum(np.rint(np.array(image.shape) / factor), 2)
    few[2:] = image.shape[2:]
    small = ndimage.zoom(soft, few / image.shape, order=1, grid_mode=True, mode="nearest")
    back = np.array(image.shape) / np.array(small.shape)
    return ndimage.zoom(small, back, order=int(rng.random() < 0.8), grid_mode=True, mode="nearest")


def add_noise(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """White or slightly correlated noise, of one strength or growing with brightness."""
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    if rng.random() < 0.4:  # correlated over about a pixel, as after reconstruction
        sigma = rng.uniform(0.5, 1.0)
        noise = ndimage.gaussian_filter(noise, (sigma, sigma, 0)[: image.ndim], truncate=2)
        noise /= max(float(noise[::4, ::4].std()), 1e-6)
    strength = np.float32(rng.uniform(1.5, 4.4) ** 2)
    if rng.random() < 0.5:  # shot noise
        return image + strength * np.sqrt(np.maximum(image, 0) / 128) * noise
    return image + strength * noise


def compress(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Block artefacts, as of JPEG: coefficients of 8 x 8 cosine transforms, rounded."""
    if image.ndim == 3:
        step = rng.integers(2**31)
        same = [compress(image[..., c], np.random.default_rng(step)) for c in range(3)]
        return np.stack(same, axis=2)
    height, width = image.shape
    padded = np.pad(image, ((0, -height % 8), (0, -width % 8)), mode="edge")
    blocks = padded.reshape(padded.shape[0] // 8, 8, padded.shape[1] // 8, 8)
    frequency = np.add.outer(np.arange(8), np.arange(8)).astype(np.float32)
    steps = np.float32(rng.uniform(1.5, 6)) * (1 + frequency)
    table = steps[None, :, None, :]
    coefficients = fft.dctn(blocks, axes=(1, 3), norm="ortho")
    rounded = fft.idctn(np.rint(coefficients / table) * table, axes=(1, 3), norm="ortho")
    return np.asarray(rounded.reshape(padded.shape)[:height, :width])


def change_colour(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Colour cast and saturation; a colour picture may also become grey (one channel)."""
    if image.ndim == 2:
        return image
    if rng.random() < 0.35:
        mixing = rng.dirichlet([2, 3, 1]).astype(np.float32)
        return image @ mixing
    grey = image.mean(axis=2, keepdims=True)
    saturated = grey + np.float32(rng.uniform(0.3, 1.4)) * (image - grey)
    return saturated * rng.uniform(0.85, 1.15, 3).astype(np.float32)


# In the order in which nature does them, each with the probability that it happens.
CHANGES: tuple[tuple[Callable[[np.ndarray, np.random.Generator], np.ndarray], float], ...] = (
    (change_colour, 0.4),
    (add_bias_field, 0.25),
    (lose_resolution, 0.12),
    (blur, 0.2),
    (sharpen, 0.1),
    (change_window, 0.6),
    (change_gamma, 0.4),
    (add_noise, 0.35),
    (invert, 0.1),
    (compress, 0.12),
)


def change_photometry(
    image: np.ndarray, rng: np.random.Generator, strength: float = 1.0
) -> np.ndarray:
    """Apply a random selection of the changes above.

    Parameters
    ----------
    image : (H, W) or (H, W, 3), values 0..255.
    strength : multiplies the probability of each change; 0 changes nothing.

    Returns
    -------
    float32 of the same (H, W), clipped to 0..255; a colour picture may have become grey.
    """
    changed = np.asarray(image, np.float32)
    for change, probability in CHANGES:
        if rng.random() < strength * probability:
            changed = np.clip(change(changed, rng), 0, 255).astype(np.float32, copy=False)
    return changed
