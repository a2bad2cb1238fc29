from __future__ import annotations

import numpy as np
import pytest

from napari_piclick.proposals import Proposals
from napari_piclick.region import Region
from napari_piclick.session.pick_rule import pick


def proposals() -> Proposals:
    """Squares of 8, 4, 12 and 1 pixels a side; the last two score far below the best."""
    masks = np.zeros((4, 12, 12), np.float32)
    for index, side in enumerate((8, 4, 12, 1)):
        masks[index, :side, :side] = 1
    iou = np.array([0.8, 0.85, 0.9, 0.5], np.float32)
    confidence = np.array([1.0, 0.9, 0.5, 0.5], np.float32)
    return Proposals(masks, Region.whole((12, 12)), (12, 12), iou, confidence)


@pytest.mark.parametrize(
    ("rule", "expected"), [("score", 0), ("iou", 2), ("largest", 0), ("smallest", 1)]
)
def test_each_rule_prefers_what_it_says(rule: str, expected: int) -> None:
    picked = pick(proposals(), rule)
    assert picked.chosen == expected
    assert picked.chosen_by == "trm"


def test_an_empty_proposal_is_nobodys_smallest() -> None:
    few = proposals()
    few.masks[1] = 0
    assert pick(few, "smallest").chosen == 0
