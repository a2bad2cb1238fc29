"""The segmenter: clicks on a volume answered object by object, as in the window."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from napari_piclick.clicks import Click
from napari_piclick.plane import Plane
from napari_piclick.segment.clicks_file import ClicksError
from napari_piclick.session.interpolate import interpolate_gaps
from napari_piclick.session.plane_stack import PlaneStack
from napari_piclick.session.propagate import propagate, propagate_again
from napari_piclick.session.slice_mask import ObjectSlices, SliceMask
from napari_piclick.session.stopping import Stopped
from napari_piclick.session.volume_window import sample_indices, window_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from napari_piclick.io.volume import Volume
    from napari_piclick.predict import Predictor
    from napari_piclick.segment.clicks_file import ClicksFile, VolumeClick
    from napari_piclick.session.stopping import Rules


@dataclass
class ObjectReport:
    """What became of one object.

    Parameters
    ----------
    label : int
    slices : int
        On how many slices it is.
    voxels : int
    kept_back : int
        Voxels that stayed with objects before it.
    stops : list of Stopped
        Where propagation ended.
    """

    label: int
    slices: int = 0
    voxels: int = 0
    kept_back: int = 0
    stops: list[Stopped] = field(default_factory=list)

    def __str__(self) -> str:
        ends = [
            f"stopped at slice {stop.index}: {stop.reason.value}"
            for stop in self.stops
            if not stop.inside
        ]
        taken = f", {self.kept_back} left to other objects" if self.kept_back else ""
        text = f"object {self.label}: {self.voxels} voxels on {self.slices} slices{taken}"
        return "; ".join([text, *ends])


class VolumeSegmenter:
    """Segments the objects of one volume.

    Parameters
    ----------
    predictor : Predictor
    volume : Volume
    clicks : ClicksFile
    rules : Rules, optional
        When propagation stops; None to label only the slices that were clicked.
    interpolate : bool
        Whether to fill the slices between those that were clicked from their outlines.
    progress : callable, optional
        Called for every slice that was found.
    key : hashable, optional
        Identity of the volume to a predictor that remembers planes: its name will not do where
        the predictor sees several volumes. A new one by default.

    Raises
    ------
    ClicksError
        If the clicks do not fit the volume.
    """

    def __init__(
        self,
        predictor: Predictor,
        volume: Volume,
        clicks: ClicksFile,
        rules: Rules | None = None,
        *,
        interpolate: bool = False,
        progress: Callable[[], Any] | None = None,
        key: Hashable = None,
    ) -> None:
        self.predictor = predictor
        self.volume = volume
        self.clicks = clicks
        self.rules = rules
        self.interpolate = interpolate
        self._progress = progress or (lambda: None)
        self._key = uuid4().hex if key is None else key
        self.shape = tuple(int(n) for n in volume.data.shape[: volume.geometry.ndim])
        self.axis, self.displayed = _axes(volume, clicks.axis)
        for click in clicks.clicks:
            _check(click, self.shape)

    def empty(self, largest: int = 0) -> np.ndarray:
        """Labels of the volume's shape in which there is nothing yet.

        Their type holds the clicks' objects, and a larger label if others are to be put there.
        """
        return np.zeros(self.shape, np.min_scalar_type(max(*self.clicks.objects, largest)))

    def segment(self, labels: np.ndarray) -> list[ObjectReport]:
        """Segment every object into labels.

        Parameters
        ----------
        labels : integer array of the volume's shape
            Changed in place. An object takes no voxel from those that are there, nor from those
            whose first clicks came before.
        """
        return [self._segment(label, labels) for label in self.clicks.objects]

    def _segment(self, label: int, labels: np.ndarray) -> ObjectReport:
        report = ObjectReport(label)
        places = defaultdict(list)
        for click in self.clicks.clicks:
            if click.object == label:
                places[self._plane_of(click).index].append(click)
        if self.axis is None:
            for clicks in places.values():
                plane = self._plane_of(clicks[0])
                found = self._answer(plane, 0, clicks, self._start(plane, 0, label))
                _write(labels, plane, found, report)
            return report
        # Slices along one axis belong together; those that differ in another one do not.
        hidden = tuple(axis for axis in range(len(self.shape)) if axis not in self.displayed)
        along = hidden.index(self.axis)
        stacks: dict[Any, list[list[VolumeClick]]] = defaultdict(list)
        for index, clicks in places.items():
            stacks[index[:along] + index[along + 1 :]].append(clicks)
        for groups in stacks.values():
            plane = self._plane_of(groups[0][0])
            stack = PlaneStack(self.volume.data, plane, self.axis, self._key, self._window)
            for found in self._follow(stack, groups, label, report):
                _write(labels, stack.plane_at(found.index), found, report)
        return report

    def _follow(
        self,
        stack: PlaneStack,
        groups: list[list[VolumeClick]],
        label: int,
        report: ObjectReport,
    ) -> Iterable[SliceMask]:
        """The slices of an object in one stack of planes."""
        assert self.axis is not None
        slices = ObjectSlices(len(stack))
        corrections = []
        for clicks in groups:
            index = round(clicks[0].index[self.axis])
            begun = self._start(stack.plane_at(index), index, label)
            if begun is not None or any(click.positive for click in clicks):
                slices.put(self._answer(stack.plane_at(index), index, clicks, begun))
            else:
                corrections.append((index, clicks))
        if not len(slices):
            raise ClicksError(f"Object {label} has no positive click: click on it first.")
        by_hand = [labelled.index for labelled in slices if labelled.area]
        if self.rules is not None and by_hand:
            self._run(propagate(
                self.predictor, stack, slices, by_hand[0], steps=(-1,), rules=self.rules
            ), report)  # fmt: skip
            for start in by_hand:
                self._run(propagate(
                    self.predictor, stack, slices, start, steps=(1,), rules=self.rules
                ), report)  # fmt: skip
        for index, clicks in corrections:
            before = slices.get(index)
            if before is None or before.region is None:
                raise ClicksError(
                    f"Object {label} is not on slice {index}, so its negative clicks there have "
                    "nothing to correct: give a positive one, or propagate."
                )
            slices.put(self._answer(stack.plane_at(index), index, clicks, before))
            if self.rules is not None:
                self._run(
                    propagate_again(self.predictor, stack, slices, index, rules=self.rules), report
                )
        if self.interpolate:
            for between in list(interpolate_gaps(slices, stack.plane.spacing)):
                slices.put(between)
                self._progress()
        return list(slices)

    def _run(self, events: Iterable[SliceMask | Stopped], report: ObjectReport) -> None:
        for event in events:
            if isinstance(event, Stopped):
                report.stops.append(event)
            else:
                self._progress()

    def _start(self, plane: Plane, index: int, label: int) -> SliceMask | None:
        """The mask that the clicks on a plane began with."""
        start = self.clicks.starts.get((label, plane.index))
        return None if start is None else SliceMask.of(index, start)

    def _answer(
        self, plane: Plane, index: int, clicks: list[VolumeClick], before: SliceMask | None
    ) -> SliceMask:
        """The mask of a slice after its clicks, given one by one as in the window."""
        pixels = plane.cut(self.volume.data)
        self.predictor.set_image(
            pixels,
            contrast_limits=self._window,
            rgb=plane.rgb,
            key=(self._key, plane.key),
        )
        given: list[Click] = []
        answer: Any = None if before is None else before.plane_mask().astype(np.float32)
        if before is None and not clicks[0].positive:
            # A positive click comes first: without it there is nothing that others could correct.
            clicks = sorted(clicks, key=lambda c: not c.positive)
        for click in clicks:
            row, col = plane.from_volume(click.index)
            given.append(Click(float(row), float(col), click.positive))
            answer = self.predictor.predict(given, answer)
            if click.proposal is not None:
                answer = _choose(answer, click.proposal)
        self._progress()
        return SliceMask.of(index, answer.plane_mask())

    def _plane_of(self, click: VolumeClick) -> Plane:
        hidden = [axis for axis in range(len(self.shape)) if axis not in self.displayed]
        index = tuple(round(click.index[axis]) for axis in hidden)
        geometry = self.volume.geometry
        affine = np.diag([*geometry.spacing, 1.0])
        matrix = tuple(tuple(float(value) for value in row) for row in affine)
        return Plane(self.shape, self.displayed, index, self.volume.rgb, matrix)

    @cached_property
    def _window(self) -> tuple[float, float] | None:
        """Values seen as black and white on all slices: robust percentiles of some of them."""
        data = self.volume.data
        if self.volume.rgb:
            whole = np.dtype(data.dtype)
            return (0.0, float(np.iinfo(whole).max)) if whole.kind in "ui" else (0.0, 1.0)
        first = self._plane_of(self.clicks.clicks[0])
        if self.axis is None:
            return window_of([first.cut(data)])
        stack = PlaneStack(data, first, self.axis, self._key)
        return window_of(stack.plane_at(k).cut(data) for k in sample_indices(len(stack)))


def _axes(volume: Volume, axis: int | None) -> tuple[int | None, tuple[int, int]]:
    """The axis that is sliced, and those of its planes."""
    spatial, ndim = volume.geometry.spatial, volume.geometry.ndim
    if ndim == 2:
        rows, cols = volume.geometry.order
        return None, (rows, cols)
    axis = spatial[-1] if axis is None and len(spatial) == 3 else axis
    if axis is None:
        axis = volume.geometry.others[0]
    if not 0 <= axis < ndim:
        raise ClicksError(f"{volume.name} has the axes 0 to {ndim - 1}, but not {axis}.")
    # Planes as the window shows them: an axis that comes first in a layer runs down.
    shown = [a for a in volume.geometry.order if a in spatial and a != axis]
    if len(shown) > 2:  # along time, the planes are those of the last axis of space
        shown.remove(spatial[-1])
    if len(shown) < 2:
        raise ClicksError(f"{volume.name} has no planes along axis {axis}; choose another axis.")
    return axis, (shown[0], shown[1])


def _check(click: VolumeClick, shape: tuple[int, ...]) -> None:
    inside = len(click.index) == len(shape) and all(
        0 <= round(i) < n for i, n in zip(click.index, shape, strict=True)
    )
    if not inside:
        raise ClicksError(
            f"The click at {list(click.index)} lies outside the image, whose array is "
            f"{' x '.join(map(str, shape))}: give one index for each axis, in the file's own order."
        )


def _write(labels: np.ndarray, plane: Plane, found: SliceMask, report: ObjectReport) -> None:
    if found.region is None:
        return
    voxels = plane.voxels(found.mask, found.region)
    free = labels[voxels] == 0
    labels[tuple(axis[free] for axis in voxels)] = report.label
    report.slices += 1
    report.voxels += int(free.sum())
    report.kept_back += int((~free).sum())


def _choose(proposals: Any, index: int) -> Any:
    """The proposals with the one that was chosen; the model's pick if it makes fewer."""
    return proposals.choose(index) if index < len(proposals) else proposals
