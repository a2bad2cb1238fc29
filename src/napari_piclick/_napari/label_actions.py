"""The label actions: what the user asks to be done to objects, in the labels layer of a viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Labels
from napari.utils.notifications import show_warning
from psygnal import Signal

from napari_piclick._napari.destination import Destination
from napari_piclick._napari.homes import Homes
from napari_piclick._napari.viewfinder import NO_IMAGE
from napari_piclick._napari.world import to_layer
from napari_piclick.session.label_map import LabelsError
from napari_piclick.session.object_table import object_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from napari.components import ViewerModel
    from napari.layers import Layer
    from numpy.typing import ArrayLike

    from napari_piclick._napari.target import Target
    from napari_piclick._napari.viewfinder import Viewfinder
    from napari_piclick.session import LabelEdit, Session, Step
    from napari_piclick.session.accepted import Written
    from napari_piclick.session.object_table import Row

    Result = TypeVar("Result")


class LabelActions:
    """Has the session change objects in the viewer's labels; what cannot be done is said.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    session : Session
    view : Viewfinder
    ours : callable
        Gives the layers that hold no objects, because we draw on them.

    Attributes
    ----------
    destination : Destination
    homes : Homes
        Which image each of the labels belongs to.
    overwrite : bool
        Whether an accepted object may take pixels from others.
    written : Written or None
        The object accepted last.
    changed : psygnal.Signal
        Emitted when another layer is to take the objects, or an object was written.
    """

    changed = Signal()

    def __init__(
        self,
        viewer: ViewerModel,
        session: Session,
        view: Viewfinder,
        ours: Callable[[], Sequence[Layer]],
    ) -> None:
        self.destination = Destination(viewer)
        self.homes = Homes(view, self.destination)
        self.overwrite = False
        self.written: Written | None = None
        self._viewer = viewer
        self._session = session
        self._view = view
        self._ours = ours
        self.destination.changed.connect(self._on_destination_changed)
        self.destination.painted.connect(self._on_painted)
        self.destination.gone.connect(self._on_gone)

    def close(self) -> None:
        """Let go of the labels and stop listening."""
        self.destination.close()
        self.destination.changed.disconnect(self._on_destination_changed)
        self.destination.painted.disconnect(self._on_painted)
        self.destination.gone.disconnect(self._on_gone)

    @property
    def target(self) -> Labels | None:
        """Where accepted objects go; None for a layer that is yet to be made."""
        return self.destination.layer

    @property
    def offered(self) -> list[Labels]:
        """The labels layers as large as the image."""
        ours = self._ours()
        layers = [layer for layer in self._viewer.layers if isinstance(layer, Labels)]
        return [
            layer
            for layer in layers
            if layer not in ours
            and not layer.multiscale
            and tuple(layer.data.shape) == self._view.shape
        ]

    def set_target(self, layer: Labels | None) -> None:
        """Write accepted objects into a labels layer; None for a new one."""
        self.tried(lambda: self.destination.choose(layer, self._view.shape))
        self.changed.emit()

    def ready(self) -> Target | None:
        """The labels to write to, made if there are none; None, and a word, without an image."""
        if self._view.image is None:
            show_warning(NO_IMAGE)
            return None
        return self.destination.ready(self._view.image, self._view.shape)

    def named(self, name: str) -> Target | None:
        """Labels of this name to write to, chosen from now on; a new layer if there are none."""
        if self._view.image is None:
            return None
        for layer in self.offered:
            if layer.name == name and layer.editable:
                self.set_target(layer)
                return self.destination.target if self.target == layer else None
        self.destination.choose(None, self._view.shape)
        target = self.ready()
        if target is not None:
            target.layer.name = name
        return target

    def take_new(self, name: str, data: np.ndarray) -> None:
        """Make a layer of labels that are given, and write to it from now on."""
        self.destination.choose(None, self._view.shape)
        target = self.ready()
        if target is not None:
            target.layer.data = data
            target.layer.name = name
            self._session.objects.look_again()

    def accept(self) -> bool:
        """Write the chosen proposal into the labels; False, and a word, if that cannot be."""
        if self._session.proposals is None:
            show_warning("There is nothing to keep yet: click on an object first.")
            return False
        if self.ready() is None:
            return False
        accepted = self.tried(lambda: self._session.accept(overwrite=self.overwrite))
        if accepted is None or accepted.written is None:
            return False
        self.written = accepted.written
        self.select(self.written.label)
        self.changed.emit()
        return True

    def apply(self, edit: LabelEdit, what: str, into: Step | None = None) -> Step | None:
        """Change the labels; one undo takes it back.

        Parameters
        ----------
        edit : LabelEdit
            Of the labels that `ready` gives.
        what : str
            What it is, in a few words for the user.
        into : Step, optional
            The step of an earlier edit that is to be undone together with this one, as long as
            nothing else was done in between.

        Returns
        -------
        Step or None
            For the next edit's ``into``; None, after a sentence for the user, if it cannot be.
        """
        if self.ready() is None:
            return None
        return self.tried(lambda: self._session.apply(edit, what, into))

    def select(self, label: int, else_do: str = "choose a smaller one") -> None:
        """Select an id in the labels; a word, and what else to do, if their type ends before."""
        layer = self.target
        if layer is None:
            return
        try:
            layer.selected_label = label
        except ValueError:
            largest = np.iinfo(layer.data.dtype).max
            show_warning(f"The labels “{layer.name}” hold numbers up to {largest}: {else_do}.")

    # -- one object -----------------------------------------------------------------------

    def reopen(self, label: int) -> bool:
        """Take an object up again, so that the next click refines it."""
        return self.tried(lambda: self._session.objects.reopen(label)) is not None

    def reopen_at(self, position: ArrayLike) -> bool:
        """Take up the object at a position in volume coordinates, in the topmost labels there.

        If those are other labels than the chosen ones, they are chosen.
        """
        layer, label = self._find(position)
        if layer is None:
            show_warning("There is no object there: pick one that is labelled.")
            return False
        if layer != self.target:
            self.set_target(layer)
        return layer == self.target and self.reopen(label)

    def reopen_under_cursor(self) -> bool:
        """Take up the object under the mouse."""
        image = self._view.image
        if image is None:
            show_warning(NO_IMAGE)
            return False
        viewer = self._viewer
        return self.reopen_at(to_layer(image, viewer.cursor.position, viewer.dims))

    def start_new(self) -> None:
        """Go on with a new object, under the next free id; a brush takes that id too."""
        if self._session.draft.label is not None:
            self._session.cancel()
        target = self.destination.target
        if target is not None:
            self.select(target.next_label, "the next object that you keep makes room for more")

    def delete(self, label: int) -> bool:
        """Take an object out of the labels."""
        return self.tried(lambda: self._session.objects.delete(label)) is not None

    def merge(self, label: int, into: int) -> bool:
        """Make an object part of another one."""
        return self.tried(lambda: self._session.objects.merge(label, into)) is not None

    def classify(self, label: int, kind: str) -> bool:
        """Put an object in a class; an empty name takes it out."""
        return self.tried(lambda: self._session.objects.classify(label, kind)) is not None

    def keep_largest(self, label: int, *, whole: bool = True) -> None:
        """Keep the largest part of an object: of all of it, or on this plane."""
        self.tried(lambda: self._session.objects.keep_largest(label, whole=whole))

    def fill_holes(self, label: int, *, whole: bool = True) -> None:
        """Fill the holes of an object: of all of it, or on this plane."""
        self.tried(lambda: self._session.objects.fill_holes(label, whole=whole))

    def smooth(self, label: int, *, whole: bool = True) -> None:
        """Smooth the outline of an object: of all of it, or on this plane."""
        spacing, _ = self.scale()
        self.tried(lambda: self._session.objects.smooth(label, whole=whole, spacing=spacing))

    def scale(self) -> tuple[list[float] | None, str]:
        """Size of a voxel along each axis of the image, and its unit; None, "pixel" if unknown."""
        plane = self._view.plane
        if plane is None or self._view.image is None:
            return None, "pixel"
        return list(plane.voxel_size), str(self._view.image.units[-1])

    def table(self) -> list[Row]:
        """A row for each object; see `object_table`."""
        spacing, _ = self.scale()
        return object_table(self._session.objects, spacing)

    def jump(self, label: int) -> None:
        """Bring an object into view, on the slice where most of it is."""
        index = self._session.objects.index
        voxel = None if index is None else index.voxel(label)
        if voxel is None:
            show_warning(f"There is no object {label} any more.")
            return
        self.select(label)
        self._view.go_to_voxel(voxel)

    # -- inside ---------------------------------------------------------------------------

    def _find(self, position: ArrayLike) -> tuple[Labels | None, int]:
        """The topmost visible labels that have an object at a position, and its id."""
        voxel = tuple(int(i) for i in np.round(np.asarray(position)))
        if not all(0 <= i < n for i, n in zip(voxel, self._view.shape, strict=True)):
            return None, 0
        layers = [layer for layer in reversed(self.offered) if layer.visible and layer.editable]
        for layer in sorted(layers, key=lambda layer: layer != self.target):
            label = int(layer.data[voxel])
            if label:
                return layer, label
        return None, 0

    def tried(self, request: Callable[[], Result]) -> Result | None:
        """What a request gives; None, and a sentence for the user, if it cannot be done."""
        try:
            return request()
        except LabelsError as error:
            show_warning(str(error))
            return None

    def _on_destination_changed(self) -> None:
        self._session.set_labels(self.destination.target)
        self.changed.emit()

    def _on_painted(self, target: Target, edit: LabelEdit) -> None:
        self._session.painted(edit, target)

    def _on_gone(self, target: Target) -> None:
        self._session.forget_labels(target)
