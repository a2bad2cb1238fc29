"""The object table: one row for each object, for a window or a file."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_piclick.session.objects import Objects


@dataclass(frozen=True)
class Row:
    """What is known about an object.

    Parameters
    ----------
    label : int
        Its id.
    kind : str
        Its class; empty for none.
    color : str, optional
        The colour of its class.
    voxels : int
        How many pixels or voxels it has.
    size : float
        Its area or volume.
    slices : int
        On how many slices it is.
    iou : float, optional
        Mean of the IoU that the model predicted; None if no model made it.
    clicks : int
        How many clicks it took.
    """

    label: int
    kind: str
    color: str | None
    voxels: int
    size: float
    slices: int
    iou: float | None
    clicks: int


def object_table(
    objects: Objects, spacing: Sequence[float] | None = None, *, search: bool = False
) -> list[Row]:
    """The rows of all objects, by id.

    Parameters
    ----------
    objects : Objects
    spacing : sequence of float, optional
        Size of a voxel along each axis of the labels that measures a length; 1 each if not said.
    search : bool
        Whether huge labels may be looked through, once. If not, there are rows for what was
        changed in them since they were taken, and of objects that were there before, they count
        only that.
    """
    index = objects.searched_index if search else objects.index
    if index is None:
        return []
    voxel = prod(abs(float(length)) for length in spacing or (1.0,))
    rows = []
    for label in index:
        extent, record = index[label], objects.records.get(label)
        kind = record.kind if record else ""
        rows.append(
            Row(
                label,
                kind,
                objects.classes.color(kind),
                extent.voxels,
                extent.voxels * voxel,
                len(extent.slices),
                record.iou if record else None,
                record.clicks if record else 0,
            )
        )
    return rows
