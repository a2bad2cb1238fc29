"""Cell stains: how cells look in transmitted light and under fluorescence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from napari_piclick.train.synthesis.intensity import stretch_to_grey_levels, texture
from napari_piclick.train.synthesis.noise import smooth_noise
from napari_piclick.train.synthesis.shapes import outline, smooth_step


@dataclass(frozen=True)
class Anatomy:
    """What is where.

    Parameters
    ----------
    cells, nuclei, plain : (H, W) uint16
        Cells, their nuclei under the same numbers, and cells without one.
    """

    cells: np.ndarray
    nuclei: np.ndarray
    plain: np.ndarray


def transmitted_light(anatomy: Anatomy, rng: np.random.Generator) -> tuple[np.ndarray, bool]:
    """Stained cells on a bright ground: each stain takes its colour from the light (Beer-Lambert).

    Returns
    -------
    image : (H, W, 3) float32, 0..255.
    seen : whether the cytoplasm can be told from the ground.
    """
    seen = bool(rng.random() < 0.85)
    cytoplasm = rng.uniform(0.15, 0.8) if seen else 0.0
    amounts = (
        cytoplasm,
        cytoplasm + rng.uniform(0.5, 1.8),
        rng.uniform(0.1, 0.6),
    )
    colours = [rng.uniform(0.1, 1, 3) for _ in amounts]
    colours = [colour / colour.max() for colour in colours]
    stains = zip(_densities(anatomy, amounts, rng), colours, strict=True)
    light = rng.uniform(0.75, 1, 3) * 255
    image = light * np.exp(-sum(density[..., None] * colour for density, colour in stains))
    return stretch_to_grey_levels(image.astype(np.float32), rng), seen


def fluorescence(anatomy: Anatomy, rng: np.random.Generator) -> tuple[np.ndarray, bool]:
    """Glowing cells on a dark ground, in one channel; the nucleus brighter or a dark hole.

    Returns
    -------
    image : (H, W) float32, 0..255.
    seen : whether the cytoplasm can be told from the ground.
    """
    seen = bool(rng.random() < 0.8)
    cytoplasm = rng.uniform(0.2, 0.7) if seen else 0.0
    if seen and rng.random() < 0.3:
        nucleus = cytoplasm * rng.uniform(0.1, 0.6)
    else:
        nucleus = cytoplasm + rng.uniform(0.25, 1)
    amounts = (cytoplasm, nucleus, rng.uniform(0.05, 0.4))
    image = np.asarray(sum(_densities(anatomy, amounts, rng)), np.float32)
    # light from above and below the plane in focus
    glow = ndimage.gaussian_filter(image, rng.uniform(4, 20), truncate=2.5)
    image += np.float32(rng.uniform(0, 0.35)) * glow
    return stretch_to_grey_levels(image, rng), seen


def _densities(
    anatomy: Anatomy, amounts: tuple[float, float, float], rng: np.random.Generator
) -> list[np.ndarray]:
    """How much stain cytoplasm, nuclei and plain cells hold in each pixel; (H, W) float32 each."""
    sharpness = rng.uniform(0.4, 2.0)
    nucleus = anatomy.nuclei > 0
    masks = ((anatomy.cells > 0) & ~nucleus, nucleus, anatomy.plain > 0)
    numbers = (anatomy.cells, anatomy.nuclei, anatomy.plain)
    found = []
    for mask, number, amount in zip(masks, numbers, amounts, strict=True):
        # no two cells take up the same
        each = np.exp(rng.normal(0, rng.uniform(0, 0.2), int(number.max()) + 1))
        density = amount * each.astype(np.float32)[number] * mask
        density = density * (1 + np.float32(rng.uniform(0, 0.3)) * texture(mask.shape, rng))
        if rng.random() < 0.4:  # denser on one side
            density *= np.exp(rng.uniform(0, 0.3) * smooth_noise(mask.shape, 80, rng))
        found.append(density)
    if amounts[0] and rng.random() < 0.35:  # membranes
        line = outline(anatomy.cells) | outline(anatomy.plain)
        found[0] += np.float32(rng.uniform(0.1, 0.5)) * line
    if rng.random() < 0.4:  # granules
        grains = smooth_step(smooth_noise(nucleus.shape, rng.uniform(3, 8), rng), 1.0, 2.0)
        found[0] += np.float32(amounts[0] * rng.uniform(0.2, 1.2)) * grains * masks[0]
    if rng.random() < 0.4:  # nucleoli, or gaps between clumps of chromatin
        spots = smooth_step(smooth_noise(nucleus.shape, rng.uniform(5, 16), rng), 1.0, 1.8)
        found[1] *= 1 + np.float32(rng.uniform(-0.5, 0.5)) * spots
    return [
        np.maximum(ndimage.gaussian_filter(density, sharpness, truncate=3), 0).astype(np.float32)
        for density in found
    ]
