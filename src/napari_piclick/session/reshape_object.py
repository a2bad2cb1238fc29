"""Reshaping an object: the edits that change its outline, or give all of it another id."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.session.label_edit import LabelEdit
from napari_piclick.session.label_map import LabelsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_piclick.plane import Plane

#: Room around an object while its shape is changed, so that its edge is no edge of the array.
MARGIN = 4


def replace_object(data: np.ndarray, box: tuple[slice, ...], label: int, by: int) -> LabelEdit:
    """The edit that gives an object, all of which lies in a box, another id, or none (0)."""
    return LabelEdit.of(data, _inside(box, np.nonzero(data[box] == label)), by)


def reshape_object(
    data: np.ndarray,
    box: tuple[slice, ...],
    label: int,
    change: Callable[[np.ndarray], np.ndarray],
    plane: Plane | None = None,
) -> LabelEdit:
    """The edit that changes the shape of an object; other objects keep their voxels.

    Parameters
    ----------
    data : integer array
    box : tuple of slice
        Holds the whole object.
    label : int
    change : callable
        Makes a bool mask of a bool mask, of the object and a margin around it.
    plane : Plane, optional
        Where; on the whole object if not given. Then the mask has its two axes alone, in the
        order of the array.

    Raises
    ------
    LabelsError
        If the object is not on that plane, or nothing would be left of it.
    """
    thin = () if plane is None else plane.hidden
    for axis in thin:
        position = plane.index[thin.index(axis)] if plane is not None else 0
        box = (*box[:axis], slice(position, position + 1), *box[axis + 1 :])
    # The margin is cut from the array where there is room, because an object may grow into it.
    wide = tuple(
        here if axis in thin else slice(max(here.start - MARGIN, 0), here.stop + MARGIN)
        for axis, here in enumerate(box)
    )
    part = data[wide]
    before = part == label
    if not before.any():
        raise LabelsError(f"Object {label} is not on this plane: go to one where it is.")
    roomy = np.pad(before.squeeze(thin), MARGIN)
    after = change(roomy)[(slice(MARGIN, -MARGIN),) * roomy.ndim]
    after = np.expand_dims(after, thin) & (before | (part == 0))
    if not after.any():
        raise LabelsError(f"Nothing would be left of object {label}: it is too small for this.")
    changed = np.nonzero(after != before)
    return LabelEdit.of(data, _inside(wide, changed), np.where(after[changed], label, 0))


def _inside(box: tuple[slice, ...], found: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """The voxels of an array that were found in a box of it."""
    return tuple(axis + here.start for axis, here in zip(found, box, strict=True))
