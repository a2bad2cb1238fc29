"""The lesion canvas: lesions of one brain slice, grown from noise and painted over its tissue.

A lesion is an oedema that spreads along the white matter in fingers and spares the cortex, in
it a core, and in that a necrosis with a rim around it. Any of them may be missing or invisible.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_piclick.train.log_uniform import log_uniform
from napari_piclick.train.synthesis.noise import fractal_noise, smooth_noise
from napari_piclick.train.synthesis.shapes import blob, largest_piece, one_of, smooth_step

if TYPE_CHECKING:
    from napari_piclick.train.synthesis.contrast import LesionLook

#: How often a lesion may reach the brain's surface, and how thick the fluid there is, in pixels.
SURFACE, RIM = 0.6, 6
#: How often a core comes in two pieces, as one that is a single piece in 3D does on a slice.
PIECES = 0.25


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
        whole, core, rim, necrosis = (np.zeros(t1.shape, np.uint16) for _ in range(4))
        far = np.full(t1.shape, -4, np.float32)
        return cls(t1, brain, whole, core, rim, necrosis, far)

    def add_lesion(self, radius: float, rng: np.random.Generator, *, parts: bool = True) -> None:
        """Grow one lesion of about this radius in pixels, with or without parts inside."""
        shape = (self.t1.shape[0], self.t1.shape[1])
        solid = (self.t1 > 130) & self.brain
        if rng.random() < SURFACE:  # pressed against the skull, with no fluid in between
            solid |= self.brain & ~ndimage.binary_erosion(self.brain, iterations=RIM)
        healthy = solid & (self.whole == 0)
        if not healthy.any():
            return
        where, depth = blob(
            shape,
            _place(healthy, rng),
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
        # beyond the brain nothing holds it back, or it would keep off the brain's edge
        free = solid[where] | ~self.brain[where]
        spread = np.where(free, spread, np.minimum(spread, -0.2))
        spread = ndimage.gaussian_filter(spread, rng.uniform(0.5, 1.5))
        body = (spread > 0) & self.brain[where] & (self.whole[where] == 0)
        if np.count_nonzero(body) < 12:
            return
        body = ndimage.binary_fill_holes(largest_piece(body)) & self.brain[where]
        number = int(self.whole.max()) + 1
        self.whole[where][body] = number
        border = float(rng.uniform(0.02, 0.45)) if radius > 8 else 0.2
        soft = np.clip(spread / np.float32(border), -4, 4)
        np.maximum(
            self.softness[where],
            np.where(body, np.maximum(soft, 0.05), -4),
            out=self.softness[where],
        )
        if parts and rng.random() < 0.9:
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
        place = _place(inside > 0.5 * inside.max(), rng)
        size = radius * rng.uniform(0.35, 0.9)
        core_depth = _piece(body.shape, place, size, 1.8, rng)
        core_depth += np.float32(rng.uniform(0, 0.15)) * smooth_noise(
            depth.shape, max(0.4 * size, 3), rng
        )
        core = largest_piece(body & (core_depth > 0))
        if np.count_nonzero(core) < 12:
            return
        if rng.random() < PIECES:
            away = ndimage.distance_transform_edt(~core)
            beside = (inside > 2) & (away > 1) & (away < size)
            if beside.any():
                place = _place(beside, rng)
                smaller = max(size * rng.uniform(0.2, 0.6), 2.5)
                second = _piece(body.shape, place, smaller, 2, rng)
                core_depth = np.maximum(core_depth, second)
                core |= body & (second > 0)
        self.core[where][core] = number
        if rng.random() < 0.3:
            return
        # thin ones are common, and the hardest to see as a part of the core
        thickness = log_uniform(0.07, 0.6, rng)
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

    def paint(self, image: np.ndarray, look: LesionLook, rng: np.random.Generator) -> np.ndarray:
        """Draw the lesions over a slice, (H, W) float32, healthy tissue about 0..1."""
        shape = (image.shape[0], image.shape[1])
        clouds = fractal_noise(shape, rng.uniform(6, 40), rng, octaves=3, roughness=0.6)
        fade = smooth_step(self.softness, -0.3, 1.2) * (self.whole > 0)
        blur = rng.uniform(0.4, 1.6)
        inside = ndimage.gaussian_filter(self.brain.astype(np.float32), blur)
        fade = ndimage.gaussian_filter(fade, blur) / np.maximum(inside, 0.1)
        fade *= np.float32(look.opacity)
        tone = look.oedema * (1 + np.float32(0.12 * rng.random()) * clouds)
        image = image + fade * (tone - image)
        blur_of_parts = log_uniform(0.5, 1.6, rng)
        for layer, level in (
            (self.core, look.core),
            (self.rim, look.rim),
            (self.necrosis, look.necrosis),
        ):
            if level is None or not layer.any():
                continue
            opacity = ndimage.gaussian_filter((layer > 0).astype(np.float32), blur_of_parts)
            rough = 1 + np.float32(0.18 * rng.random()) * clouds
            image = image + opacity * np.float32(rng.uniform(0.7, 1)) * (level * rough - image)
        return np.asarray(image, np.float32)


def _place(allowed: np.ndarray, rng: np.random.Generator) -> tuple[int, int]:
    """(row, col) of any pixel of a mask, (H, W) bool, that is not empty."""
    return one_of(np.flatnonzero(allowed), allowed.shape[1], rng)


def _piece(
    shape: tuple[int, ...],
    place: tuple[int, int],
    radius: float,
    elongation: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """A piece of a core, as a (H, W) float32 depth, -1 away from it; elongated at most so far."""
    depth = np.full(shape, -1, np.float32)
    box, within = blob(
        (shape[0], shape[1]),
        place,
        radius,
        rng,
        irregularity=rng.uniform(0.03, 0.25),
        elongation=rng.uniform(1, elongation),
    )
    depth[box] = within
    return depth
