from __future__ import annotations

import numpy as np
import pytest

from napari_piclick.proposals import Proposals
from napari_piclick.region import Region
from napari_piclick.session.area import describe_area


@pytest.mark.parametrize(
    ("side", "spacing", "unit", "expected"),
    [
        (10, (1.0, 1.0), "pixel", "100 px"),
        (10, (2.0, 0.5), "pixel", "100 px"),
        (10, (2.0, 0.5), "micrometer", "100 µm²"),
        (10, (0.1, 0.1), "micrometer", "1 µm²"),
        (11, (0.5, 0.5), "millimeter", "30.2 mm²"),
        (40, (10.0, 10.0), "nanometer", "0.16 µm²"),
        (40, (1e6, 1e6), "nanometer", "1600 mm²"),
        (400, (1000.0, 1000.0), "parsec", "1.6e+11 parsec²"),
        (10, (1.0, 1.0), "parsec", "100 parsec²"),
    ],
)
def test_areas_are_told_in_the_users_units(
    side: int, spacing: tuple[float, float], unit: str, expected: str
) -> None:
    shape = (side, side)
    one = np.ones(1, np.float32)
    proposals = Proposals(np.ones((1, *shape), np.float32), Region.whole(shape), shape, one, one)
    assert describe_area(proposals, 0, spacing, unit) == expected


def test_areas_side_by_side_have_one_unit() -> None:
    masks = np.zeros((2, 40, 40), np.float32)
    masks[0] = 1
    masks[1, :20] = 1
    two = np.ones(2, np.float32)
    proposals = Proposals(masks, Region.whole((40, 40)), (40, 40), two, two)
    texts = [describe_area(proposals, k, (10.0, 10.0), "nanometer") for k in range(2)]
    assert texts == ["0.16 µm²", "0.08 µm²"]
    assert proposals.choose(1).areas.tolist() == [1600, 800]
