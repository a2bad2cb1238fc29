"""Superpixels: parts of a picture that belong together by looks, as extra training targets.

Wong et al. (ScribblePrompt, ECCV 2024) found that superpixels of random scale, used as if
they were labels, matter most for objects that no training set shows.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from skimage.segmentation import felzenszwalb

from napari_piclick.train.data.memory import ByteLimitedCache
from napari_piclick.train.geometry import View

if TYPE_CHECKING:
    from collections.abc import Hashable

    from napari_piclick.train.scene import Scene

SCALES = (40, 120, 350, 1000)
"""Felzenszwalb's scale, fine to coarse: larger numbers give larger superpixels."""

LONGEST_SIDE = 256
"""Pictures are shrunk to this size first; superpixels need no finer outline than that."""


def superpixels(image: np.ndarray, scale: float) -> np.ndarray:
    """Felzenszwalb superpixels of a picture.

    Parameters
    ----------
    image : (H, W) or (H, W, 3), values 0..255.
    scale : see ``SCALES``.

    Returns
    -------
    (H, W) uint16, from 1; 0 is nowhere.
    """
    height, width = image.shape[:2]
    shrink = min(1.0, LONGEST_SIDE / max(height, width))
    small = (max(round(height * shrink), 1), max(round(width * shrink), 1))
    down = _stretched((height, width), small)
    pixels = down.resample_image(image) / 255
    labels = felzenszwalb(
        pixels,
        scale=scale,
        sigma=0.8,
        min_size=max(12, round(scale / 8)),
        channel_axis=2 if pixels.ndim == 3 else None,
    )
    up = _stretched(small, (height, width))
    return up.resample_labels(labels.astype(np.uint16) + 1)


class SuperpixelAdder:
    """Adds superpixels to scenes; keeps those of pictures that come back.

    Parameters
    ----------
    often : probability that a scene that has other targets gets superpixels as well.
    share : share of the primary targets; see ``Scene.shares``.
    limit : bytes that may be kept.
    """

    def __init__(self, often: float = 0.5, share: float = 0.1, limit: int = 192 * 2**20) -> None:
        self.often = often
        self.share = share
        self._kept: ByteLimitedCache[np.ndarray] = ByteLimitedCache(limit)

    def add(
        self,
        scene: Scene,
        key: Hashable,
        rng: np.random.Generator,
        image: np.ndarray | None = None,
    ) -> Scene:
        """Add a fine and a coarse superpixel map, two layers that nest more or less.

        Parameters
        ----------
        key : name of the picture among all that this object is asked about.
        image : the picture to divide, (H, W) or (H, W, 3), 0..255, always the same for the
            same key; default: the scene's own.
        """
        if scene.targets and rng.random() >= self.often:
            return scene
        fine, coarse = sorted(rng.choice(len(SCALES), 2, replace=False))
        for group, level in (("superpixel", fine), ("coarse superpixel", coarse)):
            scale = SCALES[level]
            labels = self._kept.get(
                (key, scale), partial(superpixels, scene.image if image is None else image, scale)
            )
            scene = scene.with_layer(labels, group, self.share / 2)
        return scene


def _stretched(scene: tuple[int, int], sample: tuple[int, int]) -> View:
    """The view that shows a whole scene, pixel edges on pixel edges."""
    scale = np.array(scene) / np.array(sample)
    return View(np.diag(scale), (scale - 1) / 2, sample)
