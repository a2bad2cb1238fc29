"""The array source: pictures and labels that are already in memory, such as napari's layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_piclick.train.data.labels import LabelKind, add_labels
from napari_piclick.train.data.window import to_grey_levels
from napari_piclick.train.scene import Scene
from napari_piclick.train.superpixels import SuperpixelAdder

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np


class ArraySource:
    """Planes with their label maps.

    Parameters
    ----------
    planes : pairs of a picture, (H, W) or (H, W, 3 or 4) of any real type, and its labels,
        (H, W) of any integer type.
    name : name of the samples.
    kind : what the label values mean; default: each value is an object.
    limits : (low, high) values shown as black and white; default: robust percentiles of each
        plane, and 0 and 255 for uint8.
    superpixels : whether superpixels are targets too, now and then.

    Raises
    ------
    ValueError
        If there is no plane, or labels do not fit their picture.
    """

    def __init__(
        self,
        planes: Sequence[tuple[np.ndarray, np.ndarray]],
        name: str = "mine",
        *,
        kind: LabelKind | None = None,
        limits: tuple[float, float] | None = None,
        superpixels: bool = True,
    ) -> None:
        if not planes:
            raise ValueError("There is no picture to train on.")
        self.name = name
        self._scenes = []
        for image, labels in planes:
            if labels.shape != image.shape[:2]:
                raise ValueError(
                    f"The labels are {labels.shape} pixels, but the picture is "
                    f"{image.shape[:2]}. They must be of the same size."
                )
            scene = Scene(to_grey_levels(image, limits), name)
            self._scenes.append(add_labels(scene, labels, kind or LabelKind()))
        self._superpixels = SuperpixelAdder() if superpixels else None

    def draw(self, rng: np.random.Generator) -> Scene:
        """Draw one plane with its objects."""
        number = int(rng.integers(len(self._scenes)))
        scene = self._scenes[number]
        return self._superpixels.add(scene, number, rng) if self._superpixels else scene
