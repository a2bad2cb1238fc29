"""The canvas: our two layers on an image, for the clicks and for the preview."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal

from napari_piclick._napari.clicks_layer import ClicksLayer
from napari_piclick._napari.other_layers import OtherLayers
from napari_piclick._napari.placement import TRANSFORMS
from napari_piclick._napari.preview_layer import OPACITY, PreviewLayer
from napari_piclick._napari.world import units_of_viewer
from napari_piclick.session.preview_picture import picture

if TYPE_CHECKING:
    from typing import Any

    from napari.components import ViewerModel
    from napari.layers import Image, Layer

    from napari_piclick.clicks import Click
    from napari_piclick.plane import Plane
    from napari_piclick.proposals import Proposals


#: Width of an outline on the screen, and at most in the image, in pixels.
LINE, MOST_PIXELS = 1.5, 8


class Canvas:
    """Draws clicks and the chosen proposal over an image, and tells of new clicks.

    A layer of ours that the user deletes is made again when it is needed.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    image : napari.layers.Image
    opacity : float
        Of the preview, 0 to 1.
    pixel_ratio : float
        How many device pixels each of Qt's has on the screen.

    Attributes
    ----------
    clicked : psygnal.Signal
        Emitted with (position, positive): volume coordinates, and the sign of the click.
    picked : psygnal.Signal
        Emitted with a position in volume coordinates when a finished object there is wanted.
    edited : psygnal.Signal
        Emitted after clicks were moved or deleted by hand.
    layer_made : psygnal.Signal
        Emitted with each new layer of clicks.
    moved : psygnal.Signal
        Emitted after the image was moved, and our layers with it.
    """

    clicked = Signal(object, bool)
    picked = Signal(object)
    edited = Signal()
    layer_made = Signal(object)
    moved = Signal()

    def __init__(
        self,
        viewer: ViewerModel,
        image: Image,
        opacity: float = OPACITY,
        pixel_ratio: float = 1.0,
    ) -> None:
        self._viewer = viewer
        self._image = image
        self._clicks: ClicksLayer | None = None
        self._preview: PreviewLayer | None = None
        self._drawn: tuple[Proposals | None, Proposals | None] | None = None
        self._opacity = opacity
        self._pixel_ratio = pixel_ratio
        self._others = OtherLayers(viewer, image)
        self._others.clicked.connect(self._on_clicked_elsewhere)
        self._others.picked.connect(self._on_picked_elsewhere)
        for name in (*TRANSFORMS, "units"):
            getattr(image.events, name).connect(self._on_image_moved)
        viewer.layers.events.removed.connect(self._on_layer_removed)
        viewer.dims.events.units.connect(self._on_units_changed)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Our layers that exist now."""
        return tuple(own.layer for own in (self._preview, self._clicks) if own is not None)

    @property
    def ready(self) -> bool:
        """Whether a click in the canvas reaches us, on the layer of clicks or on another."""
        return self._others.ready or (
            self._clicks is not None
            and self._viewer.layers.selection.active == self._clicks.layer
            and str(self._clicks.layer.mode) == "add"
        )

    def activate(self) -> None:
        """Make the next click in the canvas reach us."""
        if self._clicks is None:
            self._clicks = ClicksLayer(self._image, self._viewer.dims)
            self._clicks.set_pixel_ratio(self._pixel_ratio)
            self._clicks.clicked.connect(self._on_clicked)
            self._clicks.picked.connect(self._on_picked)
            self._clicks.edited.connect(self._on_edited)
            self._viewer.add_layer(self._clicks.layer)
            self.layer_made.emit(self._clicks.layer)
        self._make_preview()  # now, because it would hold up the first click
        self._clicks.layer.mode = "add"
        self._viewer.layers.selection.active = self._clicks.layer

    def set_opacity(self, opacity: float) -> None:
        """Have the preview cover more, or less, of the image."""
        self._opacity = opacity
        if self._preview is not None:
            self._preview.layer.opacity = opacity

    def set_pixel_ratio(self, ratio: float) -> None:
        """Draw on a screen with so many device pixels to each of Qt's."""
        self._pixel_ratio = ratio
        if self._clicks is not None:
            self._clicks.set_pixel_ratio(ratio)

    def read_clicks(self) -> tuple[np.ndarray, list[bool]]:
        """The points in volume coordinates, (N, ndim), and which of them are positive."""
        if self._clicks is None:
            return np.empty((0, self._image.ndim)), []
        return self._clicks.read()

    def draw(
        self,
        plane: Plane | None,
        clicks: tuple[Click, ...],
        proposals: Proposals | None,
        foreseen: Proposals | None = None,
    ) -> None:
        """Show clicks and the chosen proposal on a plane, and nothing on any other.

        Parameters
        ----------
        plane : Plane, optional
            The plane in view.
        clicks : tuple of Click
        proposals : Proposals, optional
        foreseen : Proposals, optional
            What a click would give, to be shown faintly as well.
        """
        if self._clicks is not None:
            points = np.empty((0, self._image.ndim))
            if plane is not None and clicks:
                points = plane.to_volume([(click.row, click.col) for click in clicks])
            self._clicks.draw(points, [click.positive for click in clicks] if plane else [])
        if plane is None or (proposals is None and foreseen is None):
            self._drawn = None
            if self._preview is not None:
                self._preview.clear()
        elif self._drawn is None or not (
            self._drawn[0] is proposals and self._drawn[1] is foreseen
        ):
            region, values = picture(proposals, foreseen, self._line_width(plane))
            self._make_preview().draw(plane, region, values)
            self._drawn = proposals, foreseen

    def close(self) -> None:
        """Take our layers away and stop listening."""
        self._viewer.layers.events.removed.disconnect(self._on_layer_removed)
        self._viewer.dims.events.units.disconnect(self._on_units_changed)
        for name in (*TRANSFORMS, "units"):
            getattr(self._image.events, name).disconnect(self._on_image_moved)
        for layer in self.layers:
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        self._let_go_of_clicks()
        self._preview = None
        self._others.close()

    def _line_width(self, plane: Plane) -> int:
        """How many pixels of the plane make a line that is seen at the present zoom."""
        units = units_of_viewer(self._image, self._viewer.dims)[list(plane.displayed)]
        seen = min(plane.spacing / units) * self._viewer.scene.camera.zoom
        return max(1, min(round(LINE / seen), MOST_PIXELS)) if seen > 0 else 1

    def _make_preview(self) -> PreviewLayer:
        if self._preview is None:
            self._preview = PreviewLayer(self._image, self._opacity)
            active = self._viewer.layers.selection.active
            above = len(self._viewer.layers)
            if self._clicks is not None and self._clicks.layer in self._viewer.layers:
                above = self._viewer.layers.index(self._clicks.layer)
            self._viewer.layers.insert(above, self._preview.layer)
            self._viewer.layers.selection.active = active
        return self._preview

    def _let_go_of_clicks(self) -> None:
        if self._clicks is not None:
            self._clicks.close()
            self._clicks.clicked.disconnect(self._on_clicked)
            self._clicks.picked.disconnect(self._on_picked)
            self._clicks.edited.disconnect(self._on_edited)
            self._clicks = None

    def _on_clicked(self, position: np.ndarray, positive: bool) -> None:
        self.clicked.emit(position, positive)

    def _on_picked(self, position: np.ndarray) -> None:
        self.picked.emit(position)

    def _on_clicked_elsewhere(self, position: np.ndarray, positive: bool) -> None:
        # The keys that follow a click are ours: on a labels layer 1 and 2 would take up an
        # eraser and a brush, and the next click would rub out or paint.
        self.activate()
        self.clicked.emit(position, positive)

    def _on_picked_elsewhere(self, position: np.ndarray) -> None:
        self.activate()
        self.picked.emit(position)

    def _on_edited(self) -> None:
        self.edited.emit()

    def _on_layer_removed(self, event: Any) -> None:
        if self._clicks is not None and event.value == self._clicks.layer:
            self._let_go_of_clicks()
        if self._preview is not None and event.value == self._preview.layer:
            self._preview = self._drawn = None
        self._on_units_changed()  # it may have been the layer with the smallest

    def _on_units_changed(self) -> None:
        if self._clicks is not None and self._image in self._viewer.layers:
            self._clicks.place()

    def _on_image_moved(self) -> None:
        if self._clicks is not None:
            self._clicks.place()
        if self._preview is not None:
            self._preview.place()
        self._drawn = None
        self.moved.emit()
