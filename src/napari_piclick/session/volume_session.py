"""The volume session: what the window does to a volume, for scripts."""

from __future__ import annotations

from functools import cached_property
from operator import index as as_int
from typing import TYPE_CHECKING

from napari_piclick.session.followed_object import FollowedObject
from napari_piclick.session.interpolate import interpolate_gaps
from napari_piclick.session.label_map import LabelsError
from napari_piclick.session.propagate import propagate, propagate_again
from napari_piclick.session.slice_mask import LabelledBy, SliceMask
from napari_piclick.session.slicing import Slicing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_piclick.plane import Plane
    from napari_piclick.session.accepted import Accepted
    from napari_piclick.session.label_edit import LabelEdit
    from napari_piclick.session.label_map import LabelMap
    from napari_piclick.session.quality import SliceQuality
    from napari_piclick.session.step import Step
    from napari_piclick.session.stopping import Rules, Stopped


class VolumeSession(Slicing):
    """A session on the slices of a volume.

    For example::

        session = VolumeSession(load_predictor(), volume)
        session.go_to(40)
        session.click(120, 85)
        session.accept()
        session.propagate(1)
        session.undo()  # of all that was propagated

    Parameters
    ----------
    predictor : ClickPredictor
    volume : (..., D, H, W) array-like, or (..., D, H, W, 3 or 4) with ``rgb``
        NumPy or lazy: only planes are ever read. Axes in front are time and the like.
    labels : integer array or LabelMap, optional
        Takes accepted objects. An array is changed in place as long as ids fit its type;
        ``session.labels.data`` has them in any case. A new array by default.
    axis : int, optional
        The axis to go along. By default the last one in front of the two that the planes show;
        of the last three axes, the other two are shown.
    rgb : bool
        Whether the last axis holds colours.
    contrast_limits : (low, high), optional
        Values seen as black and white on all slices; robust percentiles of some of them otherwise.
    spacing : sequence of float, optional
        Size of a voxel along each axis of the volume, colours left out, as a layer's scale:
        interpolation and smoothing measure distances by it. Cubes by default.
    name : str
        Identity of the volume.

    Raises
    ------
    ValueError
        If the volume has fewer than three axes, there is no such axis, or the spacing is of
        another number of axes.
    """

    #: The object whose slices are being written, and noted as they are.
    _writing: FollowedObject | None = None

    @cached_property
    def _followed(self) -> dict[tuple[int, Plane], FollowedObject]:
        """Objects that were looked at, by label and the first plane of their stack."""
        self.ledger.edited.connect(self._on_edited)  # as soon as there is anything to follow
        return {}

    def accept(self, *, overwrite: bool = False) -> Accepted | None:
        """Finish the object, write it into the labels, and start the next; see `Session.accept`.

        The slice in view counts as labelled by hand from then on.
        """
        accepted = super().accept(overwrite=overwrite)
        if accepted is not None and accepted.written is not None:
            followed = self._followed.get(self._key(accepted.written.label))
            if followed is not None and followed.labels is self.labels:
                followed.confirmed(self._position)
        return accepted

    def propagate(
        self, label: int, *, steps: Sequence[int] = (1, -1), rules: Rules | None = None
    ) -> list[Stopped]:
        """Follow an object from the slice in view; one undo takes all of it back.

        Slices labelled by hand stay as they are, and so do other objects.

        Parameters
        ----------
        label : int
        steps : sequence of {1, -1}
            Directions.
        rules : Rules, optional
            When to stop.

        Returns
        -------
        list of Stopped
            Where it ended, and why.

        Raises
        ------
        LabelsError
            If the object is not on the slice in view.
        """
        followed, start = self._follow(label), self._position
        here = followed.slices.get(start)
        if here is None or here.region is None:
            raise LabelsError(
                f"Object {label} is not on slice {start}: go to a slice where it is, or click on "
                "it there first."
            )
        slices = followed.slices.copy()
        events = propagate(self._beside, self._stack, slices, start, steps=steps, rules=rules)
        self._take(followed, events, f"propagated object {label}")
        return list(followed.stopped.values())

    def propagate_again(self, label: int, *, rules: Rules | None = None) -> list[Stopped]:
        """Follow an object again from the slice in view, which was corrected.

        A slice keeps what it has unless what is found is worth more; see `propagate_again` in
        `napari_piclick.session.propagate`. In the window this follows every correction.

        Parameters, returns and raises as for `propagate`.
        """
        followed, start = self._follow(label), self._position
        if followed.slices.get(start) is None:
            raise LabelsError(
                f"Object {label} is not on slice {start}: correct it there, and accept it, first."
            )
        slices = followed.slices.copy()
        events = propagate_again(self._beside, self._stack, slices, start, rules=rules)
        self._take(followed, events, f"propagated object {label} again")
        return list(followed.stopped.values())

    def interpolate(self, label: int) -> list[int]:
        """Label the slices between those labelled by hand, by signed distance; one undo.

        What had been propagated between them is replaced; other objects stay as they are.

        Parameters
        ----------
        label : int

        Returns
        -------
        list of int
            The slices that were interpolated.

        Raises
        ------
        LabelsError
            If fewer than two slices were labelled by hand.
        """
        followed = self._follow(label)
        if sum(labelled.by is LabelledBy.HAND for labelled in followed.slices) < 2:
            raise LabelsError(
                f"Label object {label} by hand on two slices at least; those between them are "
                "interpolated."
            )
        gaps = list(interpolate_gaps(followed.slices, self._stack.plane.spacing))
        self._take(followed, gaps, f"interpolated object {label}")
        return [between.index for between in gaps]

    def clear_slice(self, label: int) -> Step | None:
        """Say that an object is not on the slice in view; what it has there is wiped away.

        Returns
        -------
        Step or None
            None if there was nothing of it. It is noted all the same, and clicking on the object
            there takes it back.
        """
        followed, index = self._follow(label), self._position
        what = f"object {label} is not on this slice"
        step = self._write(followed, followed.nothing_on(index), what, None)
        followed.emptied(index, None if step is None else step.edits[-1])
        return step

    def quality(self, label: int) -> list[SliceQuality]:
        """How good each slice of an object probably is; see `rate_slices`."""
        return self._follow(label).ratings

    def doubtful(self, label: int) -> SliceQuality | None:
        """The slice of an object that most needs a look; None if none does."""
        return self._follow(label).doubtful

    def _take(
        self, followed: FollowedObject, events: Iterable[SliceMask | Stopped], what: str
    ) -> None:
        """Write what was found, as one step."""
        followed.stopped.clear()
        step: Step | None = None
        for event in events:
            if isinstance(event, SliceMask):
                step = self._write(followed, event, what, step)
                followed.written(event)
                continue
            followed.ended(event)
            for index in event.lost:
                step = self._write(followed, followed.nothing_on(index), what, step)
                followed.slices.drop(index)

    def _write(
        self, followed: FollowedObject, labelled: SliceMask, what: str, step: Step | None
    ) -> Step | None:
        edit = followed.edit(labelled)
        if not len(edit):
            return step
        self._writing = followed
        try:
            return self.apply(edit, what, step)
        finally:
            self._writing = None

    def _on_edited(self, labels: LabelMap, edit: LabelEdit) -> None:
        for followed in self._followed.values():
            if followed.labels is labels and followed is not self._writing:
                followed.follow(edit)

    def _key(self, label: int) -> tuple[int, Plane]:
        return as_int(label), self._stack.plane_at(0)

    def _follow(self, label: int) -> FollowedObject:
        """The object slice by slice, as the labels have it now."""
        labels = self.labels
        if labels is None:
            raise LabelsError("There are no labels to change: give the session some.")
        key = self._key(label)
        known = self._followed.get(key)
        if known is None or known.labels is not labels:
            known = FollowedObject(labels, key[0], self._stack.plane, self._axis)
            self._followed[key] = known
        known.read()
        return known
