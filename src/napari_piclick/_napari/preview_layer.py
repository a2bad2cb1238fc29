"""The preview layer: the chosen proposal before it is accepted, and what a click would give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import CyclicLabelColormap

from napari_piclick._napari.placement import place, placement_of, translate_to
from napari_piclick.region import Region
from napari_piclick.session.preview_picture import on_larger
from napari_piclick.session.thumbnails import TINT

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_piclick.plane import Plane

NAME = "PiClick preview"
OPACITY = 0.45
#: Planes of up to so many pixels are covered whole.
LARGEST = 2**21
#: Of larger planes so many pixels beyond what is drawn are covered too, for what comes next.
ROOM = 256
#: How the inside and the outline of what a click would give look beside the chosen proposal.
FAINT = 0.3
OUTLINE = (1.0, 1.0, 1.0, 1.0)


class PreviewLayer:
    """A labels layer that covers one plane, or only what is drawn where the plane is large.

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
        tint = tuple(value / 255 for value in TINT)
        self.layer = Labels(
            np.zeros((1,) * image.ndim, np.uint8),
            name=NAME,
            opacity=opacity,
            # napari compiles a table for a direct colormap, and stands still for most of a second
            colormap=CyclicLabelColormap(
                colors=[(0, 0, 0, 0), (*tint, 1.0), (*tint, FAINT), OUTLINE]
            ),
            **placement_of(image),
        )
        self.layer.editable = False

    def draw(self, plane: Plane, region: Region, values: np.ndarray) -> None:
        """Show a picture.

        Parameters
        ----------
        plane : Plane
            Where it lies.
        region : Region
            The pixels of the plane that it covers.
        values : (h, w) uint8
            As `picture` makes them.
        """
        covered = self._cover(plane, region)
        slab = plane.as_slab(on_larger(covered, region, values))
        if self._covered == (plane, covered):
            self.layer.data[...] = slab
            self._refresh()
        else:
            self.layer.data = slab
            self.layer.editable = False  # napari makes layers editable again with new data
            self.layer.translate = translate_to(self._image, plane, covered)
            self._covered = (plane, covered)
        self._empty = False

    def _cover(self, plane: Plane, region: Region) -> Region:
        """The pixels of the plane to cover, so that a region is among them."""
        if plane.shape[0] * plane.shape[1] <= LARGEST:
            return Region.whole(plane.shape)
        if self._covered is not None and self._covered[0] == plane:
            before = self._covered[1]
            if before.covers(region):
                return before
        height, width = region.shape
        return Region.around(region.center, (height + ROOM, width + ROOM), plane.shape)

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
        """Follow the image after it was moved; the picture is to be drawn again."""
        place(self.layer, placement_of(self._image))
        self._covered = None
