"""The volume actions: an object followed through the slices of an image, in the labels layer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from napari.utils.notifications import show_warning
from psygnal import Signal

from napari_piclick._napari.slice_numbers import SliceNumbers
from napari_piclick.session.followed_object import FollowedObject
from napari_piclick.session.interpolate import interpolate_gaps
from napari_piclick.session.propagate import propagate, propagate_again
from napari_piclick.session.slice_mask import LabelledBy, SliceMask
from napari_piclick.session.stopping import Reason, Rules, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from napari_piclick._napari.controller import Controller
    from napari_piclick._napari.target import Target
    from napari_piclick.session import LabelEdit, Step
    from napari_piclick.session.accepted import Written
    from napari_piclick.session.label_map import LabelMap
    from napari_piclick.session.plane_stack import PlaneStack

#: So many slices on each side are encoded ahead once an object was kept.
AHEAD = 2
ONE_PLANE = "This image has one plane only: there are no slices to go through."


class Worker(Protocol):
    """What is needed of `Stream`."""

    def run(
        self,
        work: Callable[[], Iterator[Any]],
        result: Callable[[Any], None],
        end: Callable[[str], None],
    ) -> None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...


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
    running : bool
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
        self.running = False
        self.again = True
        self.problem = ""
        self.asked: tuple[Sequence[int], Rules | None] = ((1, -1), None)
        self._controller = controller
        self._stream = stream
        self._ahead = ahead
        self._axis: int | None = None
        self._followed: FollowedObject | None = None
        self._step: Step | None = None
        self._what = ""
        self._stale: set[int] = set()
        self._writing = False
        self._seen: Written | None = None
        session = controller.session
        session.ledger.edited.connect(self._on_edited)
        controller.labels.changed.connect(self._on_labels_changed)
        controller.view.plane_changed.connect(self._on_plane_changed)

    def close(self) -> None:
        """Stop and listen no more."""
        self.cancel()
        self._stream.close()
        self._ahead.close()
        self._controller.session.ledger.edited.disconnect(self._on_edited)
        self._controller.labels.changed.disconnect(self._on_labels_changed)
        self._controller.view.plane_changed.disconnect(self._on_plane_changed)

    # -- what there is --------------------------------------------------------------------

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
        plane, axis, target = self._controller.plane, self.axis, self._target
        if target is None or plane is None or axis is None or not self.label:
            return None
        known = self._followed
        if known is None or not known.fits(target, self.label, plane, axis):
            if self.running:
                return known
            known = FollowedObject(target, self.label, plane, axis)
            known.read(self._where(axis))
            self._followed = known
        return known

    # -- requests -------------------------------------------------------------------------

    def set_axis(self, axis: int) -> None:
        """Go along another axis from now on: depth, or time."""
        self._axis = axis
        self.changed.emit()

    def set_label(self, label: int) -> None:
        """Select another object in the labels."""
        layer = self._controller.target
        if layer is not None and label != layer.selected_label:
            layer.selected_label = label
            self.changed.emit()

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
        stale = {k for step in steps for k in _on_the_way(followed, start, step, rules)}
        engine = self._controller.engine
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
        engine = self._controller.engine
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
        if self.label and not self.running:
            self._controller.labels.reopen(self.label)
            self._controller.start()

    def clear_slice(self) -> None:
        """Say that the object is not on the slice in view; what it has there is wiped away."""
        ready = None if self.running else self._ready()
        if ready is None:
            return
        followed, _, index = ready
        self._what, self._step = f"object {followed.label} is not on this slice", None
        self._write(followed, followed.nothing_on(index))
        followed.emptied(index)
        self.changed.emit()
        if self.again and len(followed.slices) > 1:
            self.propagate_again()

    def cancel(self) -> None:
        """Stop; what was found stays, and one undo takes it away."""
        if self.running:
            self._stream.stop()
            self._finish()

    def go_to(self, index: int) -> None:
        """Bring a slice into view."""
        plane, axis = self._controller.plane, self.axis
        if plane is None or axis is None or not 0 <= index < plane.volume_shape[axis]:
            return
        self._controller.view.go_to(plane.at(axis, index))

    def go_to_doubtful(self) -> None:
        """Bring the slice into view that most needs a look."""
        followed = self.followed
        doubtful = None if followed is None else followed.doubtful
        if doubtful is None:
            self._say("No slice needs a look: propagate an object first.")
            return
        self.go_to(doubtful.index)

    # -- what comes back ------------------------------------------------------------------

    def _on_result(self, event: SliceMask | Stopped) -> None:
        followed = self._followed
        if followed is None:
            return
        if isinstance(event, Stopped):
            followed.ended(event)
            for index in event.lost:
                if not followed.slices.by_hand(index):
                    self._empty(followed, index)
        elif not followed.slices.by_hand(event.index):
            self._stale.discard(event.index)
            if not self._write(followed, event):
                self.cancel()
                return
            followed.written(event)
        self.changed.emit()

    def _on_end(self, sentence: str) -> None:
        followed = self._followed
        if followed is not None and not sentence:
            ends = {stop.reason for stop in followed.stopped.values()}
            if not ends & {Reason.COUNT, Reason.RANGE}:
                for index in sorted(self._stale):
                    self._empty(followed, index)
        if sentence:
            self._say(sentence)
        self._finish()

    def _on_edited(self, labels: LabelMap, edit: LabelEdit) -> None:
        followed = self._followed
        if self._writing or followed is None or labels is not followed.labels:
            return
        if followed.follow(edit):
            self.cancel()  # what is still to come was asked about other slices than there are now
            self.changed.emit()

    def _on_labels_changed(self) -> None:
        written = self._controller.written
        if written is not None and written is not self._seen:
            self._seen = written
            followed, index = self.followed, self.index
            mine = written.label == self.label and not self.running
            if mine and followed is not None and index is not None:
                followed.confirmed(index)
            alone = followed is None or len(followed.slices) < 2
            if self.again and not alone and mine:
                self.propagate_again()
            elif not self.running:
                self._encode_ahead()
        self.changed.emit()

    def _on_plane_changed(self) -> None:
        self.changed.emit()

    # -- inside ---------------------------------------------------------------------------

    def _where(self, axis: int) -> range:
        """The slices on which the selected object may be: no others need to be read."""
        index = self._controller.session.objects.index
        box = None if index is None else index.box(self.label)
        return range(0) if box is None else range(box[axis].start, box[axis].stop)

    @property
    def _target(self) -> Target | None:
        return self._controller.labels.destination.target

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
        controller, axis = self._controller, self.axis
        stack = None if axis is None else controller.view.stack(axis)
        if stack is None or axis is None:
            self._say(controller.problem or ONE_PLANE)
            return None
        followed = self.followed
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
        self.running, self.problem = True, ""
        self._what, self._step, self._stale = what, None, stale
        if self._followed is not None:
            self._followed.stopped.clear()
        self._stream.run(work, self._on_result, self._on_end)
        self.changed.emit()

    def _finish(self) -> None:
        self.running = False
        self._stale = set()
        self.changed.emit()

    def _write(self, followed: FollowedObject, labelled: SliceMask) -> bool:
        """Write a slice into the labels, as part of the step that is being made."""
        if followed.labels is not self._target:
            return False  # other labels were chosen meanwhile; they are not to take it
        edit = followed.edit(labelled)
        if not len(edit):
            return True
        self._writing = True
        try:
            step = self._controller.labels.apply(edit, self._what, self._step)
        finally:
            self._writing = False
        if step is None:
            return False
        self._step = step
        return True

    def _empty(self, followed: FollowedObject, index: int) -> None:
        """Wipe away what a slice had of the object, as part of the step that is being made."""
        if self._write(followed, followed.nothing_on(index)):
            followed.slices.drop(index)

    def _encode_ahead(self) -> None:
        """Encode the neighbours of the slice on which an object was kept."""
        axis = self.axis
        stack = None if axis is None else self._controller.view.stack(axis)
        if stack is None:
            return
        engine, here = self._controller.engine, stack.position
        beside = [here + sign * k for k in range(1, AHEAD + 1) for sign in (1, -1)]

        def encode() -> Generator[None, None, None]:
            predictor = engine.another()
            for index in beside:
                if 0 <= index < len(stack):
                    stack.source(index).encode_ahead(predictor)
                    yield None

        self._ahead.run(encode, lambda _: None, lambda _: None)

    def _say(self, sentence: str) -> None:
        self.problem = sentence
        show_warning(sentence)
        self.changed.emit()


def _on_the_way(followed: FollowedObject, start: int, step: int, rules: Rules) -> list[int]:
    """The slices between one and the next labelled by hand that somebody else has labelled."""
    end = followed.slices.next_by_hand(start, step)
    last = end.index if end is not None else (followed.slices.count if step > 0 else -1)
    first, final = rules.first or 0, followed.slices.count if rules.last is None else rules.last
    return [
        k
        for k in range(start + step, last, step)
        if followed.slices.get(k) is not None and first <= k <= final
    ]
