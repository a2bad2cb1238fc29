"""The controller: what the user does in the viewer goes to the session, and comes back drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.utils.notifications import show_warning
from psygnal import Signal

from napari_piclick._napari.answers import DEFAULT_MODEL, Answers
from napari_piclick._napari.class_colors import ClassColors
from napari_piclick._napari.keeper import Keeper
from napari_piclick._napari.keys import bind_keys
from napari_piclick._napari.label_actions import LabelActions
from napari_piclick._napari.lent_keys import LentKeys
from napari_piclick._napari.live_preview import LivePreview
from napari_piclick._napari.overlay import Overlay
from napari_piclick._napari.saver import Saver
from napari_piclick._napari.viewfinder import NO_IMAGE, Viewfinder
from napari_piclick._napari.volume_actions import VolumeActions
from napari_piclick.session import Session
from napari_piclick.session.place import Place

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from napari.components import ViewerModel
    from napari.layers import Image, Labels, Layer

    from napari_piclick._napari.answers import Worker
    from napari_piclick.clicks import Click
    from napari_piclick.plane import Plane
    from napari_piclick.session import Step
    from napari_piclick.session.accepted import Written

__all__ = ["DEFAULT_MODEL", "Controller"]


class Controller:
    """Wires a viewer, a session and a worker; a panel shows it and sends it requests.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    jobs : Worker
        Answers the session's questions, later.
    journals : Path, optional
        Where journals are kept; in the user's data folder by default.

    Attributes
    ----------
    session : Session
    labels : LabelActions
        What can be done to objects in the labels.
    keeper : Keeper
        Journals what is done, and recovers it.
    saver : Saver
        Saves and opens labels and prompts.
    overlay : Overlay
        Shows the session on the image, and hears clicks there.
    answers : Answers
        What a model says to the session's questions.
    class_colors : ClassColors
        Colours the labels by class.
    live : LivePreview
        Shows what a click under the mouse would give.
    volume : VolumeActions
        What can be done to an object through the slices of a volume.
    accept_waits : bool
        Whether the object is to be accepted as soon as its proposals come.
    changed : psygnal.Signal
        Emitted whenever the panel is to be drawn again.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel, jobs: Worker, journals: Path | None = None) -> None:
        self.session = Session()
        self.accept_waits = False
        self._viewer = viewer
        self._view = Viewfinder(viewer)
        self.overlay = Overlay(viewer, self.session, self._view)
        self.labels: LabelActions = LabelActions(
            viewer, self.session, self._view, ours=lambda: self.overlay.layers
        )
        self.keeper = Keeper(self.session, self._view, self.labels, journals)
        self.answers = Answers(self.session, self._view, jobs)
        self.volume: VolumeActions = VolumeActions(self, jobs.beside(), jobs.beside())
        self.class_colors = ClassColors(self.labels, self.session, jobs.beside())
        self.live: LivePreview = LivePreview(
            viewer, self.session, self._view, self.overlay, self.answers, jobs.beside()
        )
        self.saver = Saver(self.session, self.labels, self.keeper.folder, jobs.beside())
        self._closed = False
        self.session.changed.connect(self._on_session_changed)
        self.answers.received.connect(self._on_received)
        self.answers.failed.connect(self._on_failed)
        self.overlay.clicked.connect(self._on_clicked)
        self.overlay.missed.connect(self._on_missed)
        self.overlay.picked.connect(self._on_picked)
        self.overlay.edited.connect(self._on_clicks_edited)
        self.overlay.layer_made.connect(self._on_clicks_layer_made)
        self.overlay.moved.connect(self._on_image_moved)
        self._view.plane_changed.connect(self._on_plane_changed)
        self._view.image_gone.connect(self._on_image_gone)
        self._view.image_wanted.connect(self._on_image_wanted)
        for part in (self.answers, self.labels, self.keeper, self.saver, self.class_colors):
            part.changed.connect(self._on_something_changed)
        for name in ("inserted", "removed", "renamed"):
            getattr(viewer.layers.events, name).connect(self._on_something_changed)
        viewer.layers.selection.events.active.connect(self._on_something_changed)
        self._keys = LentKeys(viewer, self)
        self.set_image(self._view.first_image())

    def close(self) -> None:
        """Take our layers away, stop the worker and stop listening."""
        if self._closed:
            return
        self._closed = True
        self.volume.close()
        self.live.close()
        self.class_colors.close()
        for name in ("inserted", "removed", "renamed"):
            getattr(self._viewer.layers.events, name).disconnect(self._on_something_changed)
        self._viewer.layers.selection.events.active.disconnect(self._on_something_changed)
        self.answers.close()
        self._view.close()
        self.keeper.close()
        self.saver.close()
        self._keys.close()
        self.labels.close()
        self.overlay.close()

    # -- what there is --------------------------------------------------------------------

    @property
    def image(self) -> Image | None:
        """The layer that is segmented."""
        return self._view.image

    @property
    def view(self) -> Viewfinder:
        """Which plane of which image the user looks at."""
        return self._view

    @property
    def plane(self) -> Plane | None:
        """The plane in view; None if there is none, and then `problem` says why."""
        return self._view.plane

    @property
    def problem(self) -> str:
        """Why no plane is in view, in a sentence; or nothing."""
        return self._view.problem

    @property
    def target(self) -> Labels | None:
        """Where accepted objects go; None for a layer that is yet to be made."""
        return self.labels.target

    @property
    def written(self) -> Written | None:
        """The object accepted last, until the next click."""
        return self.labels.written

    @property
    def listening(self) -> bool:
        """Whether a click in the canvas reaches us."""
        return self.overlay.listening

    # -- requests -------------------------------------------------------------------------

    def set_image(self, image: Image | None) -> None:
        """Segment another image layer, or none."""
        if image is not None and image == self.image:
            return
        self.overlay.close()
        self._view.look_at(image)
        self.labels.destination.turn_to(image, self._view.shape)
        self.overlay.lay_on(image)
        self.keeper.look_for_offer()
        self.overlay.draw()
        self.changed.emit()

    def start(self) -> None:
        """Make the next click in the canvas reach us, whatever layer was selected."""
        if not self.overlay.activate():
            show_warning(NO_IMAGE)
            return
        self.overlay.draw()
        self.changed.emit()

    def choose(self, index: int) -> None:
        """Take another proposal."""
        self.accept_waits = False
        self.session.choose(index)

    def cycle(self, step: int) -> None:
        """Take the next proposal that looks different (``step`` 1), or the one before (-1)."""
        shown = self.session.proposals
        if shown is not None:
            self.choose(shown.beside(step))

    def undo(self) -> None:
        """Take back what was done last, and look at where that was."""
        self._travel(self.session.undo)

    def redo(self) -> None:
        """Do again what was undone, and look at where that was."""
        self._travel(self.session.redo)

    def cancel(self) -> None:
        """Drop the object; undo brings it back."""
        self.accept_waits = False
        self.session.cancel()

    def accept(self) -> None:
        """Write the chosen proposal into the labels and start the next object.

        If the proposals for the last click have not come yet, that is done when they do.
        """
        if self.plane is None or self.image is None:
            show_warning(self.problem)
            return
        self.accept_waits = self.session.question is not None
        if self.accept_waits:
            self.changed.emit()
            return
        self.labels.accept()

    # -- what happens in the viewer -------------------------------------------------------

    def _on_clicked(self, click: Click) -> None:
        self.accept_waits = False
        self.labels.written = None
        self.session.click(click.row, click.col, click.positive)

    def _on_missed(self, sentence: str) -> None:
        self.accept_waits = False
        show_warning(sentence)
        self.overlay.draw()

    def _on_picked(self, position: np.ndarray) -> None:
        self.accept_waits = False
        self.labels.reopen_at(position)
        self.overlay.draw()

    def _on_clicks_edited(self, clicks: tuple[Click, ...]) -> None:
        if clicks == self.session.clicks:
            self.overlay.draw()
            return
        self.accept_waits = False
        self.session.set_clicks(clicks)

    def _on_clicks_layer_made(self, layer: Layer) -> None:
        bind_keys(layer, self)

    def _on_image_moved(self) -> None:
        self._view.look()
        self.overlay.draw()

    def _on_plane_changed(self) -> None:
        self.accept_waits = False
        self.answers.drop()
        if self.plane is None:
            self.session.hide()
        else:
            self.session.show(self._view.place, self.plane.shape)
        self.labels.destination.turn_to(self.image, self._view.shape)  # it may have another shape

    def _on_image_gone(self) -> None:
        gone = self.image.unique_id if self.image is not None else None
        self.set_image(self._view.first_image())
        for place in self.session.planes:
            if isinstance(place, Place) and place.image == gone:
                self.session.forget(place)

    def _on_image_wanted(self) -> None:
        image = self._view.first_image()
        if image is not None:
            self.set_image(image)

    def _on_something_changed(self) -> None:
        self._keys.lend_to(self.target, self)
        self.changed.emit()

    # -- what the session and the worker say ----------------------------------------------

    def _on_session_changed(self) -> None:
        self.overlay.draw_afresh()
        self.answers.ask()
        self.changed.emit()

    def _on_received(self) -> None:
        if self.accept_waits:
            self.accept()

    def _on_failed(self, sentence: str) -> None:
        self.accept_waits = False
        show_warning(sentence)
        self.changed.emit()

    # -- inside ---------------------------------------------------------------------------

    def _travel(self, move: Callable[[], Step | None]) -> None:
        """Undo or redo, and bring the plane into view where that was."""
        self.accept_waits = False
        self.labels.written = None
        step = self.labels.tried(move)
        if step is not None and isinstance(step.place, Place):
            for image in self._view.images:
                if image.unique_id == step.place.image:
                    self.set_image(image)
                    self._view.go_to(step.place.plane)
