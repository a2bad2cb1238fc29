"""The lesion source: tumours and other lesions painted into slices of a healthy brain.

No picture of a patient is needed. A brain template gives anatomy; its contrast is redrawn, so
that one T1 template looks like FLAIR, T2, T1 or contrast-enhanced T1; and a lesion is made
from noise: oedema that spreads along the white matter in fingers, a core, a rim, a necrosis.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_piclick.train.scene import Scene
from napari_piclick.train.synthesis.contrast import TissueContrast
from napari_piclick.train.synthesis.intensity import partial_volume, stretch_to_grey_levels
from napari_piclick.train.synthesis.noise import fractal_noise, smooth_noise
from napari_piclick.train.synthesis.shapes import blob, largest_piece, smooth_step

if TYPE_CHECKING:
    from collections.abc import Callable


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
                canvas.add_lesion(float(np.exp(rng.uniform(np.log(7), np.log(50)))), rng)
        t1, labels, canvas = canvas.pushed(labels, rng)
        image = contrast.apply(t1, labels, rng)
        image = canvas.paint(image, contrast, rng)
        image = np.where(canvas.brain, image, 0)
        image = _scan(image, canvas.brain, rng)
        return self._scene(image, t1, labels, canvas)

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
        self, image: np.ndarray, t1: np.ndarray, labels: np.ndarray, canvas: LesionCanvas
    ) -> Scene:
        scene = Scene(image, self.name)
        for layer, group, share, mergeable in (
            (canvas.whole, "lesion", 0.5, False),
            (canvas.core, "lesion core", 0.22, False),
            (canvas.rim, "lesion rim", 0.04, False),
            (canvas.necrosis, "necrosis", 0.06, False),
        ):
            if layer.any():
                scene = scene.with_layer(layer, group, share, mergeable=mergeable)
        healthy = np.where((canvas.whole == 0) & canvas.brain, labels, 0)
        scene = scene.with_layer(healthy, "structure", 0.06)
        fluid = (t1 < 115) & canvas.brain & (canvas.whole == 0)
        pools, _ = ndimage.label(ndimage.binary_opening(fluid))
        scene = scene.with_layer(pools, "fluid", 0.06)
        return scene.with_layer(canvas.brain.astype(np.uint16), "brain", 0.04)


@dataclass(frozen=True, eq=False)
class LesionCanvas:
    """The lesions of one slice, while they are being made.

    Parameters
    ----------
    t1 : (H, W) float32 anatomy.
    brain : (H, W) bool.
    whole, core, rim, necrosis : (H, W) uint16, one label per lesion; core = rim + necrosis.
    softness : (H, W) float32, signed depth of the oedema in units of its fuzzy border.
    """

    t1: np.ndarray
    brain: np.ndarray
    whole: np.ndarray
    core: np.ndarray
    rim: np.ndarray
    necrosis: np.ndarray
    softness: np.ndarray

    @classmethod
    def empty(cls, t1: np.ndarray, brain: np.ndarray) -> LesionCanvas:
        """A slice without lesions."""
        layers = [np.zeros(t1.shape, np.uint16) for _ in range(4)]
        return cls(t1, brain, *layers, np.full(t1.shape, -4, np.float32))

    def add_lesion(self, radius: float, rng: np.random.Generator, *, parts: bool = True) -> None:
        """Grow one lesion of about this radius in pixels, with or without parts inside."""
        shape = (self.t1.shape[0], self.t1.shape[1])
        solid = (self.t1 > 130) & self.brain
        places = np.flatnonzero(solid & (self.whole == 0))
        if not places.size:
            return
        row, col = divmod(int(places[rng.integers(places.size)]), shape[1])
        where, depth = blob(
            shape,
            (row, col),
            1.6 * radius,
            rng,
            irregularity=rng.uniform(0.05, 0.3),
            elongation=rng.uniform(1, 2),
        )
        depth = 1.6 * depth - 0.6  # 0 at the radius, but defined somewhat beyond it
        fingers = rng.uniform(0, 0.55)
        white = smooth_step(ndimage.gaussian_filter(self.t1[where], 1), 175, 225)
        rough = rng.uniform(0, 0.35)
        spread = depth + np.float32(fingers) * (white - 0.6)
        grain = fractal_noise(depth.shape, max(0.6 * radius, 5), rng, octaves=3, roughness=0.6)
        spread += np.float32(rough) * grain
        spread = np.where(solid[where], spread, np.minimum(spread, -0.2))
        spread = ndimage.gaussian_filter(spread, rng.uniform(0.5, 1.5))
        body = (spread > 0) & self.brain[where] & (self.whole[where] == 0)
        if np.count_nonzero(body) < 12:
            return
        body = ndimage.binary_fill_holes(largest_piece(body)) & self.brain[where]
        number = int(self.whole.max()) + 1
        self.whole[where][body] = number
        border = float(rng.uniform(0.02, 0.3)) if radius > 8 else 0.2
        soft = np.clip(spread / np.float32(border), -4, 4)
        np.maximum(
            self.softness[where],
            np.where(body, np.maximum(soft, 0.05), -4),
            out=self.softness[where],
        )
        if parts and rng.random() < 0.75:
            self._add_parts(where, body, depth, radius, number, rng)

    def _add_parts(
        self,
        where: tuple[slice, slice],
        body: np.ndarray,
        depth: np.ndarray,
        radius: float,
        number: int,
        rng: np.random.Generator,
    ) -> None:
        """A core inside the lesion, and mostly a necrosis inside the core."""
        inside = ndimage.distance_transform_edt(body).astype(np.float32)
        places = np.flatnonzero(inside > 0.5 * inside.max())
        row, col = divmod(int(places[rng.integers(places.size)]), body.shape[1])
        size = radius * rng.uniform(0.3, 0.85)
        box, shape_of_core = blob(
            (body.shape[0], body.shape[1]),
            (row, col),
            size,
            rng,
            irregularity=rng.uniform(0.03, 0.25),
            elongation=rng.uniform(1, 1.8),
        )
        core_depth = np.full(body.shape, -1, np.float32)
        core_depth[box] = shape_of_core
        core_depth += np.float32(rng.uniform(0, 0.15)) * smooth_noise(
            depth.shape, max(0.4 * size, 3), rng
        )
        core = largest_piece(body & (core_depth > 0))
        if np.count_nonzero(core) < 12:
            return
        self.core[where][core] = number
        if rng.random() < 0.3:
            return
        thickness = rng.uniform(0.12, 0.6)
        uneven = np.float32(0.15) * smooth_noise(depth.shape, max(0.5 * size, 4), rng)
        necrosis = core & (core_depth > thickness + uneven)
        necrosis &= ndimage.binary_erosion(core)
        if np.count_nonzero(necrosis) >= 8:
            self.necrosis[where][necrosis] = number
            self.rim[where][core & ~necrosis] = number

    def pushed(
        self, labels: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, LesionCanvas]:
        """Mass effect: what lies around the lesions gives way to them.

        Returns
        -------
        Anatomy, labels and canvas, all bent alike.
        """
        if rng.random() < 0.4 or not self.whole.any():
            return self.t1, labels, self
        where = np.indices(self.t1.shape, np.float32)
        for number in range(1, int(self.whole.max()) + 1):
            pixels = np.argwhere(self.whole == number)
            if len(pixels) < 200:
                continue
            middle, radius = pixels.mean(axis=0), np.sqrt(len(pixels) / np.pi)
            away = where - middle[:, None, None].astype(np.float32)
            distance = np.hypot(*away) / np.float32(radius)
            push = np.float32(rng.uniform(0, 0.3)) * np.exp(-((distance / 1.6) ** 2))
            where -= away * push
        fields = [self.t1, self.softness]
        bent = [ndimage.map_coordinates(field, where, order=1) for field in fields]
        maps = [self.brain, labels, self.whole, self.core, self.rim, self.necrosis]
        row, col = (
            np.clip(np.rint(where[axis]).astype(int), 0, self.t1.shape[axis] - 1)
            for axis in range(2)
        )
        brain, labels, whole, core, rim, necrosis = (layer[row, col] for layer in maps)
        return bent[0], labels, LesionCanvas(bent[0], brain, whole, core, rim, necrosis, bent[1])

    def paint(
        self, image: np.ndarray, contrast: TissueContrast, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw the lesions over a slice, (H, W) float32, healthy tissue about 0..1."""
        shape = (image.shape[0], image.shape[1])
        look = contrast.lesion(rng)
        clouds = fractal_noise(shape, rng.uniform(6, 40), rng, octaves=3, roughness=0.6)
        fade = smooth_step(self.softness, -0.3, 1.2) * (self.whole > 0)
        blur = rng.uniform(0.4, 1.6)
        fade = ndimage.gaussian_filter(fade, blur) * np.float32(look.opacity)
        tone = look.oedema * (1 + np.float32(0.12 * rng.random()) * clouds)
        image = image + fade * (tone - image)
        for layer, level in (
            (self.core, look.core),
            (self.rim, look.rim),
            (self.necrosis, look.necrosis),
        ):
            if level is None or not layer.any():
                continue
            opacity = ndimage.gaussian_filter((layer > 0).astype(np.float32), 0.7)
            rough = 1 + np.float32(0.18 * rng.random()) * clouds
            image = image + opacity * np.float32(rng.uniform(0.7, 1)) * (level * rough - image)
        return np.asarray(image, np.float32)


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
