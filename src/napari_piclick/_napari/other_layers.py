"""Clicks in the canvas while another layer than that of the clicks is selected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels
from psygnal import Signal

from napari_piclick._napari.clicks_layer import LEFT, NEGATIVE_MODIFIERS, PICK_MODIFIER, RIGHT
from napari_piclick._napari.world import to_layer

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari.components import ViewerModel
    from napari.layers import Image

#: A mouse that moved farther than this between press and release, in pixels, was dragged.
DRAG = 5


class OtherLayers:
    """Hears clicks on an image while that image, or labels, are selected and only panned.

    A click without a drag means nothing to napari there. A brush, a bucket or a picker keeps its
    own clicks, and so does every layer of another kind.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    image : napari.layers.Image

    Attributes
    ----------
    clicked : psygnal.Signal
        Emitted with (position, positive): volume coordinates, and the sign of the click.
    picked : psygnal.Signal
        Emitted with a position in volume coordinates when a finished object there is wanted.
    """

    clicked = Signal(object, bool)
    picked = Signal(object)

    def __init__(self, viewer: ViewerModel, image: Image) -> None:
        self._viewer = viewer
        self._image = image
        viewer.mouse_drag_callbacks.append(self._on_pressed)

    @property
    def ready(self) -> bool:
        """Whether a click in the canvas would be heard."""
        active = self._viewer.layers.selection.active
        ours = active == self._image or isinstance(active, Labels)
        return active is not None and ours and str(active.mode) == "pan_zoom"

    def close(self) -> None:
        """Stop listening."""
        if self._on_pressed in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._on_pressed)

    def _on_pressed(self, viewer: ViewerModel, event: Any) -> Generator[None, None, None]:
        if not self.ready or event.button not in (LEFT, RIGHT):
            return
        start, button = np.array(event.pos, dtype=float), event.button
        modifiers = {str(getattr(held, "name", held)) for held in event.modifiers}
        position = np.array(event.position, dtype=float)
        yield
        while event.type == "mouse_move":
            if np.linalg.norm(np.array(event.pos, dtype=float) - start) > DRAG:
                return
            yield
        place = to_layer(self._image, position, viewer.dims)
        if button == LEFT and PICK_MODIFIER in modifiers:
            self.picked.emit(place)
        else:
            positive = button == LEFT and not NEGATIVE_MODIFIERS & modifiers
            self.clicked.emit(place, positive)
