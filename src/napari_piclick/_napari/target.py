"""The target: the labels layer that accepted objects are written into."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels

from napari_piclick._napari.placement import placement_of

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_piclick.plane import Plane
    from napari_piclick.region import Region

#: Room for 65535 objects; Fiji and others cannot read label images of 64 bits.
DTYPE = np.uint16
#: Labels of up to so many voxels are searched for the largest id every time: some 20 ms.
SEARCHED = 2**26


class TargetError(ValueError):
    """The labels layer cannot take objects; the message says why, and what to do."""


@dataclass(frozen=True)
class Written:
    """What became of an accepted object.

    Parameters
    ----------
    label : int
        Its id.
    pixels : int
        How many pixels it got.
    kept_back : int
        How many of its pixels stayed with objects that were there before.
    """

    label: int
    pixels: int
    kept_back: int


def new_target(image: Image, shape: tuple[int, ...]) -> Labels:
    """An empty labels layer that lies exactly on an image.

    Parameters
    ----------
    image : napari.layers.Image
    shape : tuple of int
        Size of the image in voxels, colours left out.
    """
    return Labels(
        _zeros(shape),
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
    """A labels layer that takes objects, each under the next free id.

    Parameters
    ----------
    layer : napari.layers.Labels
        One that `check_target` lets pass.
    empty : bool
        Whether the layer is known to be empty, so that a huge one need not be searched.

    Attributes
    ----------
    layer : napari.layers.Labels
    """

    def __init__(self, layer: Labels, *, empty: bool = False) -> None:
        self.layer = layer
        self._largest: int | None = 0 if empty else None
        layer.events.paint.connect(self._on_painted)
        layer.events.data.connect(self._on_data_replaced)

    def close(self) -> None:
        """Let go of the layer."""
        self.layer.events.paint.disconnect(self._on_painted)
        self.layer.events.data.disconnect(self._on_data_replaced)

    @property
    def next_label(self) -> int:
        """The next free id: one more than the largest in use."""
        # The layer may be written to without a word, so look again wherever that is quick.
        if self._largest is None or self.layer.data.size <= SEARCHED:
            self._largest = int(self.layer.data.max(initial=0))
        return self._largest + 1

    def write(
        self, plane: Plane, region: Region, mask: np.ndarray, *, overwrite: bool = False
    ) -> Written:
        """Write an object under the next free id; the layer's own undo takes it back.

        An integer type that is too small for the id is replaced by a larger one.

        Parameters
        ----------
        plane, region, mask
            The object: an (h, w) bool mask on a region of a plane.
        overwrite : bool
            Whether it may take pixels from other objects.

        Raises
        ------
        TargetError
            If no pixel would be written.
        """
        layer = self.layer
        voxels = plane.voxels(mask, region)
        taken = np.zeros(len(voxels[0]), bool) if overwrite else layer.data[voxels] != 0
        free = tuple(axis[~taken] for axis in voxels)
        if not voxels[0].size:
            raise TargetError("This proposal is empty: choose another one, or add a click.")
        if not free[0].size:
            raise TargetError(
                "Other objects have all of these pixels already: choose another proposal, or "
                "tick “Overwrite other objects”."
            )
        label = self.next_label
        if label > np.iinfo(layer.data.dtype).max:
            layer.data = layer.data.astype(np.min_scalar_type(label))
        with layer.block_history():
            layer.data_setitem(free, label)
        self._largest = label
        layer.selected_label = label
        return Written(label, int(free[0].size), int(taken.sum()))

    def _on_painted(self, event: Any) -> None:
        if self._largest is not None:
            largest = max((int(np.max(new, initial=0)) for _, _, new in event.value), default=0)
            self._largest = max(self._largest, largest)

    def _on_data_replaced(self) -> None:
        self._largest = None


def _zeros(shape: tuple[int, ...]) -> np.ndarray:
    try:
        return np.zeros(shape, DTYPE)
    except MemoryError:
        # A file full of holes takes no room on the disk either, until something is written.
        with tempfile.TemporaryFile(prefix="piclick-", suffix=".labels") as file:
            file.truncate(prod(shape) * np.dtype(DTYPE).itemsize)
            return np.memmap(file, DTYPE, "r+", shape=shape)


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
