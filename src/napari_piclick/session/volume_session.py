"""The volume session: what the window does to a volume, for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_piclick.plane import Plane
from napari_piclick.session.followed_object import FollowedObject
from napari_piclick.session.interpolate import interpolate_gaps
from napari_piclick.session.label_map import LabelsError
from napari_piclick.session.place import Place
from napari_piclick.session.plane_stack import PlaneStack
from napari_piclick.session.propagate import propagate, propagate_again
from napari_piclick.session.session import Session
from napari_piclick.session.shared_predictor import SharedPredictor
from napari_piclick.session.slice_mask import LabelledBy, SliceMask

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_piclick.predict import ClickPredictor
    from napari_piclick.session.label_map import LabelMap
    from napari_piclick.session.quality import SliceQuality
    from napari_piclick.session.step import Step
    from napari_piclick.session.stopping import Rules, Stopped


class VolumeSession(Session):
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
    volume : (D, H, W) array-like
        NumPy or lazy: only planes are ever read.
    labels : integer array or LabelMap, optional
        Takes accepted objects; an array is changed in place. A new array by default.
    axis : int
        The axis that is sliced.
    contrast_limits : (low, high), optional
        Values seen as black and white on all slices; robust percentiles of some of them otherwise.
    spacing : (depth, height, width), optional
        Size of a voxel along each axis of the volume, as a layer's scale: interpolation measures
        distances by it. Cubes by default.
    name : str
        Identity of the volume.

    Raises
    ------
    ValueError
        If the volume has not three axes, or there is no such axis.
    """

    def __init__(
        self,
        predictor: ClickPredictor,
        volume: Any,
        labels: np.ndarray | LabelMap | None = None,
        *,
        axis: int = 0,
        contrast_limits: tuple[float, float] | None = None,
        spacing: Sequence[float] = (1.0, 1.0, 1.0),
        name: str = "volume",
    ) -> None:
        shape = tuple(int(n) for n in volume.shape)
        if len(shape) != 3 or axis not in range(3):
            raise ValueError(
                f"A volume of three axes, and one of these, are needed; not {shape} and {axis}."
            )
        # here, because it brings torch along, which those who only read labels do not need
        from napari_piclick.session.volume_window import sample_planes, window_of

        shared = SharedPredictor(predictor)
        super().__init__(shared, np.zeros(shape, np.uint16) if labels is None else labels)
        self._beside = shared.again()
        self._axis = axis
        rows, cols = (other for other in range(3) if other != axis)
        limits = contrast_limits or window_of(sample_planes(volume, axis))
        scale = np.diag([*(float(size) for size in spacing), 1.0])
        affine = tuple(tuple(float(value) for value in row) for row in scale)
        plane = Plane(shape, (rows, cols), (0,), affine=affine)
        self._stack = PlaneStack(volume, plane, axis, name, limits)
        self._followed: dict[int, FollowedObject] = {}
        self.go_to(0)

    def go_to(self, index: int) -> None:
        """Go to a slice; what was unfinished there is found again.

        Raises
        ------
        IndexError
            If there is no such slice.
        """
        if not 0 <= index < len(self._stack):
            raise IndexError(f"The slices are 0 to {len(self._stack) - 1}; {index} is not one.")
        source = self._stack.source(index)
        self.set_image(
            source.pixels,
            contrast_limits=source.window,
            rgb=source.rgb,
            key=Place(self._stack.key, source.plane),
        )

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
        followed.confirmed(start)
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

    def quality(self, label: int) -> list[SliceQuality]:
        """How good each slice of an object probably is; see `rate_slices`."""
        return self._follow(label).ratings

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
                empty = SliceMask.of(index, np.zeros(followed.plane.shape, bool))
                step = self._write(followed, empty, what, step)
                followed.slices.drop(index)

    def _write(
        self, followed: FollowedObject, labelled: SliceMask, what: str, step: Step | None
    ) -> Step | None:
        edit = followed.edit(labelled)
        return self.apply(edit, what, step) if len(edit) else step

    @property
    def _position(self) -> int:
        plane = self.geometry
        assert plane is not None
        return plane.position(self._axis)

    def _follow(self, label: int) -> FollowedObject:
        """The object slice by slice, as the labels have it now."""
        labels = self.labels
        if labels is None:
            raise LabelsError("There are no labels to change: give the session some.")
        known = self._followed.get(label)
        if known is None or known.labels is not labels:
            known = FollowedObject(labels, label, self._stack.plane, self._axis)
            self._followed[label] = known
        known.read()
        return known
