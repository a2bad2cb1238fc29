"""Parts: what is as bright as the place clicked is offered beside the network's masks."""

from __future__ import annotations

import dask.array
import numpy as np
import pytest

from napari_piclick import Click, Predictor, Proposals, Region
from napari_piclick.predict.parts import with_part
from napari_piclick.predict.plane_image import PlaneImage

SIZE = 120


def _disk(row: float, col: float, radius: float, size: int = SIZE) -> np.ndarray:
    rows, cols = np.mgrid[:size, :size]
    inside: np.ndarray = (rows - row) ** 2 + (cols - col) ** 2 <= radius**2
    return inside


def _proposals(*masks: np.ndarray, corner: tuple[int, int] = (0, 0)) -> Proposals:
    """Proposals with falling scores."""
    height, width = masks[0].shape
    region = Region(0, height, 0, width).moved(*corner)
    scores = np.linspace(0.9, 0.3, len(masks)).astype(np.float32)
    plane = (region.row1, region.col1)
    return Proposals(0.8 * np.stack(masks).astype(np.float32), region, plane, scores, scores)


def _grey(image: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 4, image.shape)
    return np.repeat((image + noise)[None], 3, 0).astype(np.float32)


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


CELL = _disk(60, 60, 45)
NUCLEUS = _disk(55, 65, 20)
#: A cell, twice, and something smaller at its edge.
OFFERED = (CELL, _disk(60, 61, 45), _disk(80, 40, 12))


def test_the_nucleus_takes_the_place_of_a_second_mask_of_the_cell() -> None:
    before = _proposals(*OFFERED)
    after = with_part(before, _grey(40 + 60 * CELL + 80 * NUCLEUS), [Click(55, 65)])
    assert len(after) == 3
    assert after.part is not None
    assert _iou(after.mask(after.part), NUCLEUS) > 0.9
    np.testing.assert_array_equal(after.masks[0], before.masks[0])
    rest = 3 - after.part
    np.testing.assert_array_equal(after.masks[rest], before.masks[2])
    assert after.score[0] > after.score[1] > after.score[2]


def test_the_pick_stays_first_whatever_the_part_scores() -> None:
    before = _proposals(*OFFERED)
    unsure = Proposals(
        before.masks, before.region, before.plane_shape, before.iou[::-1].copy(), before.confidence
    )
    after = with_part(unsure, _grey(40 + 60 * CELL + 80 * NUCLEUS), [Click(55, 65)])
    np.testing.assert_array_equal(after.masks[0], before.masks[0])
    assert after.part in (1, 2)


def test_colours_that_are_equally_bright_are_told_apart() -> None:
    colours = np.zeros((3, SIZE, SIZE), np.float32)
    colours[0] = 60 + 100 * NUCLEUS
    colours[2] = 160 - 100 * NUCLEUS
    after = with_part(_proposals(*OFFERED), colours, [Click(55, 65)])
    assert after.part is not None
    assert _iou(after.mask(after.part), NUCLEUS) > 0.9


def test_a_nucleus_in_two_pieces_is_one_part() -> None:
    lobes = _disk(50, 45, 12) | _disk(65, 80, 14)
    after = with_part(_proposals(*OFFERED), _grey(200 - 120 * lobes), [Click(50, 45)])
    assert after.part is not None
    assert _iou(after.mask(after.part), lobes) > 0.85


def test_what_is_evenly_bright_has_no_part() -> None:
    before = _proposals(*OFFERED)
    assert with_part(before, _grey(100.0 * CELL), [Click(55, 65)]) is before
    # a slow change of brightness is no part either: every threshold would cut it somewhere
    even = np.full((3, SIZE, SIZE), 100, np.float32)
    assert with_part(before, even, [Click(55, 65)]) is before


def test_proposals_that_all_show_something_of_their_own_stay() -> None:
    image = _grey(40 + 60 * CELL + 80 * NUCLEUS)
    different = _proposals(CELL, _disk(60, 60, 35), _disk(80, 40, 12))
    assert with_part(different, image, [Click(55, 65)]) is different


def test_a_part_lies_on_the_right_side_of_all_clicks() -> None:
    before = _proposals(*OFFERED)
    image = _grey(40 + 60 * CELL + 80 * NUCLEUS)
    assert with_part(before, image, [Click(55, 65), Click(60, 20)]) is before
    assert with_part(before, image, [Click(55, 65), Click(55, 66, positive=False)]) is before
    assert with_part(before, image, [Click(55, 65), Click(60, 20, positive=False)]) is not before


def test_large_objects_are_divided_on_a_coarser_grid() -> None:
    size, corner = 700, (1000, 30)
    cell, core = _disk(350, 350, 300, size), _disk(330, 380, 120, size)
    before = _proposals(cell, _disk(350, 352, 300, size), _disk(600, 350, 40, size), corner=corner)
    click = Click(330 + corner[0], 380 + corner[1])
    after = with_part(before, _grey(40 + 60 * cell + 80 * core), [click])
    assert after.part is not None
    assert after.masks.shape == before.masks.shape
    assert _iou(after.mask(after.part), core) > 0.9


@pytest.mark.parametrize("clicks", [[], [Click(500, 500)], [Click(55, 65, positive=False)]])
def test_without_a_click_on_the_masks_nothing_changes(clicks: list[Click]) -> None:
    before = _proposals(*OFFERED)
    assert with_part(before, _grey(80.0 * NUCLEUS), clicks) is before


def test_only_a_first_click_is_offered_a_part(tiny: Predictor) -> None:
    # far apart, so that the network does not show them together
    lobes = _disk(45, 60, 13, 160) | _disk(112, 62, 13, 160) | _disk(80, 118, 13, 160)
    image = 40 + 40.0 * _disk(80, 80, 60, 160) + 90 * lobes
    tiny.set_image(image + np.random.default_rng(0).normal(0, 6, image.shape))
    clicks = [Click(45, 60)]
    first = tiny.predict(clicks)
    assert first.part is not None
    assert len(first) == 7
    assert _iou(first.plane_mask(first.part), lobes) > 0.85
    again = tiny.predict([*clicks, Click(112, 62)], first)
    assert again.part is None
    tiny.parts = False
    alone = tiny.predict(clicks)
    tiny.parts = True
    assert alone.part is None
    assert max(_iou(alone.plane_mask(k), lobes) for k in range(7)) < 0.85
    np.testing.assert_array_equal(alone.masks[0], first.masks[0])


def test_reading_for_a_part_sets_no_window() -> None:
    values = np.arange(100.0).reshape(10, 10)
    plane = PlaneImage(dask.array.from_array(values), key="lazy")
    corner = Region(0, 2, 0, 2)
    dark = plane.pixels(corner, keep_window=False)
    whole = plane.pixels(Region.whole((10, 10)))
    assert dark.max() == 255.0
    assert plane.pixels(corner).max() < 50.0
    np.testing.assert_array_equal(plane.pixels(Region.whole((10, 10))), whole)
