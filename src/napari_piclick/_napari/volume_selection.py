"""The volume selection: which object is followed, and along which axis of the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal

from napari_piclick._napari.slice_numbers import SliceNumbers
from napari_piclick.session.followed_object import FollowedObject

if TYPE_CHECKING:
    from napari_piclick._napari.controller import Controller


class VolumeSelection:
    """The object whose id is selected in the labels, slice by slice along one axis.

    Parameters
    ----------
    controller : Controller

    Attributes
    ----------
    held : bool
        Whether `followed` stays the object it is, whatever is selected, as work on it runs.
    changed : psygnal.Signal
        Emitted when another axis is chosen here, or another object, here or in the labels.
    """

    changed = Signal()

    def __init__(self, controller: Controller) -> None:
        self.held = False
        self._controller = controller
        self._axis: int | None = None
        self._followed: FollowedObject | None = None
        controller.labels.destination.selected.connect(self._on_selected)

    def close(self) -> None:
        """Listen no more."""
        self._controller.labels.destination.selected.disconnect(self._on_selected)

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes along which the plane in view can be moved."""
        plane = self._controller.plane
        return () if plane is None else plane.hidden

    @property
    def axis(self) -> int | None:
        """The axis to go along; by default the one nearest to the plane."""
        axes = self.axes
        if self._axis in axes:
            return self._axis
        return axes[-1] if axes else None

    @property
    def index(self) -> int | None:
        """The slice in view."""
        plane, axis = self._controller.plane, self.axis
        return None if plane is None or axis is None else plane.position(axis)

    @property
    def count(self) -> int:
        """Number of slices."""
        plane, axis = self._controller.plane, self.axis
        return 0 if plane is None or axis is None else plane.volume_shape[axis]

    @property
    def numbers(self) -> SliceNumbers:
        """How the viewer's slider counts the slices: whatever the user reads counts as it does."""
        axis = self.axis
        return SliceNumbers() if axis is None else self._controller.view.slice_numbers(axis)

    @property
    def label(self) -> int:
        """The object that is selected in the labels; 0 if there are none."""
        layer = self._controller.target
        return 0 if layer is None else int(layer.selected_label)

    @property
    def followed(self) -> FollowedObject | None:
        """The selected object, slice by slice; None if there is none."""
        plane, axis = self._controller.plane, self.axis
        target = self._controller.labels.destination.target
        if target is None or plane is None or axis is None or not self.label:
            return None
        known = self._followed
        if known is None or not known.fits(target, self.label, plane, axis):
            if self.held:
                return known
            known = FollowedObject(target, self.label, plane, axis)
            known.read(self._where(axis))
            self._followed = known
        return known

    @property
    def known(self) -> FollowedObject | None:
        """The object that was followed last, without a look at what is selected now."""
        return self._followed

    def set_axis(self, axis: int) -> None:
        """Go along another axis from now on: depth, or time."""
        self._axis = axis
        self.changed.emit()

    def set_label(self, label: int) -> None:
        """Select another object in the labels."""
        self._controller.labels.select(label)
        if self.label != label:  # it cannot be, and whoever shows it is to show the old one again
            self.changed.emit()

    def go_to(self, index: int) -> None:
        """Bring a slice into view."""
        plane, axis = self._controller.plane, self.axis
        if plane is None or axis is None or not 0 <= index < plane.volume_shape[axis]:
            return
        self._controller.view.go_to(plane.at(axis, index))

    def _on_selected(self) -> None:
        self.changed.emit()

    def _where(self, axis: int) -> range:
        """The slices on which the selected object may be: no others need to be read."""
        index = self._controller.session.objects.index
        if index is not None and not index.complete:
            return range(self.count)
        box = None if index is None else index.box(self.label)
        return range(0) if box is None else range(box[axis].start, box[axis].stop)
