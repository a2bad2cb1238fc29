"""The controller: what the user does in the viewer goes to the session, and comes back drawn."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Protocol

from napari.layers import Image, Labels
from napari.utils.notifications import show_warning
from psygnal import Signal

from napari_piclick._napari.canvas import Canvas
from napari_piclick._napari.keys import bind_keys
from napari_piclick._napari.target import Target, TargetError, Written, check_target, new_target
from napari_piclick._napari.view import NoPlaneError, level_zero, plane_in_view
from napari_piclick.clicks import Click
from napari_piclick.session import Prompt, Session
from napari_piclick.session.engine import Engine
from napari_piclick.session.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from napari.components import ViewerModel
    from napari.layers import Layer
    from psygnal import SignalInstance

    from napari_piclick.plane import Plane
    from napari_piclick.session.engine import Answer, Stage

DEFAULT_MODEL = "piclick-tiny"


class Worker(Protocol):
    """What the controller needs of `Jobs`."""

    answered: SignalInstance
    failed: SignalInstance
    stage_changed: SignalInstance

    @property
    def device(self) -> str | None: ...
    def use(self, engine: Engine) -> None: ...
    def ask(self, prompt: Prompt, source: Source) -> None: ...
    def prepare(self, source: Source) -> None: ...
    def drop(self) -> None: ...
    def close(self) -> None: ...


class Controller:
    """Wires a viewer, a session and a worker; a panel shows it and sends it requests.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    jobs : Worker
        Answers the session's questions, later.

    Attributes
    ----------
    session : Session
    image : napari.layers.Image or None
        What is segmented.
    target : napari.layers.Labels or None
        Where accepted objects go; None for a layer that is yet to be made.
    plane : Plane or None
        The plane in view; None if there is none, and then `problem` says why.
    model : str
    overwrite : bool
        Whether an accepted object may take pixels from others.
    stage : Stage or None
        What the worker is doing.
    accept_waits : bool
        Whether the object is to be accepted as soon as its proposals come.
    written : Written or None
        The object accepted last.
    changed : psygnal.Signal
        Emitted whenever the panel is to be drawn again.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel, jobs: Worker) -> None:
        self.session = Session()
        self.image: Image | None = None
        self.plane: Plane | None = None
        self.problem = ""
        self.model = DEFAULT_MODEL
        self.overwrite = False
        self.stage: Stage | None = None
        self.accept_waits = False
        self.written: Written | None = None
        self._viewer = viewer
        self._jobs = jobs
        self._canvas: Canvas | None = None
        self._target: Target | None = None
        self._source: Source | None = None
        self._asked: Prompt | None = None
        self._version = 0
        self._batch = False
        self._closed = False
        self._thumbnails: list[tuple[weakref.ref[np.ndarray], np.ndarray]] = []

        self.session.changed.connect(self._on_session_changed)
        jobs.answered.connect(self._on_answered)
        jobs.failed.connect(self._on_failed)
        jobs.stage_changed.connect(self._on_stage_changed)
        for event, callback in self._events_heard():
            event.connect(callback)
        self.set_image(self._first_image())

    def close(self) -> None:
        """Take our layers away, stop the worker and stop listening."""
        if self._closed:
            return
        self._closed = True
        for event, callback in self._events_heard():
            event.disconnect(callback)
        self.session.changed.disconnect(self._on_session_changed)
        self._jobs.answered.disconnect(self._on_answered)
        self._jobs.failed.disconnect(self._on_failed)
        self._jobs.stage_changed.disconnect(self._on_stage_changed)
        self._jobs.close()
        self._leave_image()
        self._leave_target()

    # -- what there is to choose from -----------------------------------------------------

    @property
    def images(self) -> list[Image]:
        """The layers that can be segmented."""
        return [layer for layer in self._viewer.layers if isinstance(layer, Image)]

    @property
    def targets(self) -> list[Labels]:
        """The labels layers as large as the image."""
        own = self._canvas.layers if self._canvas is not None else ()
        return [
            layer
            for layer in self._viewer.layers
            if isinstance(layer, Labels)
            and layer not in own
            and not layer.multiscale
            and tuple(layer.data.shape) == self._shape
        ]

    @property
    def target(self) -> Labels | None:
        """Where accepted objects go; None for a layer that is yet to be made."""
        return None if self._target is None else self._target.layer

    @property
    def device(self) -> str | None:
        """Where the model runs; None until it is loaded."""
        return self._jobs.device

    @property
    def listening(self) -> bool:
        """Whether a click in the canvas reaches us."""
        return self._canvas is not None and self._canvas.ready

    @property
    def elsewhere(self) -> list[Plane]:
        """Other planes of the image with an unfinished object."""
        uid = None if self.image is None else self.image.unique_id
        keys = [key for key in self.session.unfinished if isinstance(key, tuple)]
        return [key[1] for key in keys if key[0] == uid and key[1] != self.plane]

    @property
    def thumbnails(self) -> np.ndarray | None:
        """(Q, size, size, 4) uint8 pictures of the session's proposals, or None."""
        shown = self.session.proposals
        if shown is not None:
            for masks, thumbnails in self._thumbnails:
                if masks() is shown.masks:
                    return thumbnails
        return None

    # -- requests -------------------------------------------------------------------------

    def set_image(self, image: Image | None) -> None:
        """Segment another image layer, or none."""
        if image is not None and image == self.image:
            return
        self._leave_image()
        self.image = image
        if image is not None:
            self._canvas = Canvas(self._viewer, image)
            self._canvas.clicked.connect(self._on_clicked)
            self._canvas.edited.connect(self._on_clicks_edited)
            self._canvas.layer_made.connect(self._on_clicks_layer_made)
            self._canvas.moved.connect(self._on_view_changed)
            image.events.data.connect(self._on_image_data_changed)
            self._canvas.activate()
        if self.target is not None and self.target not in self.targets:
            self.set_target(None)
        self._find_plane()

    def set_target(self, layer: Labels | None) -> None:
        """Write accepted objects into a labels layer; None for a new one."""
        if layer is not None and self.target == layer:
            return
        self._leave_target()
        if layer is not None:
            try:
                check_target(layer, self._shape)
            except TargetError as error:
                show_warning(str(error))
            else:
                self._target = Target(layer)
        self.changed.emit()

    def set_model(self, model: str) -> None:
        """Take another model, by name or path; it is loaded when it is first needed."""
        if model == self.model:
            return
        self.model = model
        self._asked = None
        self._jobs.use(Engine.named(model))
        self._on_session_changed()
        self._prepare()

    def set_overwrite(self, overwrite: bool) -> None:
        """Whether an accepted object may take pixels from others."""
        self.overwrite = overwrite

    def start(self) -> None:
        """Make the next click in the canvas reach us, whatever layer was selected."""
        if self._canvas is None:
            show_warning("There is no image: open one, or drag a file into the window.")
            return
        self._canvas.activate()
        self._on_session_changed()

    def choose(self, index: int) -> None:
        """Take another proposal."""
        self.accept_waits = False
        self.session.choose(index)

    def undo(self) -> None:
        """Take back the last click or choice."""
        self.accept_waits = False
        self.session.undo()

    def redo(self) -> None:
        """Do again what was undone."""
        self.accept_waits = False
        self.session.redo()

    def cancel(self) -> None:
        """Drop the object; undo brings it back."""
        self.accept_waits = False
        self.session.cancel()

    def accept(self) -> None:
        """Write the chosen proposal into the labels and start the next object.

        If the proposals for the last click have not come yet, that is done when they do.
        """
        if self.plane is None:
            show_warning(self.problem)
            return
        self.accept_waits = self.session.question is not None
        if self.accept_waits:
            self.changed.emit()
            return
        shown = self.session.proposals
        if shown is None:
            show_warning("There is nothing to keep yet: click on an object first.")
            return
        try:
            target = self._target or self._make_target()
            self.written = target.write(
                self.plane, shown.region, shown.mask(), overwrite=self.overwrite
            )
        except TargetError as error:
            show_warning(str(error))
            return
        self.session.accept()

    # -- what happens in the viewer -------------------------------------------------------

    def _on_clicked(self, position: np.ndarray, positive: bool) -> None:
        self.accept_waits = False
        if self.plane is None:
            show_warning(self.problem)
        else:
            row, col = self.plane.from_volume(position)
            click = Click(float(row), float(col), positive)
            if click.inside(self.plane.shape):
                self.written = None
                self.session.click(click.row, click.col, positive)
                return
            show_warning("That click lies outside the image: click on the image itself.")
        self._draw()

    def _on_clicks_edited(self) -> None:
        if self.plane is not None and self._canvas is not None:
            points, signs = self._canvas.read_clicks()
            places = self.plane.from_volume(points)
            clicks = tuple(
                Click(float(row), float(col), sign)
                for (row, col), sign in zip(places, signs, strict=True)
            )
            inside = tuple(click for click in clicks if click.inside(self.plane.shape))
            if inside != self.session.clicks:
                self.accept_waits = False
                self.session.set_clicks(inside)
                return
        self._draw()

    def _on_clicks_layer_made(self, layer: Layer) -> None:
        bind_keys(layer, self)

    def _on_view_changed(self) -> None:
        self._find_plane()

    def _on_image_data_changed(self) -> None:
        self._version += 1
        self._find_plane()

    def _on_layers_changed(self) -> None:
        self.changed.emit()

    def _on_layer_selected(self) -> None:
        # A layer is selected last of all when it is inserted, after napari has made room for it.
        if self.image is None:
            self.set_image(self._first_image())
        self.changed.emit()

    def _on_layer_removed(self, event: Any) -> None:
        if self.image is not None and event.value == self.image:
            for plane in self.session.planes:
                if isinstance(plane, tuple) and plane[0] == self.image.unique_id:
                    self.session.forget(plane)
            if not self._batch:
                self.set_image(self._first_image())
        if self.target is not None and event.value == self.target:
            self.set_target(None)
        self.changed.emit()

    def _on_batch_began(self) -> None:
        self._batch = True

    def _on_batch_ended(self) -> None:
        # napari removes the selected layers one by one; ours may be among those still to go.
        self._batch = False
        if self.image is not None and self.image not in self._viewer.layers:
            self.set_image(self._first_image())

    # -- what the session and the worker say ----------------------------------------------

    def _on_session_changed(self) -> None:
        self._draw()
        question = self.session.question
        if question is None:
            if self._asked is not None:
                self._asked = None
                self._jobs.drop()
        elif self._source is not None and not _same(question, self._asked):
            self._asked = question
            self._jobs.ask(question, self._source)
        self.changed.emit()

    def _on_answered(self, answer: Answer) -> None:
        self._thumbnails = [pair for pair in self._thumbnails if pair[0]() is not None]
        self._thumbnails.append((weakref.ref(answer.proposals.masks), answer.thumbnails))
        if self.session.receive(answer.prompt, answer.proposals) and self.accept_waits:
            self.accept()

    def _on_failed(self, sentence: str) -> None:
        self.accept_waits = False
        show_warning(sentence)
        self.changed.emit()

    def _on_stage_changed(self, stage: Stage | None) -> None:
        self.stage = stage
        self.changed.emit()

    # -- inside ---------------------------------------------------------------------------

    def _events_heard(self) -> list[tuple[Any, Callable[..., None]]]:
        layers, dims = self._viewer.layers, self._viewer.dims
        return [
            (layers.events.inserted, self._on_layers_changed),
            (layers.events.renamed, self._on_layers_changed),
            (layers.events.removed, self._on_layer_removed),
            (layers.events.begin_batch, self._on_batch_began),
            (layers.events.end_batch, self._on_batch_ended),
            (layers.selection.events.active, self._on_layer_selected),
            *(
                (getattr(dims.events, name), self._on_view_changed)
                for name in ("point", "order", "ndisplay", "ndim")
            ),
        ]

    @property
    def _shape(self) -> tuple[int, ...]:
        """Size of the image in voxels, colours left out."""
        if self.image is None:
            return ()
        return tuple(int(n) for n in level_zero(self.image).shape[: self.image.ndim])

    def _first_image(self) -> Image | None:
        """The selected image, or else the topmost."""
        active = self._viewer.layers.selection.active
        if isinstance(active, Image):
            return active
        return self.images[-1] if self.images else None

    def _find_plane(self) -> None:
        """See which plane is in view now, and have the session follow."""
        if self.image is not None and self.image not in self._viewer.layers:
            return  # it is just being removed, and we are told next
        image, before = self.image, self._source
        self.plane, self._source, self.problem = None, None, ""
        if image is None:
            self.problem = "There is no image: open one, or drag a file into the window."
        else:
            try:
                self.plane = plane_in_view(image, self._viewer.dims)
            except NoPlaneError as error:
                self.problem = str(error)
        if image is None or self.plane is None:
            if self.session.plane is not None or before is not None:
                self.accept_waits = False
                self._asked = None
                self._jobs.drop()
                self.session.hide()
            self.changed.emit()
            return
        key = (image.unique_id, self.plane)
        limits = tuple(float(value) for value in image.contrast_limits)
        self._source = Source(
            (*key, self._version), self.plane, level_zero(image), (limits[0], limits[1])
        )
        if before is None or before.key != self._source.key:
            self.accept_waits = False
            self._asked = None
            self._jobs.drop()
            self.session.show(key, self.plane.shape)
            self._prepare()
        else:
            self._on_session_changed()

    def _prepare(self) -> None:
        if self._source is not None and self.session.question is None:
            self._jobs.prepare(self._source)

    def _draw(self) -> None:
        if self._canvas is not None:
            self._canvas.draw(self.plane, self.session.clicks, self.session.proposals)

    def _make_target(self) -> Target:
        if self.image is None:
            raise TargetError(self.problem)
        layer = new_target(self.image, self._shape)
        active = self._viewer.layers.selection.active
        self._viewer.layers.insert(self._viewer.layers.index(self.image) + 1, layer)
        self._viewer.layers.selection.active = active
        self._target = Target(layer, empty=True)
        return self._target

    def _leave_image(self) -> None:
        if self.image is not None:
            self.image.events.data.disconnect(self._on_image_data_changed)
        if self._canvas is not None:
            canvas, self._canvas = self._canvas, None
            canvas.close()

    def _leave_target(self) -> None:
        if self._target is not None:
            self._target.close()
            self._target = None


def _same(question: Prompt, asked: Prompt | None) -> bool:
    return (
        asked is not None
        and question.plane == asked.plane
        and question.clicks == asked.clicks
        and question.previous is asked.previous
    )
