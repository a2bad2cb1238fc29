from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_piclick.clicks import Click
from napari_piclick.plane import Plane
from napari_piclick.proposals import Proposals
from napari_piclick.region import Region
from napari_piclick.session.source import Source
from napari_piclick.session.thumbnails import SIZE, TINT, crop_around, draw_thumbnails

if TYPE_CHECKING:
    from tests.conftest import FloodPredictor


def proposals_of(*masks: np.ndarray) -> Proposals:
    stack = np.stack(masks).astype(np.float32)
    scores = np.linspace(0.9, 0.5, len(masks), dtype=np.float32)
    shape = masks[0].shape
    return Proposals(stack, Region.whole(shape), shape, scores, scores)


def box(shape: tuple[int, int], rows: slice, cols: slice) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[rows, cols] = True
    return mask


def tinted(thumbnail: np.ndarray) -> np.ndarray:
    """Where a thumbnail of a black image shows the proposal."""
    return (thumbnail[..., 2] > 0) & (thumbnail[..., 3] > 0)


def source_of(image: np.ndarray, plane: Plane | None = None) -> Source:
    plane = plane or Plane(image.shape[:2], (0, 1), rgb=image.ndim == 3)
    return Source("key", plane, image, (0.0, 255.0))


def test_each_proposal_is_drawn_over_the_same_crop() -> None:
    small = box((60, 80), slice(20, 30), slice(30, 44))
    large = box((60, 80), slice(15, 35), slice(25, 49))
    drawn = draw_thumbnails(source_of(np.zeros((60, 80))), proposals_of(small, large), [])
    assert drawn.shape == (2, SIZE, SIZE, 4)
    areas = [tinted(thumbnail).sum() for thumbnail in drawn]
    assert areas[1] / areas[0] == pytest.approx(large.sum() / small.sum(), rel=0.1)
    assert (tinted(drawn[1]) | ~tinted(drawn[0])).all()


def test_the_outline_has_the_colour_of_the_preview() -> None:
    mask = box((60, 80), slice(20, 30), slice(30, 44))
    (drawn,) = draw_thumbnails(source_of(np.full((60, 80), 255.0)), proposals_of(mask), [])
    assert (drawn[..., :3] == TINT).all(-1).any()


def test_a_huge_proposal_does_not_shrink_the_best_one_to_a_dot() -> None:
    best = box((1000, 1000), slice(500, 520), slice(500, 520))
    everything = np.ones((1000, 1000), bool)
    crop = crop_around(proposals_of(best, everything), [Click(510, 510)])
    assert max(crop.shape) < 120
    assert crop.covers(Region(500, 520, 500, 520))


def test_clicks_are_in_the_picture() -> None:
    best = box((200, 200), slice(90, 100), slice(90, 100))
    crop = crop_around(proposals_of(best), [Click(95, 95), Click(40, 150, False)])
    assert crop.contains(95, 95)
    assert crop.contains(40, 150)


def test_an_empty_proposal_still_has_a_picture() -> None:
    nothing = np.zeros((50, 60), bool)
    (drawn,) = draw_thumbnails(source_of(np.zeros((50, 60))), proposals_of(nothing), [Click(5, 5)])
    assert not tinted(drawn).any()


def test_pixels_that_are_not_square_keep_the_shape_of_things() -> None:
    # 4 rows of 5 µm are as long as 20 columns of 1 µm
    affine = tuple(map(tuple, np.diag([5.0, 1.0, 1.0]).tolist()))
    plane = Plane((40, 200), (0, 1), affine=affine)
    mask = box((40, 200), slice(18, 22), slice(90, 110))
    source = source_of(np.zeros((40, 200)), plane)
    (drawn,) = draw_thumbnails(source, proposals_of(mask), [])
    rows, cols = np.nonzero(tinted(drawn))
    assert np.ptp(rows) == pytest.approx(np.ptp(cols), rel=0.1)


def test_axes_that_run_backwards_look_as_in_the_canvas() -> None:
    affine = tuple(map(tuple, np.diag([-1.0, 1.0, 1.0]).tolist()))
    image = np.zeros((40, 40))
    image[10:20] = 255
    mask = box((40, 40), slice(10, 30), slice(10, 30))
    (up,) = draw_thumbnails(source_of(image), proposals_of(mask), [])
    (down,) = draw_thumbnails(
        source_of(image, Plane((40, 40), (0, 1), affine=affine)), proposals_of(mask), []
    )
    np.testing.assert_array_equal(down, up[::-1])
    assert not np.array_equal(down, up)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((16, 300), np.int16),
        np.full((300, 16), np.nan, np.float32),
        np.zeros((30, 30, 4), np.uint8),
        np.zeros((30, 30), bool),
        np.zeros((1, 1), np.uint16),
    ],
    ids=["wide", "nan", "rgba", "bool", "one pixel"],
)
def test_any_picture_can_be_drawn(image: np.ndarray) -> None:
    mask = np.ones(image.shape[:2], bool)
    plane = Plane(image.shape[:2], (0, 1), rgb=image.ndim == 3)
    drawn = draw_thumbnails(Source("key", plane, image), proposals_of(mask), [Click(0, 0)])
    assert drawn.shape == (1, SIZE, SIZE, 4)
    assert (drawn[..., 3] > 0).any()


def test_only_the_crop_is_read(predictor: FloodPredictor) -> None:
    class Watched:
        shape, dtype = (4000, 4000), np.dtype(np.uint8)
        read = 0

        def __getitem__(self, key: tuple[slice, ...]) -> np.ndarray:
            sizes = [len(range(*part.indices(4000))) for part in key]
            Watched.read += int(np.prod(sizes))
            return np.zeros(sizes, np.uint8)

    best = np.zeros((100, 100), np.float32)
    best[40:60, 40:60] = 1
    shape = (4000, 4000)
    region = Region(1000, 1100, 1000, 1100)
    proposals = Proposals(best[None], region, shape, np.ones(1), np.ones(1))
    draw_thumbnails(Source("key", Plane(shape, (0, 1)), Watched()), proposals, [Click(1050, 1050)])
    assert 0 < Watched.read < 100**2
