"""The preview layer: the chosen proposal, before it is accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap

from napari_piclick._napari.placement import place, placement_of, translate_to
from napari_piclick.session.thumbnails import TINT

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_piclick.plane import Plane
    from napari_piclick.region import Region

NAME = "PiClick preview"
OPACITY = 0.45


class PreviewLayer:
    """A small labels layer that covers only the mask it shows, whatever the image's size.

    Parameters
    ----------
    image : napari.layers.Image
        The layer to lie on.

    Attributes
    ----------
    layer : napari.layers.Labels
    """

    def __init__(self, image: Image) -> None:
        self._image = image
        self._blank = np.zeros((1,) * image.ndim, np.uint8)
        color = (*(value / 255 for value in TINT), 1.0)
        self.layer = Labels(
            self._blank,
            name=NAME,
            opacity=OPACITY,
            colormap=DirectLabelColormap(color_dict={None: (0, 0, 0, 0), 1: color}),
            **placement_of(image),
        )
        self.layer.editable = False

    def draw(self, plane: Plane, region: Region, mask: np.ndarray) -> None:
        """Show a mask.

        Parameters
        ----------
        plane : Plane
            Where it lies.
        region : Region
            The pixels of the plane that it covers.
        mask : (h, w) bool
        """
        self._show(plane.as_slab(mask.astype(np.uint8)), translate_to(self._image, plane, region))

    def clear(self) -> None:
        """Show nothing."""
        if self.layer.data is not self._blank:
            self._show(self._blank, self._image.translate)

    def place(self) -> None:
        """Follow the image after it was moved; the mask is to be drawn again."""
        place(self.layer, self._image)

    def _show(self, slab: np.ndarray, translate: np.ndarray) -> None:
        self.layer.data = slab
        self.layer.translate = translate
