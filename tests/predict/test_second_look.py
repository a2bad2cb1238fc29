"""The second look: what is seen from nearer takes the place of near-duplicates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_piclick import Click, Proposals, Region
from napari_piclick.predict.second_look import with_closer

SIZE = 120


def _disk(row: float, col: float, radius: float) -> np.ndarray:
    rows, cols = np.mgrid[:SIZE, :SIZE]
    inside: np.ndarray = (rows - row) ** 2 + (cols - col) ** 2 <= radius**2
    return inside


def _proposals(*masks: np.ndarray, best: float = 0.9, region: Region | None = None) -> Proposals:
    """Proposals with falling scores, on a region of the plane."""
    region = region or Region.whole((SIZE, SIZE))
    scores = np.linspace(best, best / 2, len(masks)).astype(np.float32)
    values = 0.8 * np.stack(masks).astype(np.float32)[:, *region.slices]
    return Proposals(values, region, (SIZE, SIZE), scores, scores)


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


CELL, NUCLEUS, EDGE = _disk(60, 60, 40), _disk(55, 65, 18), _disk(80, 40, 12)
#: The same cell three times, and something at its edge.
OFFERED = (CELL, _disk(60, 61, 40), EDGE, _disk(61, 60, 40))
CLICK = Click(55, 65)


def test_what_is_seen_from_nearer_takes_the_place_of_near_duplicates() -> None:
    before = _proposals(*OFFERED)
    near = Region(30, 85, 35, 90)
    small = _disk(55, 65, 8)
    after = with_closer(before, _proposals(NUCLEUS, small, region=near), [CLICK])
    assert len(after) == 4
    np.testing.assert_array_equal(after.plane_mask(0), CELL)
    shown = [after.plane_mask(k) for k in range(4)]
    for meant in (NUCLEUS, small, EDGE):
        assert max(_iou(mask, meant) for mask in shown) == 1
    # what does not hold the click comes last, the others by their scores
    assert _iou(after.plane_mask(3), EDGE) == 1
    assert after.score[1] > after.score[2]
    np.testing.assert_array_equal(before.masks, _proposals(*OFFERED).masks)


def test_proposals_that_are_all_different_stay() -> None:
    before = _proposals(CELL, NUCLEUS, EDGE)
    assert with_closer(before, _proposals(_disk(55, 65, 8)), [CLICK]) is before


def test_the_pick_stays_first_whatever_a_closer_look_is_sure_of() -> None:
    before = _proposals(*OFFERED, best=0.3)
    after = with_closer(before, _proposals(NUCLEUS, best=1.0), [CLICK])
    np.testing.assert_array_equal(after.plane_mask(0), CELL)
    assert _iou(after.plane_mask(1), NUCLEUS) == 1
    assert after.score[1] > after.score[0]


def test_what_misses_the_click_gets_a_place_after_what_holds_it() -> None:
    before = _proposals(CELL, _disk(60, 61, 40), EDGE)
    aside = _disk(20, 20, 15)
    after = with_closer(before, _proposals(aside, NUCLEUS), [CLICK])
    shown = [after.plane_mask(k) for k in range(3)]
    assert max(_iou(mask, NUCLEUS) for mask in shown) == 1
    assert max(_iou(mask, aside) for mask in shown) == 0


def test_where_nothing_new_is_seen_a_near_duplicate_comes_back() -> None:
    before = _proposals(*OFFERED)
    after = with_closer(before, _proposals(CELL), [CLICK])
    assert len(after) == 4
    assert min(_iou(after.plane_mask(k), CELL) for k in (1, 2)) > 0.9


def test_which_one_is_a_part_is_still_known() -> None:
    offered = replace(_proposals(CELL, NUCLEUS, _disk(60, 61, 40), EDGE), part=3)
    after = with_closer(offered, _proposals(_disk(55, 65, 8)), [CLICK])
    assert after.part is not None
    assert _iou(after.plane_mask(after.part), EDGE) == 1
    twin = replace(offered, part=2)
    assert with_closer(twin, _proposals(_disk(55, 65, 8)), [CLICK]).part is None
