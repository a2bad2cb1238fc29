"""The lesion source: tumours and other lesions painted into slices of a healthy brain.

No picture of a patient is needed. A brain template gives anatomy; its contrast is redrawn, so
that one T1 template looks like FLAIR, T2, T1 or contrast-enhanced T1; and lesions are painted
into it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import ndimage

from napari_piclick.train.log_uniform import log_uniform
from napari_piclick.train.scene import Scene
from napari_piclick.train.synthesis.contrast import LesionLook, TissueContrast
from napari_piclick.train.synthesis.intensity import partial_volume, stretch_to_grey_levels
from napari_piclick.train.synthesis.lesion_canvas import LesionCanvas
from napari_piclick.train.synthesis.noise import smooth_noise

if TYPE_CHECKING:
    from collections.abc import Callable


class Shares(NamedTuple):
    """How often a lesion is meant as a whole, and how often each of its parts."""

    whole: float
    core: float
    rim: float
    necrosis: float


SHARES = Shares(whole=0.5, core=0.22, rim=0.04, necrosis=0.06)
#: Contrast agent is given to see the core, which is then outlined with what is dead in it.
CONTRAST_SHARES = Shares(whole=0.34, core=0.4, rim=0.03, necrosis=0.03)


@dataclass(frozen=True, eq=False)
class BrainTemplate:
    """A brain without skull.

    Parameters
    ----------
    t1 : (Z, Y, X) uint8, T1 weighted, 0 outside the brain.
    labels : (Z, Y, X) label map of its structures.
    """

    t1: np.ndarray
    labels: np.ndarray

    @cached_property
    def planes(self) -> tuple[np.ndarray, ...]:
        """For each axis, the planes with a fair piece of brain."""
        found = []
        for axis in range(3):
            others = tuple(other for other in range(3) if other != axis)
            area = np.count_nonzero(self.t1, axis=others)
            found.append(np.flatnonzero(area > 0.3 * area.max()))
        return tuple(found)


class SyntheticLesions:
    """Slices of a brain template in any contrast, with lesions.

    Targets: each lesion as a whole, its core, rim and necrosis, the ventricles, structures of
    the brain and the brain itself.

    Parameters
    ----------
    template : reads the template; called once, when the first slice is drawn.
    """

    name = "lesions"

    def __init__(self, template: Callable[[], BrainTemplate]) -> None:
        self._read = template

    @cached_property
    def template(self) -> BrainTemplate:
        """The template, read when first used."""
        return self._read()

    def draw(self, rng: np.random.Generator) -> Scene:
        """Draw one slice with one to three lesions (now and then many small ones)."""
        t1, labels = self._slice(rng)
        brain = t1 > 0
        contrast = TissueContrast.drawn(rng)
        canvas = LesionCanvas.empty(t1, brain)
        kind = rng.random()
        if kind < 0.12:  # many small spots, as of vessels or inflammation
            for _ in range(int(rng.integers(4, 15))):
                canvas.add_lesion(rng.uniform(2, 6), rng, parts=False)
        else:
            for _ in range(1 if kind < 0.8 else int(rng.integers(2, 4))):
                canvas.add_lesion(log_uniform(7, 50, rng), rng)
        t1, labels, canvas = canvas.pushed(labels, rng)
        image = contrast.apply(t1, labels, rng)
        look = contrast.lesion(rng)
        image = canvas.paint(image, look, rng)
        image = np.where(canvas.brain, image, 0)
        image = _scan(image, canvas.brain, rng)
        shares = CONTRAST_SHARES if contrast.enhanced else SHARES
        return self._scene(image, t1, labels, canvas, look, shares)

    def _slice(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A plane of the template, bent and resized; mostly across the first axis (axial)."""
        axis = int(rng.choice(3, p=[0.7, 0.15, 0.15]))
        planes = self.template.planes[axis]
        index = int(planes[rng.integers(len(planes))])
        t1 = np.take(self.template.t1, index, axis).astype(np.float32)
        labels = np.take(self.template.labels, index, axis)
        side = 256
        rows, cols = np.indices((side, side), np.float32)
        turn = np.deg2rad(rng.normal(0, 5))
        size = np.exp(rng.normal(0, 0.08, 2)) * max(t1.shape) / (side * rng.uniform(0.85, 1.08))
        y, x = rows - side / 2, cols - side / 2
        y, x = np.cos(turn) * y + np.sin(turn) * x, np.cos(turn) * x - np.sin(turn) * y
        where = np.stack([size[0] * y + t1.shape[0] / 2, size[1] * x + t1.shape[1] / 2])
        for scale, bend in ((90, 6.0), (28, 2.2), (10, 0.5)):
            for axis_of_bend in range(2):
                where[axis_of_bend] += np.float32(bend * rng.uniform(0.2, 1.2)) * smooth_noise(
                    (side, side), scale, rng
                )
        bent = ndimage.map_coordinates(t1, where, order=1)
        return bent, ndimage.map_coordinates(labels, where, order=0)

    def _scene(
        self,
        image: np.ndarray,
        t1: np.ndarray,
        labels: np.ndarray,
        canvas: LesionCanvas,
        look: LesionLook,
        shares: Shares,
    ) -> Scene:
        scene = Scene(image, self.name)
        for layer, group, share, visible in (
            (canvas.whole, "lesion", shares.whole, True),
            (canvas.core, "lesion core", shares.core, look.core is not None),
            (canvas.rim, "lesion rim", shares.rim, look.rim is not None),
            (canvas.necrosis, "necrosis", shares.necrosis, look.necrosis is not None),
        ):
            # nobody can mean, and no model find, a part that does not show
            if visible and layer.any():
                scene = scene.with_layer(layer, group, share)
        healthy = np.where((canvas.whole == 0) & canvas.brain, labels, 0)
        scene = scene.with_layer(healthy, "structure", 0.04)
        fluid = (t1 < 115) & canvas.brain & (canvas.whole == 0)
        pools, _ = ndimage.label(ndimage.binary_opening(fluid))
        scene = scene.with_layer(pools, "fluid", 0.06)
        return scene.with_layer(canvas.brain.astype(np.uint16), "brain", 0.04)


def _scan(image: np.ndarray, brain: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Coil shading, resolution, noise inside the brain, and a display window; 0..255."""
    shape = (image.shape[0], image.shape[1])
    image = image * np.exp(np.float32(rng.uniform(0, 0.2)) * smooth_noise(shape, 110, rng))
    image = partial_volume(image, rng, most=1.1)
    noise = np.float32(rng.uniform(0, 0.05)) * rng.standard_normal(shape, dtype=np.float32)
    if rng.random() < 0.6:
        noise = 1.6 * ndimage.gaussian_filter(noise, 0.6, truncate=2.5)
    image = np.maximum(image + noise, 0)
    if rng.random() < 0.85:  # stripped of its skull: exactly nothing around the brain
        image = np.where(brain, image, 0)
    return stretch_to_grey_levels(image, rng, clipped=0.6)
