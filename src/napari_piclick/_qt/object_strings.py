"""The strings of the objects' part of the panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_piclick.session.object_table import Row

OBJECTS = "Objects"
TABLE_TIP = "Double-click an object, or press Enter on it, to go to where most of it is."
REFINE = "Refine"
REFINE_TIP = (
    "Take the selected object up again: your next clicks refine its mask on this slice, and "
    "keeping it writes it back under the same number. Ctrl + click on an object does the same."
)
NEW = "New object"
NEW_TIP = "Go on with a new object, under the next free number."
DELETE = "Delete"
DELETE_TIP = "Take the selected objects out of the labels. Undo brings them back."
MERGE = "Merge"
MERGE_TIP = "Make the selected objects one, under the number of the first. Select two or more."
LARGEST = "Largest part"
LARGEST_TIP = "Keep only the largest connected part of the selected objects."
FILL = "Fill holes"
FILL_TIP = "Fill the holes of the selected objects, except where other objects are."
SMOOTH = "Smooth"
SMOOTH_TIP = "Smooth the outline of the selected objects. Other objects keep their pixels."
THIS_SLICE = "On this slice only"
THIS_SLICE_TIP = "If ticked, parts, holes and outlines are changed on the slice in view alone."
CLASS_TIP = "A class for the selected objects: choose one or type a new name, then press Enter."
CLASS = "Class of the selected objects"
NO_CLASS = "Class…"
COLORS = "Colours of the labels"
COLORS_TIP = (
    "Show each object in a colour of its own, or in that of its class; objects in no class are "
    "gray then. Your own colours come back with “Colour by object”."
)
BY_OBJECT = "Colour by object"
BY_CLASS = "Colour by class"
SAVE = "Save…"
SAVE_TIP = "Save labels and clicks together in one file, to go on from later."
OPEN = "Open…"
OPEN_TIP = "Open labels and clicks that were saved together, and go on from there."
FILES = "PiClick sessions (*.piclick)"
SELECT_FIRST = "Select an object in the table first."
SELECT_TWO = "Select two or more objects in the table first."
RECOVER = "Recover"
RECOVER_TIP = "Bring back the objects and clicks of the session that was cut short."
DECLINE = "Not now"
DECLINE_TIP = "Offer this no more. The file is kept."
OFFER = "Your last session on this image was cut short. Its objects and clicks can be recovered."


def headings(unit: str, dimensions: int) -> list[str]:
    """The headings of the table's columns."""
    kind = "Volume" if dimensions > 2 else "Area"
    # on two lines: all columns fit into a narrow panel then
    size = f"{kind}\n({_short(unit)}{'³' if dimensions > 2 else '²'})"
    if unit == "pixel":
        size = "Voxels" if dimensions > 2 else "Pixels"
    return ["No.", "Class", size, "Slices", "IoU", "Clicks"]


def cells(row: Row) -> list[str]:
    """What the table says of an object."""
    iou = "" if row.iou is None else f"{row.iou:.2f}"
    clicks = str(row.clicks) if row.clicks else ""
    size = f"{row.size:.4g}".replace("e+0", "e").replace("e+", "e")  # shorter: "1.42e6"
    return [str(row.label), row.kind, size, str(row.slices), iou, clicks]


def _short(unit: str) -> str:
    names = {"micrometer": "µm", "nanometer": "nm", "millimeter": "mm", "meter": "m"}
    return names.get(unit, unit)
