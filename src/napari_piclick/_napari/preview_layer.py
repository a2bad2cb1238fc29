"""The preview layer: the chosen proposal, before it is accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import CyclicLabelColormap

from napari_piclick._napari.placement import place, placement_of, translate_to
from napari_piclick.region import Region
from napari_piclick.session.thumbnails import TINT

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_piclick.plane import Plane

NAME = "PiClick preview"
OPACITY = 0.45
#: Planes of up to so many pixels are covered whole.
LARGEST = 2**21


class PreviewLayer:
    """A labels layer that covers one plane, or only the mask where the plane is large.

    As long as it covers the same pixels a new mask costs no more than a picture: a change of
    size or place would have napari go through all layers and sliders.

    Parameters
    ----------
    image : napari.layers.Image
        The layer to lie on.
    opacity : float
        0 to 1.

    Attributes
    ----------
    layer : napari.layers.Labels
    """

    def __init__(self, image: Image, opacity: float = OPACITY) -> None:
        self._image = image
        self._covered: tuple[Plane, Region] | None = None
        self._empty = True
        color = (*(value / 255 for value in TINT), 1.0)
        self.layer = Labels(
            np.zeros((1,) * image.ndim, np.uint8),
            name=NAME,
            opacity=opacity,
            # napari compiles a table for a direct colormap, and stands still for most of a second
            colormap=CyclicLabelColormap(colors=[(0, 0, 0, 0), color]),
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
        whole = Region.whole(plane.shape)
        covered = whole if plane.shape[0] * plane.shape[1] <= LARGEST else region
        values = mask.astype(np.uint8)
        slab = plane.as_slab(region.paste(values, plane.shape) if covered is whole else values)
        if self._covered == (plane, covered):
            self.layer.data[...] = slab
            self._refresh()
        else:
            self.layer.data = slab
            self.layer.translate = translate_to(self._image, plane, covered)
            self._covered = (plane, covered)
        self._empty = False

    def clear(self) -> None:
        """Show nothing."""
        if not self._empty:
            self.layer.data[...] = 0
            self._refresh()
            self._empty = True

    def _refresh(self) -> None:
        # the pixels alone: a new thumbnail would have napari paint its list of layers as well
        self.layer.refresh(extent=False, highlight=False, thumbnail=False)

    def place(self) -> None:
        """Follow the image after it was moved; the mask is to be drawn again."""
        place(self.layer, self._image)
        self._covered = None
