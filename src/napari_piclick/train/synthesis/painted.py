"""The painted source: label maps of real pictures under random intensities."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.train.neighbours import touching_pairs
from napari_piclick.train.synthesis.intensity import (
    paint_labels,
    partial_volume,
    stretch_to_grey_levels,
)
from napari_piclick.train.synthesis.shapes import outline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_piclick.train.mixture import Source
    from napari_piclick.train.scene import Scene


class PaintedLabels:
    """Scenes of other sources whose pictures are painted anew from their first label map.

    Real outlines without their real contrast teach a network to rely on neither (SynthSeg,
    Billot et al., 2023).

    Parameters
    ----------
    sources : sources of labelled scenes, drawn equally often. They should add no superpixels,
        which belong to the picture that is lost; scenes without labels are passed over.
    """

    name = "painted"

    def __init__(self, sources: Sequence[Source]) -> None:
        if not sources:
            raise ValueError("There are no label maps to paint.")
        self._sources = tuple(sources)

    def draw(self, rng: np.random.Generator) -> Scene:
        """Draw a scene and paint it."""
        for _ in range(50):
            scene = self._sources[rng.integers(len(self._sources))].draw(rng)
            if scene.layers:
                break
        else:
            raise ValueError("None of the pictures to be painted has labels.")
        labels = scene.layers[0].astype(np.int64)
        for layer in scene.layers[1:]:  # what lies inside, such as organelles in neurons
            labels = np.where(layer > 0, labels.max() + layer.astype(np.int64), labels)
        # objects of one kind look alike, as long as that hides no border between them
        if rng.random() < 0.6 and not len(touching_pairs(labels, gap=2)):
            labels = np.minimum(labels, 1)
        image = paint_labels(labels, rng)
        if rng.random() < 0.3:
            image[outline(labels)] = rng.uniform(0, 255)
        image = stretch_to_grey_levels(partial_volume(image, rng, most=1.2), rng)
        return replace(scene, image=image, source=self.name, upright=False)
