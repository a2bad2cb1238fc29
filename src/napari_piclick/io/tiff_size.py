"""The physical size that ImageJ or OME metadata of a TIFF file tell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

#: Names that ImageJ, OME and people use, and the unit that each means.
UNITS = {
    "um": "um", "µm": "um", "μm": "um", "\\u00b5m": "um", "micron": "um", "microns": "um",
    "micrometer": "um", "micrometre": "um", "nm": "nm", "nanometer": "nm", "mm": "mm",
    "millimeter": "mm", "cm": "cm", "m": "m", "inch": "inch",
}  # fmt: skip
#: What a file that was written here says of itself.
LABELS = {"content": "labels"}
_METRES = {"m": 1.0, "cm": 1e-2, "mm": 1e-3, "um": 1e-6, "nm": 1e-9, "inch": 0.0254}
_SECONDS = {"s": 1.0, "sec": 1.0, "ms": 1e-3, "msec": 1e-3, "min": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class PhysicalSize:
    """The size of a voxel.

    Parameters
    ----------
    x, y, z : float
        Along each axis; 1 where it is not known.
    unit : str
    frame : float
        Seconds between frames; 1 if not known.
    """

    x: float = 1.0
    y: float = 1.0
    z: float = 1.0
    unit: str = "pixel"
    frame: float = 1.0


def physical_size(file: Any, number: int = 0) -> PhysicalSize:
    """What a file tells of the series with a number.

    Parameters
    ----------
    file : tifffile.TiffFile
    number : int
    """
    if file.is_ome:
        return _ome(file.ome_metadata, number)
    if file.is_imagej:
        return _told(file, file.imagej_metadata or {})
    # Labels that ImageJ has no numbers for are written in the same words, under tifffile's header.
    ours = [told for told in file.shaped_metadata or () if LABELS.items() <= told.items()]
    return _told(file, ours[0]) if ours else PhysicalSize()


def _told(file: Any, told: dict[str, Any]) -> PhysicalSize:
    """What is told in ImageJ's words, and by the resolution of the first page."""
    frame = float(told.get("finterval", 0.0)) * _SECONDS.get(told.get("tunit", "s"), 1.0) or 1.0
    unit = UNITS.get(str(told.get("unit", "")).strip().lower())
    if unit is None:
        return PhysicalSize(frame=frame)
    sizes = []
    for name in ("XResolution", "YResolution"):
        tag = file.pages[0].tags.get(name)
        above, below = (1, 1) if tag is None else tag.value
        sizes.append(below / above if above and below else 1.0)
    # A stack that does not tell its depth has cubic voxels in ImageJ, unless it is set to.
    depth = abs(float(told.get("spacing", 0.0))) or 1.0
    return PhysicalSize(sizes[0], sizes[1], depth, unit, frame)


def _ome(xml: str, number: int) -> PhysicalSize:
    found = ET.fromstring(re.sub(r'\sxmlns="[^"]+"', "", xml, count=1)).findall(".//Pixels")
    told = found[number].attrib if number < len(found) else {}
    second = _SECONDS.get(told.get("TimeIncrementUnit", "s"), 1.0)
    frame = float(told.get("TimeIncrement", 0.0)) * second or 1.0
    unit = UNITS.get(told.get("PhysicalSizeXUnit", "µm").lower())
    if "PhysicalSizeX" not in told or unit is None:
        return PhysicalSize(frame=frame)
    lengths = {"X": float(told["PhysicalSizeX"])}
    for axis, unknown in (("Y", lengths["X"]), ("Z", 1.0)):
        size = told.get(f"PhysicalSize{axis}")
        own = UNITS.get(told.get(f"PhysicalSize{axis}Unit", "µm").lower(), unit)
        lengths[axis] = unknown if size is None else float(size) * _METRES[own] / _METRES[unit]
    return PhysicalSize(lengths["X"], lengths["Y"], lengths["Z"], unit, frame)
