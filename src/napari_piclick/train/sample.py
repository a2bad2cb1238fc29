"""The training sample: one picture with every object that a click on it could mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TrainingSample:
    """One picture and all of its possible targets.

    Parameters
    ----------
    image : (H, W, 3) uint8, already windowed to 0..255; a grey picture is repeated.
    masks : (M, H, W) bool, M >= 1. Objects may overlap and lie within one another; each
        has at least about 20 pixels.
    weights : (M,) float32, sums to 1: how often each mask should be the primary target.
        What somebody annotated weighs more than a superpixel or a union of neighbours,
        however many of those there are; any mask that contains the clicks is feasible.
    source : where the picture comes from, for example ``"nuclei"`` or ``"lesions"``.

    Raises
    ------
    ValueError
        If shapes or types do not fit together.
    """

    image: np.ndarray
    masks: np.ndarray
    weights: np.ndarray
    source: str

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise ValueError(
                "A training image is a (height, width, 3) uint8 array, "
                f"but this one is {self.image.shape} {self.image.dtype}."
            )
        if self.masks.dtype != bool or self.masks.shape[1:] != self.image.shape[:2]:
            raise ValueError(
                f"The masks must be bool and as large as the image {self.image.shape[:2]}, "
                f"but they are {self.masks.shape} {self.masks.dtype}."
            )
        if not len(self.masks) or self.weights.shape != (len(self.masks),):
            raise ValueError(
                "A training sample needs at least one mask and one weight for each, but it has "
                f"{len(self.masks)} masks and weights of shape {self.weights.shape}."
            )
