"""The object source: synthetic objects with parts inside, alone or touching, on any ground."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage.measure import label

from napari_piclick.train.log_uniform import log_uniform
from napari_piclick.train.scene import Scene
from napari_piclick.train.synthesis.intensity import (
    paint_labels,
    partial_volume,
    stretch_to_grey_levels,
    texture,
)
from napari_piclick.train.synthesis.noise import smooth_noise, warp
from napari_piclick.train.synthesis.shapes import outline, scatter, tessellation


class SyntheticObjects:
    """Pictures of shapes within shapes, painted with random intensities.

    Targets: every outer object, its inner part, its innermost part, its shell, the regions of
    the ground, and unions of touching objects.

    Parameters
    ----------
    side : side of the square pictures in pixels.
    """

    name = "synthetic"

    def __init__(self, side: int = 384) -> None:
        self.side = side

    def draw(self, rng: np.random.Generator) -> Scene:
        """Draw one picture."""
        shape = (self.side, self.side)
        ground = tessellation(
            shape, int(rng.integers(1, 9)), self.side / float(np.exp(rng.uniform(0.2, 2.2))), rng
        )
        outer, inner, core = self._objects(shape, rng)
        bend = rng.uniform(0, 0.02) * self.side
        if rng.random() < 0.5:
            ground, outer, inner, core = warp(
                [ground, outer, inner, core], bend, self.side / rng.uniform(3, 10), rng
            )
        image = self._paint(ground, outer, inner, core, rng)
        scene = Scene(image, self.name)
        scene = scene.with_layer(label(ground, connectivity=1), "ground", 0.1)
        scene = scene.with_layer(outer, "object", 0.45, mergeable=True)
        if inner.any():
            scene = scene.with_layer(inner, "inner", 0.3)
            pieces = label(inner)
            if pieces.max() > len(np.unique(inner)) - 1:  # some are in several pieces
                scene = scene.with_layer(pieces, "piece", 0.06)
            shells = np.where(inner > 0, 0, outer)
            scene = scene.with_layer(shells, "shell", 0.08)
        if core.any():
            scene = scene.with_layer(core, "core", 0.15)
        return scene

    def _objects(
        self, shape: tuple[int, int], rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Label maps of the objects, of one part inside each, and of one inside that."""
        radius = self.side * log_uniform(0.02, 0.35, rng)
        crowd = int(np.clip(0.5 * (self.side / radius) ** 2 * rng.uniform(0.05, 0.5), 1, 90))
        outer, depth = scatter(
            shape,
            radius,
            crowd,
            rng,
            spread=rng.uniform(0.05, 0.5),
            irregularity=rng.uniform(0, 0.25),
            elongation=1 + 3 * rng.random() ** 2,
            overlap=rng.choice([0.0, 0.15, 0.4]),
            clustered=bool(rng.random() < 0.4),
            bend=rng.choice([0.0, 0.3]),
        )
        nothing = np.zeros_like(outer)
        if rng.random() < 0.35:
            return outer, nothing, nothing
        inner = self._part(outer, depth, rng)
        if rng.random() < 0.5 or not inner.any():
            return outer, inner, nothing
        core = self._part(np.where(inner > 0, outer, 0).astype(np.uint16), depth, rng)
        return outer, inner, core

    def _part(self, labels: np.ndarray, depth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A part of each object, made by a threshold of its depth, roughened and moved."""
        wavy = depth + np.float32(rng.uniform(0, 0.2)) * smooth_noise(
            labels.shape, rng.uniform(10, 80), rng
        )
        if rng.random() < 0.5:  # off centre
            move = tuple(
                int(step) for step in rng.integers(-self.side // 40, self.side // 40 + 1, 2)
            )
            wavy = np.roll(wavy, move, (0, 1))
        here = depth[labels > 0]
        if not here.size:
            return np.zeros_like(labels)
        if rng.random() < 0.35:
            return self._lobes(labels, depth, rng)
        chosen = rng.random(int(labels.max()) + 1) < rng.uniform(0.5, 1)
        part = (wavy > np.quantile(here, rng.uniform(0.25, 0.75))) & chosen[labels]
        return np.where(part, labels, 0).astype(np.uint16)

    @staticmethod
    def _lobes(labels: np.ndarray, depth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A part of each object with lobes or in several pieces, as blood cells have nuclei."""
        radius = np.sqrt((labels > 0).sum() / max(1, len(np.unique(labels)) - 1) / np.pi)
        field = smooth_noise(labels.shape, max(float(radius * rng.uniform(0.4, 0.9)), 3), rng)
        field += np.float32(rng.uniform(0, 1.5)) * depth
        field[depth < rng.uniform(0.02, 0.15)] = -np.inf
        with np.errstate(invalid="ignore"):  # objects so thin that most is edge get no lobes
            part = field > np.quantile(field[labels > 0], rng.uniform(0.4, 0.8))
        part = ndimage.binary_opening(part, iterations=1 + int(radius > 30))
        return np.where(part, labels, 0).astype(np.uint16)

    @staticmethod
    def _paint(
        ground: np.ndarray,
        outer: np.ndarray,
        inner: np.ndarray,
        core: np.ndarray,
        rng: np.random.Generator,
    ) -> np.ndarray:
        alike = rng.random() < 0.6  # objects of one kind look alike
        offset = int(ground.max()) + 1
        numbers = ground.astype(np.int64)
        for layer in (outer, inner, core):
            step = 1 if alike else int(layer.max()) + 1
            numbers = np.where(layer > 0, offset + (0 if alike else layer), numbers)
            offset += step
        image = paint_labels(numbers, rng)
        if rng.random() < 0.3:  # dark or bright outlines
            line = outline(outer) | outline(inner)
            image[line] = rng.uniform(0, 255)
        if rng.random() < 0.3:
            image += np.float32(rng.uniform(3, 20)) * texture(ground.shape, rng)
        return stretch_to_grey_levels(partial_volume(image, rng), rng)
