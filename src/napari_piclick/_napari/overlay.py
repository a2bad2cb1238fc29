"""The overlay: the session as it shows on the image in view, and the user's hand on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal

from napari_piclick._napari.canvas import Canvas
from napari_piclick._napari.preview_layer import OPACITY
from napari_piclick.clicks import Click

if TYPE_CHECKING:
    import numpy as np
    from napari.components import ViewerModel
    from napari.layers import Image, Layer

    from napari_piclick._napari.viewfinder import Viewfinder
    from napari_piclick.proposals import Proposals
    from napari_piclick.session import Session

OUTSIDE = "That click lies outside the image: click on the image itself."


class Overlay:
    """Draws a session on the image in view, and tells what the user clicks there.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    session : Session
    view : Viewfinder

    Attributes
    ----------
    clicked : psygnal.Signal
        Emitted with each new `Click` on the plane in view.
    missed : psygnal.Signal
        Emitted with a sentence after a click that cannot count.
    picked : psygnal.Signal
        Emitted with a position in volume coordinates when a finished object there is wanted.
    edited : psygnal.Signal
        Emitted with all clicks of the plane after some were moved or deleted by hand.
    layer_made : psygnal.Signal
        Emitted with each new layer of clicks.
    moved : psygnal.Signal
        Emitted after the image was moved.
    """

    clicked = Signal(object)
    missed = Signal(str)
    picked = Signal(object)
    edited = Signal(object)
    layer_made = Signal(object)
    moved = Signal()

    def __init__(self, viewer: ViewerModel, session: Session, view: Viewfinder) -> None:
        self._viewer = viewer
        self._session = session
        self._view = view
        self._canvas: Canvas | None = None
        self._peeked: int | None = None
        self._foreseen: Proposals | None = None
        self._opacity = OPACITY
        self._pixel_ratio = 1.0

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers that we draw on."""
        return () if self._canvas is None else self._canvas.layers

    @property
    def listening(self) -> bool:
        """Whether a click in the viewer would reach us."""
        return self._canvas is not None and self._canvas.ready

    def lay_on(self, image: Image | None) -> None:
        """Draw on another image, or on none."""
        self.close()
        if image is None:
            return
        self._canvas = Canvas(self._viewer, image, self._opacity, self._pixel_ratio)
        self._canvas.clicked.connect(self._on_clicked)
        self._canvas.picked.connect(self._on_picked)
        self._canvas.edited.connect(self._on_edited)
        self._canvas.layer_made.connect(self._on_layer_made)
        self._canvas.moved.connect(self._on_moved)
        self._canvas.activate()

    def activate(self) -> bool:
        """Make the next click reach us, whatever layer was selected; False without an image."""
        if self._canvas is None:
            return False
        self._canvas.activate()
        return True

    def set_opacity(self, opacity: float) -> None:
        """Have the preview cover more, or less, of the image."""
        self._opacity = opacity
        if self._canvas is not None:
            self._canvas.set_opacity(opacity)

    def set_pixel_ratio(self, ratio: float) -> None:
        """Draw on a screen with so many device pixels to each of Qt's."""
        if ratio != self._pixel_ratio:
            self._pixel_ratio = ratio
            if self._canvas is not None:
                self._canvas.set_pixel_ratio(ratio)

    def peek(self, index: int | None) -> None:
        """Show another proposal without choosing it; None for the chosen one again."""
        shown = self._session.proposals
        if index is not None and (shown is None or not 0 <= index < len(shown)):
            index = None
        if index != self._peeked:
            self._peeked = index
            self.draw()

    def foresee(self, proposals: Proposals | None) -> None:
        """Show faintly what a click would give, beside what there is; None for no such thing."""
        if proposals is not self._foreseen:
            self._foreseen = proposals
            self.draw()

    def draw_afresh(self) -> None:
        """Show the session as it is, and no longer another proposal than the chosen one."""
        self._peeked = None
        self.draw()

    def draw(self) -> None:
        """Show the session as it is."""
        if self._canvas is None:
            return
        if self._view.plane is not None and self._session.plane != self._view.place:
            # another plane came into view, and the session has not heard of it yet
            self._canvas.draw(self._view.plane, (), None)
            return
        shown = self._session.proposals
        if shown is not None and self._peeked is not None:
            shown = shown.choose(self._peeked)
        self._canvas.draw(self._view.plane, self._session.clicks, shown, self._foreseen)

    def read_clicks(self) -> list[Click]:
        """The clicks that show on the plane in view."""
        if self._canvas is None or self._view.plane is None:
            return []
        points, signs = self._canvas.read_clicks()
        places = self._view.plane.from_volume(points)
        return [
            Click(float(row), float(col), sign)
            for (row, col), sign in zip(places, signs, strict=True)
        ]

    def close(self) -> None:
        """Take our layers away."""
        if self._canvas is not None:
            canvas, self._canvas = self._canvas, None
            canvas.close()

    def _on_clicked(self, position: np.ndarray, positive: bool) -> None:
        plane = self._view.plane
        if plane is None:
            self.missed.emit(self._view.problem)
            return
        row, col = plane.from_volume(position)
        click = Click(float(row), float(col), positive)
        if click.inside(plane.shape):
            self.clicked.emit(click)
        else:
            self.missed.emit(OUTSIDE)

    def _on_edited(self) -> None:
        plane = self._view.plane
        if plane is None:
            self.draw()
        else:
            self.edited.emit(
                tuple(click for click in self.read_clicks() if click.inside(plane.shape))
            )

    def _on_picked(self, position: np.ndarray) -> None:
        self.picked.emit(position)

    def _on_layer_made(self, layer: Layer) -> None:
        self.layer_made.emit(layer)

    def _on_moved(self) -> None:
        self.moved.emit()
