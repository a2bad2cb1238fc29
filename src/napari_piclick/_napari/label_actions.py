"""The label actions: what the user asks to be done to objects, in the labels layer of a viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.layers import Labels
from napari.utils.notifications import show_warning
from psygnal import Signal

from napari_piclick._napari.destination import Destination
from napari_piclick._napari.viewfinder import NO_IMAGE
from napari_piclick.session.label_map import LabelsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from napari.components import ViewerModel

    from napari_piclick._napari.target import Target
    from napari_piclick._napari.viewfinder import Viewfinder
    from napari_piclick.session import LabelEdit, Session, Step
    from napari_piclick.session.accepted import Written

    Result = TypeVar("Result")


class LabelActions:
    """Has the session change objects in the viewer's labels; what cannot be done is said.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    session : Session
    view : Viewfinder

    Attributes
    ----------
    destination : Destination
    overwrite : bool
        Whether an accepted object may take pixels from others.
    written : Written or None
        The object accepted last.
    changed : psygnal.Signal
        Emitted when another layer is to take the objects, or an object was written.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel, session: Session, view: Viewfinder) -> None:
        self.destination = Destination(viewer)
        self.overwrite = False
        self.written: Written | None = None
        self._viewer = viewer
        self._session = session
        self._view = view
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
        layers = [layer for layer in self._viewer.layers if isinstance(layer, Labels)]
        return [
            layer
            for layer in layers
            if not layer.multiscale and tuple(layer.data.shape) == self._view.shape
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
        if self.target is not None:
            self.target.selected_label = self.written.label
        self.changed.emit()
        return True

    def apply(self, edit: LabelEdit, what: str, into: Step | None = None) -> Step | None:
        """Change the labels; see `Controller.apply`."""
        if self.ready() is None:
            return None
        return self.tried(lambda: self._session.apply(edit, what, into))

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
