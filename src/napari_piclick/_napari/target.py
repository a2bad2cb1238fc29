"""The target: the labels layer that accepted objects are written into."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels
from psygnal import Signal

from napari_piclick._napari.empty_labels import empty_labels
from napari_piclick._napari.layer_history import LayerHistory, edit_of
from napari_piclick._napari.placement import placement_of
from napari_piclick.session.label_edit import LabelEdit
from napari_piclick.session.label_map import LabelsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.layers import Image


#: Labels of up to so many voxels are searched for the largest id every time: some 20 ms.
SEARCHED = 2**26


class TargetError(LabelsError):
    """The labels layer cannot take objects; the message says why, and what to do."""


def new_target(image: Image, shape: tuple[int, ...]) -> Labels:
    """An empty labels layer that lies exactly on an image.

    Parameters
    ----------
    image : napari.layers.Image
    shape : tuple of int
        Size of the image in voxels, colours left out.
    """
    return Labels(
        empty_labels(shape),
        name=f"{image.name} objects",
        metadata=dict(image.metadata),
        **placement_of(image),
    )


def check_target(layer: Labels, shape: tuple[int, ...]) -> None:
    """Make sure that a labels layer can take objects of an image of this shape.

    Raises
    ------
    TargetError
        If it has another size, or cannot be written to.
    """
    data = layer.data
    if layer.multiscale or not isinstance(data, np.ndarray) or not data.flags.writeable:
        raise TargetError(
            f"The labels “{layer.name}” cannot be written to (they are lazy, multiscale or "
            "read-only): choose another labels layer, or “New labels layer”."
        )
    if data.shape != shape:
        raise TargetError(
            f"The labels “{layer.name}” have {_times(data.shape)} pixels, the image "
            f"{_times(shape)}: choose labels of the same size, or “New labels layer”."
        )


class Target:
    """A labels layer as the session's label map; the layer's own undo knows of every change.

    Parameters
    ----------
    layer : napari.layers.Labels
        One that `check_target` lets pass.
    empty : bool
        Whether the layer is known to be empty, so that a huge one need not be searched.

    Attributes
    ----------
    layer : napari.layers.Labels
    painted : psygnal.Signal
        Emitted with a `LabelEdit` after somebody else changed the layer: with a brush, by
        napari's own undo, or by giving it other data of the same size.
    replaced : psygnal.Signal
        Emitted after somebody else gave the layer other data.
    selected : psygnal.Signal
        Emitted when another id is selected in the layer, by whomever.
    """

    painted = Signal(object)
    replaced = Signal()
    selected = Signal()

    def __init__(self, layer: Labels, *, empty: bool = False) -> None:
        self.layer = layer
        self._largest: int | None = 0 if empty else None
        self._writing = False
        self._history = LayerHistory(layer.data)
        layer.events.paint.connect(self._on_painted)
        layer.events.set_data.connect(self._on_drawn)
        layer.events.data.connect(self._on_data_replaced)
        layer.events.selected_label.connect(self._on_selected)

    def close(self) -> None:
        """Let go of the layer."""
        self.layer.events.paint.disconnect(self._on_painted)
        self.layer.events.set_data.disconnect(self._on_drawn)
        self.layer.events.data.disconnect(self._on_data_replaced)
        self.layer.events.selected_label.disconnect(self._on_selected)

    @property
    def data(self) -> np.ndarray:
        """The integer array."""
        data: np.ndarray = self.layer.data
        return data

    @property
    def next_label(self) -> int:
        """The next free id: one more than the largest in use."""
        # The layer may be written to without a word, so look again wherever that is quick.
        if self._largest is None or self.data.size <= SEARCHED:
            self._largest = max(int(self.data.max(initial=0)), 0)
        return self._largest + 1

    @property
    def known_empty(self) -> bool:
        """Whether it is known, without a search, that there is no object."""
        return self._largest == 0

    def write(self, voxels: tuple[np.ndarray, ...], values: np.ndarray) -> None:
        """Give voxels other values.

        Raises
        ------
        TargetError
            If the layer cannot be written to.
        """
        check_target(self.layer, self.data.shape)
        # the layer's history keeps them as they are: half the memory
        voxels = tuple(axis.astype(np.int32, copy=False) for axis in voxels)
        with self._ourselves(), self.layer.block_history():
            self.layer.data_setitem(voxels, values)
        if values.size and not self._holds_extremes(voxels, values):
            # A hidden layer does not notice that its type has become larger.
            self.data[voxels] = values
            self._history.forget()  # napari's entry tells of other values
            self.layer.refresh()
        if self._largest is not None:
            self._largest = max(self._largest, int(values.max(initial=0)))

    def _holds_extremes(self, voxels: tuple[np.ndarray, ...], values: np.ndarray) -> bool:
        """Whether the largest and the smallest value arrived: the first to be cut by a type."""
        places = (int(values.argmax()), int(values.argmin()))
        return all(self.data[tuple(axis[k] for axis in voxels)] == values[k] for k in places)

    def retype(self, dtype: np.dtype) -> None:
        """Go over to another integer type that holds all values."""
        with self._ourselves():
            self.layer.data = self.data.astype(dtype)

    def _on_painted(self, event: Any) -> None:
        # What we write comes last; a stroke that was still being made comes before it.
        atoms = event.value[:-1] if self._writing else event.value
        edits = [edit for atom in atoms if len(edit := edit_of(atom, self.data.shape))]
        stroke = self._history.corrected(LabelEdit.joined(edits)) if edits else None
        self._history.take(event.value)
        if stroke is not None:
            self._tell(stroke)

    def _on_drawn(self) -> None:
        if not self._writing:
            for edit in self._history.look():
                self._tell(edit)

    def _tell(self, edit: LabelEdit) -> None:
        if self._largest is not None:
            self._largest = max(self._largest, int(edit.after.max(initial=0)))
        if len(edit):
            self.painted.emit(edit)

    def _on_data_replaced(self) -> None:
        edit = self._history.replace(self.data)
        if self._writing:
            return
        self._largest = None
        self.replaced.emit()
        if edit is not None:
            self._tell(edit)

    def _on_selected(self) -> None:
        self.selected.emit()

    @contextmanager
    def _ourselves(self) -> Iterator[None]:
        before, self._writing = self._writing, True
        try:
            yield
        finally:
            self._writing = before


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
