"""The area of a proposal, in the units the user measures in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_piclick.proposals import Proposals

PIXELS = ("pixel", "px", "")
#: Short names of units that napari and file formats use.
SHORT = {
    "nanometer": "nm",
    "micrometer": "µm",
    "micron": "µm",
    "millimeter": "mm",
    "centimeter": "cm",
    "meter": "m",
    "angstrom": "Å",
}
#: A thousand times the unit, for areas that would come out in too many digits.
LARGER = {"nm": "µm", "µm": "mm", "mm": "m"}


def describe_area(
    proposals: Proposals, index: int, spacing: tuple[float, float], unit: str = "pixel"
) -> str:
    """The area of a proposal in a few characters: "1.2 µm²", or "350 px" without a unit.

    Parameters
    ----------
    proposals : Proposals
    index : int
        Which of them.
    spacing : (height, width)
        Size of one pixel in ``unit``.
    unit : str
        Name of the unit of both; "pixel" if the size of a pixel is not known.
    """
    pixels = int(proposals.areas[index])
    if unit in PIXELS:
        return f"{pixels} px"
    area, unit = pixels * spacing[0] * spacing[1], SHORT.get(unit, unit)
    # the largest decides for all: areas side by side are compared, and need one unit for that
    largest = float(proposals.areas.max()) * spacing[0] * spacing[1]
    while largest >= 1e5 and unit in LARGER:
        area, largest, unit = area / 1e6, largest / 1e6, LARGER[unit]
    number = f"{area:.0f}" if area >= 100 else f"{area:.3g}"
    if area >= 1e6 or 0 < area < 1e-3:
        number = f"{area:.1e}"
    return f"{number} {unit}²"
