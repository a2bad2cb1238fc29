"""The volume actions: an object followed through the slices of an image, in the labels layer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari.utils.notifications import show_warning
from psygnal import Signal

from napari_piclick._napari.growing_step import GrowingStep
from napari_piclick._napari.neighbours_ahead import NeighboursAhead
from napari_piclick._napari.volume_selection import VolumeSelection
from napari_piclick.session.interpolate import interpolate_gaps
from napari_piclick.session.propagate import propagate, propagate_again
from napari_piclick.session.slice_mask import LabelledBy, SliceMask
from napari_piclick.session.stopping import Reason, Rules, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from napari_piclick._napari.controller import Controller
    from napari_piclick._napari.stream import Worker
    from napari_piclick.session import LabelEdit
    from napari_piclick.session.accepted import Written
    from napari_piclick.session.followed_object import FollowedObject
    from napari_piclick.session.label_map import LabelMap
    from napari_piclick.session.plane_stack import PlaneStack

ONE_PLANE = "This image has one plane only: there are no slices to go through."


class VolumeActions:
    """Propagates, interpolates and corrects the object whose id is selected in the labels.

    Parameters
    ----------
    controller : Controller
    stream : Worker
        Does the work beside the questions.
    ahead : Worker
        Encodes neighbouring slices.

    Attributes
    ----------
    selected : VolumeSelection
        Which object, along which axis.
    again : bool
        Whether a correction that is kept on a slice is followed to the slices beside it.
    asked : (steps, rules)
        What the key propagates with: the way and the slices that are set in the panel.
    problem : str
        What went wrong last, in a sentence; or nothing.
    changed : psygnal.Signal
        Emitted whenever the panel is to be drawn again.
    """

    changed = Signal()

    def __init__(self, controller: Controller, stream: Worker, ahead: Worker) -> None:
        self.again = True
        self.problem = ""
        self.asked: tuple[Sequence[int], Rules | None] = ((1, -1), None)
        self.selected = VolumeSelection(controller)
        self._controller = controller
        self._stream = stream
        self._ahead = NeighboursAhead(ahead)
        self._grown = GrowingStep(controller.labels)
        self._stale: set[int] = set()
        self._seen: Written | None = None
        self.selected.changed.connect(self._on_something_shown)
        session = controller.session
        session.ledger.edited.connect(self._on_edited)
        controller.labels.changed.connect(self._on_labels_changed)
        controller.view.plane_changed.connect(self._on_something_shown)

    def close(self) -> None:
        """Stop and listen no more."""
        self.cancel()
        self._stream.close()
        self._ahead.close()
        self._controller.session.ledger.edited.disconnect(self._on_edited)
        self._controller.labels.changed.disconnect(self._on_labels_changed)
        self._controller.view.plane_changed.disconnect(self._on_something_shown)
        self.selected.close()

    @property
    def running(self) -> bool:
        """Whether an object is being followed or interpolated just now."""
        return self.selected.held

    # -- requests -------------------------------------------------------------------------

    def propagate(self, steps: Sequence[int] = (1, -1), rules: Rules | None = None) -> None:
        """Follow the object from the slice in view; an unfinished one is kept first.

        Parameters
        ----------
        steps : sequence of {1, -1}
            Directions.
        rules : Rules, optional
            When to stop.
        """
        if self.running or not self._keep():
            return
        ready = self._ready()
        if ready is None:
            return
        followed, stack, start = ready
        here = followed.slices.get(start)
        if here is None or here.region is None:
            self._say(
                f"Object {followed.label} is not on this slice: click on it here and keep it, or "
                "go to a slice where it is."
            )
            return
        if here.by is not LabelledBy.HAND:  # it was looked at, and is good enough to go on from
            here = replace(here, by=LabelledBy.HAND, predicted=1.0, agreement=1.0)
        slices = followed.slices.copy()
        slices.replace(here)
        rules = rules or Rules()
        stale = {k for step in steps for k in followed.labelled_ahead(start, step, rules)}
        engine = self._controller.answers.engine
        self._run(
            f"propagated object {followed.label}",
            lambda: propagate(engine.another(), stack, slices, start, steps=steps, rules=rules),
            stale,
        )

    def propagate_again(self, rules: Rules | None = None) -> None:
        """Follow the object again from the slice in view to the next ones labelled by hand."""
        ready = None if self.running else self._ready()
        if ready is None:
            return
        followed, stack, index = ready
        if followed.slices.get(index) is None:
            return
        slices = followed.slices.copy()
        engine = self._controller.answers.engine
        self._run(
            f"propagated object {followed.label} again",
            lambda: propagate_again(engine.another(), stack, slices, index, rules=rules),
            set(),
        )

    def interpolate(self) -> None:
        """Label the slices between those labelled by hand, by signed distance."""
        ready = None if self.running else self._ready()
        if ready is None:
            return
        followed, stack, _ = ready
        by_hand = [labelled for labelled in followed.slices if labelled.by is LabelledBy.HAND]
        if len(by_hand) < 2:
            self._say(
                f"Label object {followed.label} by hand on two slices at least; those between "
                "them are interpolated."
            )
            return
        slices = followed.slices.copy()
        self._run(
            f"interpolated object {followed.label}",
            lambda: interpolate_gaps(slices, stack.plane.spacing),
            set(),
        )

    def correct(self) -> None:
        """Take the object up on the slice in view: the next clicks refine it, or put it there."""
        if self.selected.label and not self.running:
            self._controller.labels.reopen(self.selected.label)
            self._controller.start()

    def clear_slice(self) -> None:
        """Say that the object is not on the slice in view; what it has there is wiped away."""
        ready = None if self.running else self._ready()
        if ready is None:
            return
        followed, _, index = ready
        self._grown.begin(f"object {followed.label} is not on this slice")
        self._grown.write(followed, followed.nothing_on(index))
        followed.emptied(index, self._grown.edit)
        self.changed.emit()
        if self.again and len(followed.slices) > 1:
            self.propagate_again()

    def cancel(self) -> None:
        """Stop; what was found stays, and one undo takes it away."""
        if self.running:
            self._stream.stop()
            self._finish()

    def go_to_doubtful(self) -> None:
        """Bring the slice into view that most needs a look."""
        followed = self.selected.followed
        doubtful = None if followed is None else followed.doubtful
        if doubtful is None:
            self._say("No slice needs a look: propagate an object first.")
            return
        self.selected.go_to(doubtful.index)

    # -- what comes back ------------------------------------------------------------------

    def _on_result(self, event: SliceMask | Stopped) -> None:
        followed = self.selected.known
        if followed is None:
            return
        if isinstance(event, Stopped):
            followed.ended(event)
            for index in event.lost:
                if not followed.slices.by_hand(index):
                    self._grown.empty(followed, index)
        elif not followed.slices.by_hand(event.index):
            self._stale.discard(event.index)
            if not self._grown.write(followed, event):
                self.cancel()
                return
            followed.written(event)
        self.changed.emit()

    def _on_end(self, sentence: str) -> None:
        followed = self.selected.known
        if followed is not None and not sentence:
            ends = {stop.reason for stop in followed.stopped.values()}
            if not ends & {Reason.COUNT, Reason.RANGE}:
                for index in sorted(self._stale):
                    self._grown.empty(followed, index)
        if sentence:
            self._say(sentence)
        self._finish()

    def _on_edited(self, labels: LabelMap, edit: LabelEdit) -> None:
        followed = self.selected.known
        if self._grown.writing or followed is None or labels is not followed.labels:
            return
        if followed.follow(edit):
            self.cancel()  # what is still to come was asked about other slices than there are now
            self.changed.emit()

    def _on_labels_changed(self) -> None:
        written = self._controller.written
        if written is not None and written is not self._seen:
            self._seen = written
            followed, index = self.selected.followed, self.selected.index
            mine = written.label == self.selected.label and not self.running
            if mine and followed is not None and index is not None:
                followed.confirmed(index)
            alone = followed is None or len(followed.slices) < 2
            if self.again and not alone and mine:
                self.propagate_again()
            elif not self.running:
                self._encode_ahead()
        self.changed.emit()

    def _on_something_shown(self) -> None:
        self.changed.emit()

    # -- inside ---------------------------------------------------------------------------

    def _keep(self) -> bool:
        """Keep the unfinished object of this plane, if there is one."""
        controller = self._controller
        if not controller.session.clicks:
            return True
        if controller.session.question is not None:
            self._say("The proposals for your last click have not come yet: wait a moment.")
            return False
        again, self.again = self.again, False
        try:
            return controller.labels.accept()
        finally:
            self.again = again

    def _ready(self) -> tuple[FollowedObject, PlaneStack, int] | None:
        """The object, the planes and the slice in view; None, and a word, without them."""
        controller, axis = self._controller, self.selected.axis
        stack = None if axis is None else controller.view.stack(axis)
        if stack is None or axis is None:
            self._say(controller.problem or ONE_PLANE)
            return None
        followed = self.selected.followed
        if followed is None:
            self._say("There is no object yet: click on one and keep it.")
            return None
        return followed, stack, stack.position

    def _run(
        self,
        what: str,
        work: Callable[[], Iterator[SliceMask | Stopped]],
        stale: set[int],
    ) -> None:
        self._ahead.stop()
        self.selected.held, self.problem, self._stale = True, "", stale
        self._grown.begin(what)
        if self.selected.known is not None:
            self.selected.known.stopped.clear()
        self._stream.run(work, self._on_result, self._on_end)
        self.changed.emit()

    def _finish(self) -> None:
        self.selected.held = False
        self._stale = set()
        self.changed.emit()

    def _encode_ahead(self) -> None:
        """Encode the neighbours of the slice on which an object was kept."""
        axis = self.selected.axis
        stack = None if axis is None else self._controller.view.stack(axis)
        if stack is not None:
            self._ahead.encode(self._controller.answers.engine, stack)

    def _say(self, sentence: str) -> None:
        self.problem = sentence
        show_warning(sentence)
        self.changed.emit()
