"""Writing an object: the edit that puts a mask on a plane into labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.session.accepted import Written
from napari_piclick.session.label_edit import LabelEdit
from napari_piclick.session.label_map import LabelsError

if TYPE_CHECKING:
    from napari_piclick.plane import Plane
    from napari_piclick.region import Region
    from napari_piclick.session.label_map import LabelMap


def write_object(
    labels: LabelMap,
    plane: Plane,
    region: Region,
    mask: np.ndarray,
    *,
    label: int | None = None,
    overwrite: bool = False,
) -> tuple[LabelEdit, Written]:
    """The edit that writes an object.

    Parameters
    ----------
    labels : LabelMap
    plane, region, mask
        The object: an (h, w) bool mask on a region of a plane.
    label : int, optional
        Its id, if it has one: what it has on this plane is replaced. Otherwise the next free.
    overwrite : bool
        Whether it may take pixels from other objects.

    Raises
    ------
    LabelsError
        If no pixel would be left for it, or the plane is not one of these labels.
    """
    data = labels.data
    if data.shape != plane.volume_shape:
        raise LabelsError(
            f"The labels have {_times(data.shape)} pixels, the image "
            f"{_times(plane.volume_shape)}: choose labels of the same size, or new ones."
        )
    voxels = plane.voxels(mask, region)
    if not voxels[0].size:
        raise LabelsError("This proposal is empty: choose another one, or add a click.")
    there = data[voxels]
    others = (there != 0) & (there != label)
    taken = np.zeros(len(there), bool) if overwrite else others
    if taken.all():
        raise LabelsError(
            "Other objects have all of these pixels already: choose another proposal, or "
            "tick “Overwrite other objects”."
        )
    mine = tuple(axis[~taken] for axis in voxels)
    number = labels.next_label if label is None else label
    edit = LabelEdit.of(data, mine, number)
    if label is not None:
        own = mask_on(data, plane, label)
        own[region.slices] &= ~mask
        gone = LabelEdit.of(data, plane.voxels(own), 0)
        edit = LabelEdit.joined([gone, edit])
    return edit, Written(number, int(mine[0].size), int(taken.sum()))


def mask_on(labels: np.ndarray, plane: Plane, label: int) -> np.ndarray:
    """(H, W) bool: where an object is on a plane."""
    mask: np.ndarray = np.asarray(replace(plane, rgb=False).cut(labels)) == label
    return mask


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
