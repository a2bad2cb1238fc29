"""The viewfinder: which plane of which image the user looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Image
from psygnal import Signal

from napari_piclick._napari.slice_numbers import SliceNumbers
from napari_piclick._napari.view import (
    NoPlaneError,
    level_zero,
    plane_in_view,
    show_plane,
    show_voxel,
)
from napari_piclick._napari.world import units_of_viewer
from napari_piclick.session.place import Place
from napari_piclick.session.plane_stack import PlaneStack
from napari_piclick.session.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from napari.components import ViewerModel

    from napari_piclick.plane import Plane
    from napari_piclick.session.channels import Channels

NO_IMAGE = "There is no image: open one, or drag a file into the window."


class Viewfinder:
    """Follows the viewer's sliders and layers.

    Parameters
    ----------
    viewer : napari.components.ViewerModel

    Attributes
    ----------
    image : napari.layers.Image or None
        The layer that is looked at.
    channels : Channels or None
        What the model is shown instead of the image's own pixels.
    source : Source or None
        The plane in view and its pixels; None if there is none, and then `problem` says why.
    problem : str
        A sentence for the user, or nothing.
    plane_changed : psygnal.Signal
        Emitted when another plane, or none, came into view, or its pixels changed.
    image_gone : psygnal.Signal
        Emitted when the image was taken out of the viewer and a new one may be looked at.
    image_wanted : psygnal.Signal
        Emitted when there is no image and a layer was selected that may be one.
    """

    plane_changed = Signal()
    image_gone = Signal()
    image_wanted = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        self.image: Image | None = None
        self.source: Source | None = None
        self.problem = NO_IMAGE
        self.channels: Channels | None = None
        self._viewer = viewer
        self._version = 0
        self._batch = False
        for event, callback in self._events_heard():
            event.connect(callback)

    @property
    def images(self) -> list[Image]:
        """The layers that can be looked at."""
        return [layer for layer in self._viewer.layers if isinstance(layer, Image)]

    @property
    def plane(self) -> Plane | None:
        """The plane in view."""
        return None if self.source is None else self.source.plane

    @property
    def place(self) -> Place | None:
        """The plane in view, and of which image."""
        if self.image is None or self.plane is None:
            return None
        return Place(self.image.unique_id, self.plane)

    @property
    def volume_key(self) -> Hashable:
        """Identity of what the model is shown of the image: it changes when the pixels do."""
        image = None if self.image is None else self.image.unique_id
        return image, self._version, None if self.channels is None else self.channels.key

    def stack(self, axis: int) -> PlaneStack | None:
        """The planes along an axis through the plane in view; None if there is none."""
        source = self.source
        if source is None:
            return None
        return PlaneStack(
            source.volume, source.plane, axis, self.volume_key, source.contrast_limits,
            source.colors,
        )  # fmt: skip

    def show_channels(self, channels: Channels | None) -> None:
        """Have the model see channels of the image as colours, or the image as it is."""
        if (channels and channels.key) != (self.channels and self.channels.key):
            self.channels = channels
            self.look()

    @property
    def shape(self) -> tuple[int, ...]:
        """Size of the image in voxels, colours left out."""
        if self.image is None:
            return ()
        return tuple(int(n) for n in level_zero(self.image).shape[: self.image.ndim])

    def first_image(self) -> Image | None:
        """The selected image, or else the topmost."""
        active = self._viewer.layers.selection.active
        if isinstance(active, Image):
            return active
        return self.images[-1] if self.images else None

    @property
    def pixel(self) -> tuple[tuple[float, float], str]:
        """Height and width of a pixel in view, and the unit of both: "pixel" if it is not known."""
        if self.plane is None or self.image is None:
            return (1.0, 1.0), "pixel"
        rows, cols = (str(self.image.units[axis]) for axis in self.plane.displayed)
        return self.plane.spacing, rows if rows == cols else "pixel"

    def elsewhere(self, places: Iterable[Hashable]) -> list[list[tuple[str, int]]]:
        """Where the sliders stand for those places that are other planes of the image in view."""
        here = self.image.unique_id if self.image is not None else None
        return [
            self.sliders_of(place.plane)
            for place in places
            if isinstance(place, Place) and place.image == here and place.plane != self.plane
        ]

    def sliders_of(self, plane: Plane) -> list[tuple[str, int]]:
        """Where the sliders stand when a plane of the image is in view: axis and step of each.

        The steps are those that the viewer shows, which count along the world's axes, from the
        first layer that begins.
        """
        dims = self._viewer.dims
        first = dims.ndim - plane.ndim
        return [
            (str(dims.axis_labels[axis + first]), round(self._slider(plane, axis)))
            for axis in plane.hidden
        ]

    def slice_numbers(self, axis: int) -> SliceNumbers:
        """How the viewer's slider counts the slices along an axis of the image."""
        plane = self.plane
        if plane is None or axis not in plane.hidden or plane.volume_shape[axis] < 2:
            return SliceNumbers()
        first, second = (self._slider(plane.at(axis, index), axis) for index in (0, 1))
        return SliceNumbers(first, second - first)

    def _slider(self, plane: Plane, axis: int) -> float:
        """Where the slider of an axis stands when a plane of the image is in view."""
        dims = self._viewer.dims
        start, _, step = dims.range[axis + dims.ndim - plane.ndim]
        world = plane.to_world((0.0, 0.0))
        if self.image is not None:
            world = world / units_of_viewer(self.image, dims)
        return (float(world[axis]) - start) / step if step else 0.0

    def go_to(self, plane: Plane) -> None:
        """Bring a plane of the image into view."""
        if self.image is not None and plane != self.plane and plane.volume_shape == self.shape:
            show_plane(self.image, plane, self._viewer.dims)

    def go_to_voxel(self, voxel: Sequence[float]) -> None:
        """Bring the plane with a voxel of the image into view."""
        if self.image is not None:
            show_voxel(self.image, voxel, self._viewer.dims)

    def look_at(self, image: Image | None) -> None:
        """Look at another image, or none."""
        self._leave()
        self.image = image
        self.channels = None
        if image is not None:
            image.events.data.connect(self._on_pixels_changed)
            image.events.contrast_limits.connect(self._on_window_changed)
        self.look()

    def look(self) -> None:
        """See which plane is in view now."""
        if self.image is not None and self.image not in self._viewer.layers:
            return  # it is just being removed, and we are told next
        before, (self.source, self.problem) = self.source, self._see()
        if (before and before.key) != (self.source and self.source.key):
            self.plane_changed.emit()

    def close(self) -> None:
        """Stop listening."""
        self._leave()
        for event, callback in self._events_heard():
            event.disconnect(callback)

    def _leave(self) -> None:
        if self.image is not None:
            self.image.events.data.disconnect(self._on_pixels_changed)
            self.image.events.contrast_limits.disconnect(self._on_window_changed)
            self.image = None

    def _see(self) -> tuple[Source | None, str]:
        image = self.image
        if image is None:
            return None, NO_IMAGE
        try:
            plane = plane_in_view(image, self._viewer.dims)
        except NoPlaneError as problem:
            return None, str(problem)
        low, high = (float(value) for value in image.contrast_limits)
        key = (self.volume_key, plane.key)
        if self.channels is not None:
            return Source(key, plane, self.channels.volume, None, colors=True), ""
        return Source(key, plane, level_zero(image), (low, high)), ""

    def _events_heard(self) -> list[tuple[Any, Callable[..., None]]]:
        layers, dims = self._viewer.layers, self._viewer.dims
        return [
            (layers.events.removed, self._on_layer_removed),
            (layers.events.begin_batch, self._on_batch_began),
            (layers.events.end_batch, self._on_batch_ended),
            (layers.selection.events.active, self._on_layer_selected),
            *(
                (getattr(dims.events, name), self._on_dims_changed)
                for name in ("point", "order", "ndisplay", "ndim")
            ),
        ]

    def _on_dims_changed(self) -> None:
        self.look()

    def _on_pixels_changed(self) -> None:
        self._version += 1
        self.look()

    def _on_window_changed(self) -> None:
        self.look()

    def _on_layer_selected(self) -> None:
        # A layer is selected last of all when it is inserted, after napari has made room for it.
        if self.image is None:
            self.image_wanted.emit()

    def _on_layer_removed(self, event: Any) -> None:
        if self.image is not None and event.value == self.image and not self._batch:
            self.image_gone.emit()

    def _on_batch_began(self) -> None:
        self._batch = True

    def _on_batch_ended(self) -> None:
        # napari removes selected layers one by one, and ours may be among those still to go
        self._batch = False
        if self.image is not None and self.image not in self._viewer.layers:
            self.image_gone.emit()
