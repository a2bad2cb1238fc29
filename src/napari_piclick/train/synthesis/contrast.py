"""Tissue contrast: one T1 template seen as FLAIR, T2, T1, contrast-enhanced T1 or anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_piclick.train.log_uniform import log_uniform
from napari_piclick.train.synthesis.noise import fractal_noise, smooth_noise

if TYPE_CHECKING:
    from collections.abc import Mapping

KNOTS = (0.0, 70.0, 120.0, 178.0, 232.0, 255.0)
"""T1 brightness of: nothing, fluid, its border, grey matter, white matter, the brightest."""

# brightness of fluid, grey and white matter; then of the lesion's parts as (low, high)
SEQUENCES: Mapping[str, tuple[tuple[float, float, float], Mapping[str, tuple[float, float]]]] = {
    "flair": (
        (0.10, 0.52, 0.42),
        {"oedema": (0.6, 1.3), "core": (0.5, 1.4), "rim": (0.4, 1.3), "necrosis": (0.2, 1.4)},
    ),
    "t2": (
        (0.95, 0.58, 0.40),
        {"oedema": (0.65, 1.0), "core": (0.5, 0.95), "rim": (0.45, 0.8), "necrosis": (0.7, 1.1)},
    ),
    "t1": (
        (0.20, 0.58, 0.75),
        {"oedema": (0.4, 0.6), "core": (0.3, 0.65), "rim": (0.4, 0.7), "necrosis": (0.15, 0.45)},
    ),
    "t1ce": (
        (0.15, 0.42, 0.52),
        {"oedema": (0.3, 0.46), "core": (0.5, 1.6), "rim": (0.7, 2.0), "necrosis": (0.15, 0.45)},
    ),
}
CHANCES = {"flair": 0.40, "t2": 0.13, "t1": 0.09, "t1ce": 0.24, "any": 0.14}


@dataclass(frozen=True)
class LesionLook:
    """Brightness of the parts of a lesion; None: the part does not differ from what is under it.

    ``opacity`` is how far the oedema hides the anatomy under it, 0..1.
    """

    oedema: float
    opacity: float
    core: float | None
    rim: float | None
    necrosis: float | None


@dataclass(frozen=True)
class TissueContrast:
    """Brightness of fluid, grey matter and white matter in one picture.

    Parameters
    ----------
    sequence : ``"flair"``, ``"t2"``, ``"t1"``, ``"t1ce"`` or ``"any"``.
    levels : brightness at ``KNOTS``, about 0..1.
    """

    sequence: str
    levels: tuple[float, ...]

    @property
    def enhanced(self) -> bool:
        """Whether contrast agent was given."""
        return self.sequence == "t1ce"

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> TissueContrast:
        """Draw a sequence, and its contrast around the usual one."""
        names = list(CHANCES)
        sequence = names[rng.choice(len(names), p=list(CHANCES.values()))]
        if sequence == "any":
            fluid, grey, white = rng.uniform(0.05, 0.95, 3)
        else:
            fluid, grey, white = SEQUENCES[sequence][0] + rng.normal(0, 0.05, 3)
            # now and then hardly any contrast between grey and white matter
            middle, difference = (grey + white) / 2, (grey - white) / 2 * rng.uniform(0.2, 1.5)
            grey, white = middle + difference, middle - difference
        border = fluid + (grey - fluid) * rng.uniform(0.3, 0.9)
        levels = (fluid, fluid, border, grey, white, white + 0.4 * (white - grey))
        return cls(sequence, tuple(float(np.clip(level, 0.02, 1.2)) for level in levels))

    def apply(self, t1: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Redraw a T1 slice, (H, W) 0..255, in this contrast.

        Structures of the label map differ a little from one another, and the tissue is given
        some texture, because a template averaged over many people has none.
        Where contrast agent was given, vessels mostly show too.
        """
        image = np.interp(t1, KNOTS, self.levels).astype(np.float32)
        strength = rng.choice([0.015, 0.04, 0.1], p=[0.5, 0.35, 0.15])
        shift = rng.normal(0, strength, int(labels.max()) + 1).astype(np.float32)
        shift[0] = 0
        image += shift[labels]
        shape = (t1.shape[0], t1.shape[1])
        cloud = fractal_noise(shape, rng.uniform(6, 25), rng, octaves=3, roughness=0.7)
        image *= 1 + np.float32(rng.uniform(0, 0.06)) * cloud
        if self.enhanced and rng.random() < 0.8:
            blood = vessels(t1, rng)
            image += blood * (np.float32(rng.uniform(0.6, 1.8)) - image)
        return image

    def lesion(self, rng: np.random.Generator) -> LesionLook:
        """Draw how a lesion looks in this contrast; some are dim on purpose."""
        grey, white = self.levels[3], self.levels[4]
        if self.sequence == "any":
            tissue = (grey + white) / 2
            sign = 1 if tissue < 0.3 else -1 if tissue > 0.7 else rng.choice([-1, 1])
            parts = {
                part: float(np.clip(tissue + sign * rng.uniform(0.08, 0.6), 0, 1.3))
                for part in ("oedema", "core", "rim", "necrosis")
            }
            if rng.random() < 0.5:
                parts["necrosis"] = float(rng.uniform(0, 1))
        else:
            ranges = SEQUENCES[self.sequence][1]
            parts = {part: float(rng.uniform(*limits)) for part, limits in ranges.items()}
        if self.sequence == "flair":  # always brighter than tissue, but often not by much
            tissue = max(grey, white)
            parts["oedema"] = tissue + log_uniform(0.08, 0.9, rng)
        if rng.random() < 0.4:  # parts that hardly stand out, as cores on FLAIR
            faint = rng.uniform(0.2, 0.6)
            for part in ("core", "rim", "necrosis"):
                parts[part] = parts["oedema"] + faint * (parts[part] - parts["oedema"])
        visible = rng.random() < 0.85
        return LesionLook(
            oedema=parts["oedema"],
            opacity=float(rng.uniform(0.55, 1.0)),
            core=parts["core"] if visible else None,
            rim=parts["rim"] if visible else None,
            necrosis=parts["necrosis"] if visible or rng.random() < 0.5 else None,
        )


def vessels(t1: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How far each pixel is vessel, (H, W) float32 0..1, for a T1 slice, (H, W) 0..255.

    Contrast agent lights up more than tumours: vessels, as short bright lines and dots in and
    beside the fluid, without which every bright spot of a picture would be a lesion.
    """
    shape = (t1.shape[0], t1.shape[1])
    fluid = ndimage.binary_dilation((t1 > 0) & (t1 < 130), iterations=2)
    lines = np.abs(smooth_noise(shape, rng.uniform(6, 20), rng)) < rng.uniform(0.05, 0.2)
    pieces = smooth_noise(shape, rng.uniform(6, 25), rng) > rng.uniform(0.2, 1.4)
    drawn = (lines & pieces & fluid & (t1 > 0)).astype(np.float32)
    return np.minimum(1.5 * ndimage.gaussian_filter(drawn, rng.uniform(0.4, 0.9)), 1)
