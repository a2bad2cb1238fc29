"""The destination: which labels layer accepted objects go to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_piclick._napari.target import Target, check_target, new_target

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Labels


class Destination:
    """A labels layer that the user chose, or one that is made when it is first needed.

    Parameters
    ----------
    viewer : napari.components.ViewerModel

    Attributes
    ----------
    changed : psygnal.Signal
        Emitted when another layer, or a new one, is to take the objects.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._target: Target | None = None
        viewer.layers.events.removed.connect(self._on_layer_removed)

    @property
    def layer(self) -> Labels | None:
        """The layer; None for one that is yet to be made."""
        return None if self._target is None else self._target.layer

    def choose(self, layer: Labels | None, shape: tuple[int, ...]) -> None:
        """Take another layer; None for a new one.

        Raises
        ------
        TargetError
            If it cannot take objects of an image of this shape; then the old one stays.
        """
        if layer is not None and self.layer == layer:
            return
        if layer is not None:
            check_target(layer, shape)
        self._let_go()
        self._target = None if layer is None else Target(layer)
        self.changed.emit()

    def fit(self, shape: tuple[int, ...]) -> None:
        """Let go of a layer that does not fit an image of this shape."""
        if self.layer is not None and self.layer.data.shape != shape:
            self.choose(None, shape)

    def ready(self, image: Image, shape: tuple[int, ...]) -> Target:
        """The layer to write to; made, right above the image, if there is none."""
        if self._target is None:
            layer = new_target(image, shape)
            layers = self._viewer.layers
            active = layers.selection.active
            layers.insert(layers.index(image) + 1, layer)
            layers.selection.active = active
            self._target = Target(layer, empty=True)
            self.changed.emit()
        return self._target

    def close(self) -> None:
        """Let go of the layer and stop listening."""
        self._viewer.layers.events.removed.disconnect(self._on_layer_removed)
        self._let_go()

    def _let_go(self) -> None:
        if self._target is not None:
            self._target.close()
            self._target = None

    def _on_layer_removed(self, event: Any) -> None:
        if self.layer is not None and event.value == self.layer:
            self._let_go()
            self.changed.emit()
