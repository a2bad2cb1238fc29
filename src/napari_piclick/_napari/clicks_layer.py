"""The layer of clicks: points on the object, and crosses on what is not."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from napari.layers import Points
from psygnal import Signal

from napari_piclick._napari.placement import place, placement_in, placement_of
from napari_piclick._napari.view import level_zero

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.components import Dims
    from napari.layers import Image

NAME = "PiClick clicks"
SIGNS = ("positive", "negative")
COLORS = ("#3ddc54", "#ff3b30")
SYMBOLS = ("disc", "x")
#: Diameter, as a share of the image's longer side, and its limits on the screen in Qt's pixels.
SIZE = 1 / 40
SCREEN_SIZE = (2, 14)
LEFT, RIGHT = 1, 2
#: Held with the left button, these mean the right one: for trackpads.
NEGATIVE_MODIFIERS = frozenset({"Shift", "Alt"})
#: Held with the left button, this picks a finished object instead of adding a click.
PICK_MODIFIER = "Control"


class ClicksLayer:
    """A points layer that shows the session's clicks and tells of new ones.

    Parameters
    ----------
    image : napari.layers.Image
        The layer to lie on.
    dims : napari.components.Dims
        The viewer's, which know its units.

    Attributes
    ----------
    layer : napari.layers.Points
    clicked : psygnal.Signal
        Emitted with (position, positive) after a click: volume coordinates, and its sign.
    picked : psygnal.Signal
        Emitted with a position in volume coordinates when a finished object there is wanted.
    edited : psygnal.Signal
        Emitted after points were moved, deleted or pasted by hand.
    """

    clicked = Signal(object, bool)
    picked = Signal(object)
    edited = Signal()

    def __init__(self, image: Image, dims: Dims) -> None:
        self._image, self._dims = image, dims
        self.layer = Points(
            ndim=image.ndim,
            name=NAME,
            features=_features([]),
            face_color="sign",
            face_color_cycle=list(COLORS),
            border_color="white",
            border_width=0.1,
            size=max(SIZE * max(level_zero(image).shape[: image.ndim]), 3),
            canvas_size_limits=SCREEN_SIZE,
            **placement_in(image, dims),
        )
        self._drawing = False
        self._button_counts = True
        self._picks = False
        self.layer.mouse_drag_callbacks.append(self._on_mouse_pressed)
        self.layer.events.data.connect(self._on_data_changed)
        self.layer.events.features.connect(self._on_features_changed)

    def place(self) -> None:
        """Follow the image after it was moved, and the viewer after its units have changed."""
        if self.layer.units != self._image.units:
            self._put(placement_of(self._image))  # or the viewer would keep our units for its own
        self._put(placement_in(self._image, self._dims))

    def _put(self, placement: dict[str, Any]) -> None:
        # both at once: in between the points would lie farther away than the sliders reach
        with self.layer.events.affine.blocker():
            self.layer.affine = placement["affine"]
            self.layer.units = placement["units"]
        place(self.layer, placement)

    def draw(self, points: np.ndarray, positive: list[bool]) -> None:
        """Show these clicks.

        Parameters
        ----------
        points : (N, ndim) float
            In volume coordinates.
        positive : list of N bool
        """
        shown, signs = self.read()
        if len(points) == len(shown) and signs == positive and np.array_equal(points, shown):
            return
        with self._drawing_ourselves():
            self.layer.selected_data = set()
            self.layer.data = points
            self.layer.features = _features([SIGNS[not sign] for sign in positive])
            self.layer.symbol = [SYMBOLS[not sign] for sign in positive]

    def set_pixel_ratio(self, ratio: float) -> None:
        """Draw the clicks as large on screens with so many device pixels to each of Qt's."""
        low, high = SCREEN_SIZE
        self.layer.canvas_size_limits = (round(low * ratio), round(high * ratio))

    def read(self) -> tuple[np.ndarray, list[bool]]:
        """The points in volume coordinates, (N, ndim), and which of them are positive."""
        signs = [sign == SIGNS[0] for sign in self.layer.features["sign"]]
        return np.asarray(self.layer.data, dtype=float), signs

    def close(self) -> None:
        """Let go of the layer: it stays, as plain points."""
        self.layer.events.data.disconnect(self._on_data_changed)
        self.layer.events.features.disconnect(self._on_features_changed)
        if self._on_mouse_pressed in self.layer.mouse_drag_callbacks:
            self.layer.mouse_drag_callbacks.remove(self._on_mouse_pressed)

    def _on_mouse_pressed(self, layer: Points, event: Any) -> None:
        """Set the sign before napari adds the point, which it does on release.

        The point itself would otherwise come in the sign, colour and symbol of the last one.
        """
        if str(layer.mode) != "add":
            return
        positive = event.button == LEFT and not NEGATIVE_MODIFIERS & set(event.modifiers)
        self._picks = event.button == LEFT and PICK_MODIFIER in event.modifiers
        self._button_counts = event.button in (LEFT, RIGHT) and not self._picks
        with self._drawing_ourselves():
            layer.selected_data = set()  # what follows would change selected points as well
            layer.feature_defaults = {"sign": SIGNS[not positive]}
            layer.current_symbol = SYMBOLS[not positive]

    def _on_data_changed(self, event: Any) -> None:
        if self._drawing:
            return
        action = getattr(event.action, "value", event.action)
        if action == "added":
            points, positive = self.read()
            counts, self._button_counts = self._button_counts, True
            if not counts:
                with self._drawing_ourselves():
                    self.layer.data = points[:-1]
                if self._picks:
                    self._picks = False
                    self.picked.emit(points[-1])
            elif len(event.data_indices) == 1:
                self.clicked.emit(points[-1], positive[-1])
            else:  # several at once: they were pasted
                self.edited.emit()
        elif action in ("removed", "changed"):
            self.edited.emit()

    def _on_features_changed(self) -> None:
        # napari selects the point it has just added, and paints it blue
        if not self._drawing and str(self.layer.mode) == "add":
            self.layer.selected_data = set()

    @contextmanager
    def _drawing_ourselves(self) -> Iterator[None]:
        before, self._drawing = self._drawing, True
        try:
            yield
        finally:
            self._drawing = before


def _features(signs: list[str]) -> pd.DataFrame:
    # fixed categories: the first sign that comes must not take the first colour
    return pd.DataFrame({"sign": pd.Categorical(signs, categories=list(SIGNS))})
