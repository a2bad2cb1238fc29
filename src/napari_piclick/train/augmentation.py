"""Augmentation: a scene framed at random and seen through random optics."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.train.geometry import View
from napari_piclick.train.log_uniform import log_uniform
from napari_piclick.train.photometry import change_photometry

if TYPE_CHECKING:
    from napari_piclick.train.scene import Scene

SMALLEST_VIEW = 96
"""A frame is at least this many scene pixels wide, so that nothing is enlarged to fog."""


@dataclass(frozen=True)
class Augmentation:
    """How much a scene may change on its way to a sample.

    Parameters
    ----------
    zoom : probability that the frame is drawn around one object, at a random scale, instead
        of around the whole picture; this balances object sizes.
    turn : probability of a turn by a small angle; right angles and flips come on top.
    photometry : multiplies the probability of each photometric change.
    """

    zoom: float = 0.5
    turn: float = 0.2
    photometry: float = 1.0

    @classmethod
    def none(cls) -> Augmentation:
        """The whole picture, unchanged, as large as fits the sample."""
        return cls(zoom=0, turn=0, photometry=0)

    @property
    def changes_nothing(self) -> bool:
        """Whether the whole picture is shown as it is."""
        return self.zoom == self.turn == self.photometry == 0

    def apply(self, scene: Scene, shape: tuple[int, int], rng: np.random.Generator) -> Scene:
        """A scene of ``shape`` (height, width), framed and changed at random."""
        view = self._view(scene, shape, rng)
        if self.changes_nothing:
            return scene.seen_through(view)
        fill = 0.0 if rng.random() < 0.9 else float(rng.uniform(0, 255))
        framed = scene.seen_through(view, fill)
        if self.photometry == 0:
            return framed
        image = change_photometry(framed.image, rng, self.photometry)
        outside = view.outside(scene.shape)
        if outside is not None:  # the frame has no light, lens or noise of its own
            image[outside] = fill
        return replace(framed, image=image)

    def _view(self, scene: Scene, shape: tuple[int, int], rng: np.random.Generator) -> View:
        spacing = np.asarray(scene.spacing, np.float64)
        extent = np.asarray(scene.shape) * spacing / spacing.min()
        middle = (np.asarray(scene.shape, np.float64) - 1) / 2
        if self.changes_nothing:
            return View.looking_at(tuple(middle), extent.max(), shape, spacing=scene.spacing)
        if rng.random() < 0.2:  # as napari shows it by default where nobody set a scale
            spacing = np.ones(2)
            extent = np.asarray(scene.shape, np.float64)
        if rng.random() < self.zoom and scene.targets:
            center, side = self._around_object(scene, extent, spacing, rng)
        else:
            center = rng.uniform(0, scene.shape)
            side = extent.max() * rng.uniform(0.65, 1.12)
        # stay on the picture as far as the frame is smaller than it
        slack = np.maximum(extent - side, 0) / 2 * spacing.min() / spacing
        center = np.clip(center, middle - slack, middle + slack)
        angle = 0.0
        flip = (False, bool(rng.random() < 0.5))
        if not scene.upright or rng.random() < 0.1:
            angle = 90.0 * rng.integers(4)
        if rng.random() < self.turn:
            angle += rng.normal(0, 12)
        stretch = float(np.exp(rng.normal(0, 0.15))) if rng.random() < 0.3 else 1.0
        return View.looking_at(
            (float(center[0]), float(center[1])),
            float(side),
            shape,
            angle=float(angle),
            flip=flip,
            stretch=stretch,
            spacing=(float(spacing[0]), float(spacing[1])),
        )

    @staticmethod
    def _around_object(
        scene: Scene, extent: np.ndarray, spacing: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, float]:
        """A centre and a side that show one object at a random size in the frame."""
        shares = np.array([scene.shares[target.group] for target in scene.targets])
        groups = [target.group for target in scene.targets]
        weights = shares / [groups.count(group) for group in groups]
        target = scene.targets[rng.choice(len(weights), p=weights / weights.sum())]
        rows, cols = np.nonzero(np.isin(scene.layers[target.layer], target.values))
        if not rows.size:
            return (np.asarray(scene.shape) - 1) / 2, float(extent.max())
        low = np.array([rows.min(), cols.min()])
        high = np.array([rows.max(), cols.max()]) + 1.0
        size = float(((high - low) * spacing / spacing.min()).max())
        side = size * log_uniform(1.3, 14, rng)
        smallest = min(SMALLEST_VIEW, 0.6 * float(extent.max()))
        side = float(np.clip(side, smallest, extent.max() * 1.1))
        shift = rng.uniform(-0.45, 0.45, 2) * max(side - size, 0) * spacing.min() / spacing
        return (low + high - 1) / 2 + shift, side
