"""Slicing: a session that goes through the slices of a volume."""

from __future__ import annotations

from dataclasses import replace
from operator import index as as_int
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_piclick.plane import Plane
from napari_piclick.session.label_map import ArrayLabels, LabelsError
from napari_piclick.session.object_table import object_table
from napari_piclick.session.place import Place
from napari_piclick.session.plane_stack import PlaneStack
from napari_piclick.session.session import Session
from napari_piclick.session.shared_predictor import SharedPredictor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_piclick.predict import ClickPredictor
    from napari_piclick.session.label_map import LabelMap
    from napari_piclick.session.object_table import Row


class Slicing(Session):
    """The half of a `VolumeSession` that goes to slices; it has the same parameters."""

    def __init__(
        self,
        predictor: ClickPredictor,
        volume: Any,
        labels: np.ndarray | LabelMap | None = None,
        *,
        axis: int | None = None,
        rgb: bool = False,
        contrast_limits: tuple[float, float] | None = None,
        spacing: Sequence[float] | None = None,
        name: str = "volume",
    ) -> None:
        shape = tuple(int(n) for n in volume.shape)[: -1 if rgb else None]
        ndim = len(shape)
        axis = ndim - 3 if axis is None else axis
        if ndim < 3 or axis not in range(ndim):
            raise ValueError(
                f"A volume of three axes or more{', colours left out,' if rgb else ''} and one of "
                f"these are needed; not {shape} and {axis}."
            )
        sizes = [1.0] * ndim if spacing is None else [float(size) for size in spacing]
        if len(sizes) != ndim:
            raise ValueError(f"The spacing needs {ndim} numbers, one for each axis; not {sizes}.")
        shared = SharedPredictor(predictor)
        super().__init__(shared, ArrayLabels.empty(shape) if labels is None else labels)
        self._beside = shared.again()
        self._axis = axis
        rows, cols = [other for other in range(ndim - 3, ndim) if other != axis][-2:]
        scale = np.diag([*sizes, 1.0])
        affine = tuple(tuple(float(value) for value in row) for row in scale)
        plane = Plane(shape, (rows, cols), (0,) * (ndim - 2), rgb=rgb, affine=affine)
        self._stack = PlaneStack(volume, plane, axis, name, contrast_limits)
        if contrast_limits is None and not rgb:
            self._stack = replace(self._stack, contrast_limits=self._window())
        self.go_to(*plane.index)

    @property
    def spacing(self) -> tuple[float, ...]:
        """Size of a voxel along each axis of the volume."""
        return self._stack.plane.voxel_size

    def go_to(self, *index: int) -> None:
        """Go to a slice; what was unfinished there is found again.

        Parameters
        ----------
        index : int
            The number of the slice, or one for each axis that the planes do not show, in the
            order of the axes: time and slice.

        Raises
        ------
        IndexError
            If there is no such slice.
        Exception
            If the slice cannot be read; then the session stays where it is.
        """
        here = self._stack.plane
        index = tuple(map(as_int, index))
        place = index
        if len(index) == 1:
            at = here.hidden.index(self._axis)
            place = (*here.index[:at], index[0], *here.index[at + 1 :])
        self._check(place)
        before, self._stack = self._stack, replace(self._stack, plane=replace(here, index=place))
        key = Place(self._stack.key, self._stack.plane)
        try:
            source = self._stack.source(self._stack.position)
            self.set_image(source.pixels, contrast_limits=source.window, rgb=source.rgb, key=key)
        finally:
            # A slice may not be readable: the clicks and the labels must be of the same one.
            if self.plane != key:
                self._stack = before

    def go_to_object(self, label: int) -> None:
        """Go to a slice on which an object is: of slices along the last two axes, its largest.

        Raises
        ------
        LabelsError
            If there is no such object.
        """
        index = self.objects.searched_index
        voxel = None if index is None else index.voxel(label)
        if voxel is None:
            raise LabelsError(f"There is no object {label}: pick one that is labelled.")
        self.go_to(*(voxel[axis] for axis in self._stack.plane.hidden))

    def table(self) -> list[Row]:
        """A row for each object, with its volume in the units of the spacing."""
        return object_table(self.objects, self.spacing, search=True)

    def _check(self, index: tuple[int, ...]) -> None:
        hidden = self._stack.plane.hidden
        counts = [self._stack.plane.volume_shape[axis] for axis in hidden]
        if len(index) != len(counts):
            raise IndexError(
                f"Give the number of a slice, or {len(counts)}, one for each of the axes {hidden}; "
                f"not {len(index)}."
            )
        for given, count in zip(index, counts, strict=True):
            if not 0 <= given < count:
                raise IndexError(f"The slices are 0 to {count - 1}; {given} is not one.")

    def _window(self) -> tuple[float, float] | None:
        # here, because it brings torch along, which those who only read labels do not need
        from napari_piclick.session.volume_window import sample_indices, window_of

        stack = self._stack
        return window_of(stack.source(k).pixels[:, :] for k in sample_indices(len(stack)))

    @property
    def _position(self) -> int:
        return self._stack.position
