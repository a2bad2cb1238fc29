"""The destination: which labels layer accepted objects go to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from psygnal import Signal

from napari_piclick._napari.placement import lies_on
from napari_piclick._napari.target import Target, check_target, new_target

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Labels

    from napari_piclick.session.label_edit import LabelEdit


class Destination:
    """A labels layer that the user chose, or one that is made when it is first needed.

    Each image has its own layer, which is taken again when the image is; images that lie on each
    other, as the channels of a stain do, share one. Layers that took objects before are followed
    as long as they are in the viewer, because what happened to them can still be undone.

    Parameters
    ----------
    viewer : napari.components.ViewerModel

    Attributes
    ----------
    changed : psygnal.Signal
        Emitted when another layer, or a new one, is to take the objects.
    selected : psygnal.Signal
        Emitted when another id is selected in the layer that takes the objects.
    painted : psygnal.Signal
        Emitted with (target, edit) after somebody else changed one of the layers, with a brush.
    gone : psygnal.Signal
        Emitted with a target whose layer was removed, or holds labels of another size now.
    """

    changed = Signal()
    selected = Signal()
    painted = Signal(object, object)
    gone = Signal(object)

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._target: Target | None = None
        self._known: dict[Labels, _Followed] = {}
        self._image: ref[Image] | None = None
        self._shape: tuple[int, ...] = ()
        self._chosen: WeakKeyDictionary[Image, Labels] = WeakKeyDictionary()
        viewer.layers.events.removed.connect(self._on_layer_removed)

    @property
    def target(self) -> Target | None:
        """The layer as a label map; None for one that is yet to be made."""
        return self._target

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
        if layer is not None and self.layer != layer:
            check_target(layer, shape)
        image = None if self._image is None else self._image()
        if image is not None:
            self._chosen.pop(image, None)
            if layer is not None:
                self._chosen[image] = layer
        self._take(layer)

    def turn_to(self, image: Image | None, shape: tuple[int, ...]) -> None:
        """Take the layer of another image, or of one that has another shape now.

        An image that has none yet goes on with the present layer if that lies on it.
        """
        before = None if self._image is None else self._image()
        if image is before and shape == self._shape:
            return
        self._image, self._shape = None if image is None else ref(image), shape
        layer, present = None if image is None else self._chosen.get(image), self.layer
        if layer is not None and layer.data.shape != shape:
            layer = None
        if layer is None and image is not None and present is not None:
            fits = present.data.shape == shape and lies_on(present, image)
            layer = present if fits else None
        self._take(layer)

    def image_of(self, layer: Labels | None) -> Image | None:
        """The image for which a layer was first chosen or made, as far as that is known."""
        return next((image for image, one in self._chosen.items() if one is layer), None)

    def ready(self, image: Image, shape: tuple[int, ...]) -> Target:
        """The layer to write to; made, right above the image, if there is none."""
        if self._target is None:
            layer = new_target(image, shape)
            layers = self._viewer.layers
            active = layers.selection.active
            layers.insert(layers.index(image) + 1, layer)
            layers.selection.active = active
            self._target = self._follow(layer, empty=True)
            self._chosen[image] = layer
            self.changed.emit()
        self._chosen.setdefault(image, self._target.layer)
        return self._target

    def close(self) -> None:
        """Let go of all layers and stop listening."""
        self._viewer.layers.events.removed.disconnect(self._on_layer_removed)
        for followed in self._known.values():
            followed.close()
        self._known.clear()
        self._target = None

    def _take(self, layer: Labels | None) -> None:
        if layer is not self.layer:
            self._target = None if layer is None else self._follow(layer)
            self.changed.emit()

    def _follow(self, layer: Labels, *, empty: bool = False) -> Target:
        if layer not in self._known:
            self._known[layer] = _Followed(self, Target(layer, empty=empty))
        return self._known[layer].target

    def let_go(self, target: Target) -> None:
        """Follow a layer no longer; it takes no more objects."""
        followed = self._known.pop(target.layer, None)
        if followed is None:
            return
        followed.close()
        for image in [image for image, layer in self._chosen.items() if layer is target.layer]:
            del self._chosen[image]
        if self._target is target:
            self._target = None
        self.gone.emit(target)
        self.changed.emit()

    def _on_layer_removed(self, event: Any) -> None:
        if event.value in self._known:
            self.let_go(self._known[event.value].target)


class _Followed:
    """A target, and what the destination hears of it."""

    def __init__(self, destination: Destination, target: Target) -> None:
        self.target = target
        self._destination = destination
        self._shape = target.data.shape
        target.painted.connect(self._on_painted)
        target.replaced.connect(self._on_replaced)
        target.selected.connect(self._on_selected)

    def close(self) -> None:
        self.target.painted.disconnect(self._on_painted)
        self.target.replaced.disconnect(self._on_replaced)
        self.target.selected.disconnect(self._on_selected)
        self.target.close()

    def _on_painted(self, edit: LabelEdit) -> None:
        self._destination.painted.emit(self.target, edit)

    def _on_selected(self) -> None:
        if self._destination.target is self.target:
            self._destination.selected.emit()

    def _on_replaced(self) -> None:
        if self.target.layer.multiscale or self.target.data.shape != self._shape:
            self._destination.let_go(self.target)
